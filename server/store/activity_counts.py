"""How many of an account's deals are in which group. Every count is bounded, so that a large
account's page costs no more than a small one's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.states import AttemptOutcome, DocumentState, Group
from server.store.activity import Filter, narrowed, sources
from server.store.activity_groups import DOCUMENT
from server.store.activity_walks import count
from server.store.ledger import AttemptRow

MOST = 200  # of what is counted: "200+"; each costs some microseconds (bench/activity.py)


@dataclass(frozen=True)
class Count:
    """Up to ``MOST``; ``more``: there are others that nobody counted."""

    n: int
    more: bool = False

    def __add__(self, other: "Count") -> "Count":
        n, more = self.n + other.n, self.more or other.more
        return Count(min(n, MOST), more or n > MOST)


@dataclass(frozen=True)
class Counts:
    in_order: Count
    left_out: Count
    attention: Count
    under_way: Count
    invoiced: Count  # within the bounds that were asked for


def counts(session: Session, account_id: int, since: datetime, until: datetime) -> Counts:
    """Of the groups, and of the invoices made from ``since`` to before ``until``."""
    every = {group: count_of(session, account_id, Filter(group=group)) for group in Group}
    return Counts(
        in_order=every[Group.IN_ORDER],
        left_out=every[Group.LEFT_OUT],
        attention=every[Group.ATTENTION],
        under_way=every[Group.UNDER_WAY],
        invoiced=_invoiced(session, account_id, since, until),
    )


def count_of(session: Session, account_id: int, wanted: Filter) -> Count:
    total = Count(0)
    for source in sources(wanted):
        names, bound = narrowed(source, wanted)
        statement = count(source, frozenset(names))
        total += _up_to(session, statement, {"account_id": account_id, **bound})
    return total


def _up_to(session: Session, statement: sa.Select[Any], bound: dict[str, Any]) -> Count:
    n = session.connection().execute(statement, {**bound, "most": MOST + 1}).scalar_one()
    return Count(min(n, MOST), n > MOST)


def _invoiced(session: Session, account_id: int, since: datetime, until: datetime) -> Count:
    bound = {"account_id": account_id, "since": since, "until": until}
    return _up_to(session, _INVOICED, bound)


_MADE_THEN = sa.exists().where(
    AttemptRow.document_id == DOCUMENT.c.id,
    AttemptRow.outcome.in_((AttemptOutcome.CREATED, AttemptOutcome.ADOPTED)),
    AttemptRow.ended_at >= sa.bindparam("since"),
    AttemptRow.ended_at < sa.bindparam("until"),
)
_INVOICED = sa.select(sa.func.count()).select_from(
    sa.select(sa.literal(1))
    .where(
        DOCUMENT.c.account_id == sa.bindparam("account_id"),
        DOCUMENT.c.kind == "invoice",
        DOCUMENT.c.state.in_((DocumentState.CREATED, DocumentState.SENT)),
        DOCUMENT.c.updated_at >= sa.bindparam("since"),
        _MADE_THEN,
    )
    .limit(sa.bindparam("most"))
    .subquery()
)
