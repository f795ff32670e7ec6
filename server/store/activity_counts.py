"""How many of an account's deals are in which group, and why some need attention. Every count is
bounded, so that a large account's page costs no more than a small one's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.errors import Problem
from server.core.states import AttemptOutcome, DocumentState, Group, JobState
from server.store import activity_groups as groups
from server.store.activity import APART, Filter, narrowed, page, sources
from server.store.activity_groups import DOCUMENT, JOB
from server.store.ledger import AttemptRow

MOST = 200  # of what is counted: "200+"; each costs some microseconds (bench/activity.py)
PROBLEMS_READ = 1000  # parked jobs whose problems are looked through
PROBLEMS = "problems"  # the cause of jobs whose sale cannot be billed


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


@dataclass(frozen=True)
class Cause:
    """Entries that need attention for the same reason, and the newest one's words. ``key`` is what
    ``Filter.cause`` takes; ``field``: the mapping key of a problem ("lines.*.tax")."""

    key: str
    cause: str
    field: str
    count: Count
    said: str
    problem: Problem | None
    at: datetime


def counts(session: Session, account_id: int, since: datetime, until: datetime) -> Counts:
    """Of the groups, and of the invoices made from ``since`` to before ``until``."""
    every = {group: _count(session, account_id, Filter(group=group)) for group in Group}
    return Counts(
        in_order=every[Group.IN_ORDER],
        left_out=every[Group.LEFT_OUT],
        attention=every[Group.ATTENTION],
        under_way=every[Group.UNDER_WAY],
        invoiced=_invoiced(session, account_id, since, until),
    )


def _count(session: Session, account_id: int, wanted: Filter) -> Count:
    total = Count(0)
    for source in sources(wanted):
        names, bound = narrowed(source, wanted)
        statement = groups.count(source, frozenset(names))
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


def causes(session: Session, account_id: int) -> list[Cause]:
    """Why entries need attention, the most frequent first. Those whose sale has problems are told
    apart by the problem's field; an entry with two problems counts under both."""
    asked = {"account_id": account_id}
    names = list(session.connection().execute(_CAUSES, asked).scalars())
    found = [
        made for name in names if name != PROBLEMS for made in _cause(session, account_id, name)
    ]
    for state in groups.UNDECIDED:
        found += _cause(session, account_id, state)
    if PROBLEMS in names:
        for field in _problem_fields(session, account_id):
            found += _cause(session, account_id, PROBLEMS, field)
    return sorted(found, key=lambda one: (-one.count.n, one.key))


_CAUSES = (
    sa.select(JOB.c.cause)
    .distinct()
    .where(
        JOB.c.account_id == sa.bindparam("account_id"),
        groups.is_one(JOB.c.state, JobState.PARKED),
    )
)


def _cause(session: Session, account_id: int, cause: str, field: str = "") -> list[Cause]:
    """None where all of them stand under a stronger cause of the same deals."""
    key = f"{cause}{APART}{field}" if field else cause
    wanted = Filter(Group.ATTENTION, cause=key)
    newest = page(session, account_id, wanted, most=1).entries
    if not newest:
        return []
    count = _count(session, account_id, wanted)
    entry = newest[0]
    problem = next((one for one in entry.problems if plain_field(one.field) == field), None)
    said = str(problem) if problem else entry.said
    return [Cause(key, cause, field, count, said, problem, entry.at)]


def _problem_fields(session: Session, account_id: int) -> list[str]:
    """Which fields the problems of the newest parked jobs name, without line numbers."""
    query = (
        sa.select(JOB.c.problems)
        .where(
            JOB.c.account_id == account_id,
            groups.is_one(JOB.c.state, JobState.PARKED),
            JOB.c.cause == PROBLEMS,
        )
        .order_by(JOB.c.updated_at.desc())
        .limit(PROBLEMS_READ)
    )
    rows = session.connection().execute(query).scalars()
    return sorted({plain_field(problem["field"]) for problems in rows for problem in problems})


def plain_field(field: str) -> str:
    """ "lines.2.tax" is "lines.*.tax": one cause, whichever the line."""
    return ".".join("*" if part.isdecimal() else part for part in field.split("."))
