"""An account's connections, each with the grant that it lives by: what every run begins with."""

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.store.accounts import ConnectionRow
from server.store.copies import copy
from server.store.grants import GrantRow


@dataclass(frozen=True)
class Tie:
    """Copies, as they stood when they were read."""

    connection: ConnectionRow
    grant: GrantRow | None


def of_account(session: Session, account_id: int) -> dict[str, Tie]:
    """By vendor, in one statement."""
    found = session.connection().execute(_TIES, {"account_id": account_id})
    return {row.vendor: _tie(tuple(row)) for row in found}


def _tie(values: tuple[object, ...]) -> Tie:
    width = len(_CONNECTION.c)
    connection = dict(zip(_CONNECTION.c.keys(), values[:width], strict=True))
    grant = dict(zip(_GRANT.c.keys(), values[width:], strict=True))
    has_grant = grant["id"] is not None
    return Tie(copy(ConnectionRow, connection), copy(GrantRow, grant) if has_grant else None)


_CONNECTION = cast("sa.Table", ConnectionRow.__table__)
_GRANT = cast("sa.Table", GrantRow.__table__)
_TIES = (
    sa.select(*_CONNECTION.c, *(column.label(f"grant_{column.key}") for column in _GRANT.c))
    .select_from(_CONNECTION.outerjoin(_GRANT))
    .where(_CONNECTION.c.account_id == sa.bindparam("account_id"))
)
