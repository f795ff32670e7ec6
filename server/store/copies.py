"""Rows by statements that were built once, handed out as copies.

What a job reads and writes in every run goes this way: the ORM's bookkeeping around a row (identity
map, unit of work) costs several times what its statement does. A copy tells what stood there; to
change it changes nothing, a statement does.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, class_mapper

from server.store.db import Base

Row = TypeVar("Row", bound=Base)


def copies(
    session: Session, kind: type[Row], statement: sa.Executable, bound: Mapping[str, Any]
) -> list[Row]:
    """Of every row that ``statement`` gives with all columns of ``kind``."""
    found = session.connection().execute(statement, bound)
    return [copy(kind, row._asdict()) for row in found]


def copy_of(
    session: Session, kind: type[Row], statement: sa.Executable, bound: Mapping[str, Any]
) -> Row | None:
    """Of the one row, None where there is none."""
    row = session.connection().execute(statement, bound).one_or_none()
    return copy(kind, row._asdict()) if row is not None else None


def copy(kind: type[Row], columns: Mapping[str, Any]) -> Row:
    """As the ORM's own loader fills a row; its constructor books every single value."""
    row: Row = class_mapper(kind).class_manager.new_instance()
    row.__dict__.update(columns)
    return row
