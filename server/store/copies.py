"""Rows by statements that were built once, handed out as copies.

What a job reads and writes in every run goes this way: the ORM's bookkeeping around a row (identity
map, unit of work) costs several times what its statement does. A copy tells what stood there; to
change it changes nothing, a statement does.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.store.db import Base

Row = TypeVar("Row", bound=Base)


def copies(
    session: Session, kind: type[Row], statement: sa.Executable, bound: Mapping[str, Any]
) -> list[Row]:
    """Of every row that ``statement`` gives with all columns of ``kind``."""
    found = session.connection().execute(statement, bound)
    return [kind(**row._asdict()) for row in found]


def copy_of(
    session: Session, kind: type[Row], statement: sa.Executable, bound: Mapping[str, Any]
) -> Row | None:
    """Of the one row, None where there is none."""
    row = session.connection().execute(statement, bound).one_or_none()
    return kind(**row._asdict()) if row is not None else None
