"""Which rows stand for a deal on the activity page: ``core.states.Group`` as SQL.

A *source* is one walk down one index, newest first; its conditions leave every deal to exactly one
source, so that a group is the merger of its sources and nothing is counted twice. The values of
states are written into the statements, for partial indexes are found by their text alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import sqlalchemy as sa

from server.core.states import DocumentState, Group, JobState
from server.store.db import UtcDateTime
from server.store.inbox import EventRow
from server.store.job_rows import JobKind, JobRow
from server.store.ledger import DocumentRow

JOB = cast("sa.Table", JobRow.__table__)
DOCUMENT = cast("sa.Table", DocumentRow.__table__)
EVENT = cast("sa.Table", EventRow.__table__)
UNDER_WAY = (JobState.WAITING, JobState.RETRYING, JobState.RUNNING)
UNDECIDED = (DocumentState.MISMATCH, DocumentState.AMBIGUOUS)
# For a page of one kind of job: the newest of its jobs tells, by its own state alone.
STATES_OF = {
    Group.ATTENTION: (JobState.PARKED,),
    Group.UNDER_WAY: UNDER_WAY,
    Group.IN_ORDER: (JobState.DONE,),
    Group.LEFT_OUT: (JobState.LEFT_OUT,),
}
Condition = sa.ColumnElement[bool]


def is_one(column: sa.ColumnElement[Any], *values: str) -> Condition:
    """As text: a bound parameter would hide a partial index from SQLite."""
    spelled: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{value}'") for value in values]
    return column == spelled[0] if len(spelled) == 1 else column.in_(spelled)


def _some(*which: Condition) -> Condition:
    """``EXISTS`` with a constant: with ``*`` SQLite would read the row behind its index."""
    return sa.select(sa.literal_column("1")).where(*which).exists()


def _about() -> sa.ColumnElement[str]:
    """Of an invoice's row: what its deal's jobs are about."""
    return sa.literal_column("'deal:'") + DOCUMENT.c.source_id


def _some_job(about: sa.ColumnElement[Any], *states: str) -> Condition:
    job = JOB.alias("another")
    return _some(
        job.c.account_id == sa.bindparam("account_id"),
        job.c.about == about,
        is_one(job.c.state, *states),
    )


def _some_invoice(deal: sa.ColumnElement[Any], *which: Condition) -> Condition:
    """``which``: conditions of the table ``invoice`` (below)."""
    return _some(
        _INVOICE.c.account_id == sa.bindparam("account_id"),
        _INVOICE.c.source == "kommo",
        _INVOICE.c.source_id == deal,
        _INVOICE.c.kind == "invoice",
        *which,
    )


_INVOICE = DOCUMENT.alias("invoice")
_DEAL = sa.func.substr(JOB.c.about, 6)  # behind "deal:"


def undecided(table: Any) -> Condition:
    return sa.and_(is_one(table.c.state, *UNDECIDED), table.c.ignored_at.is_(None))


def _draft_wanted(table: Any) -> Condition:
    return sa.and_(table.c.state == DocumentState.CREATED, table.c.action.in_(("", "draft")))


def _accepted(table: Any) -> Condition:
    """It exists, and somebody said that its total may differ."""
    return sa.and_(table.c.state == DocumentState.MISMATCH, table.c.ignored_at.is_not(None))


def _speaks(table: Any) -> Condition:
    """The invoice says what became of the deal, not its jobs."""
    over = table.c.state.in_((DocumentState.SENT, DocumentState.DELETED))
    return sa.or_(over, _draft_wanted(table), _accepted(table), undecided(table))


def _no_other(*which: Condition) -> Condition:
    """One look at the other jobs of the same deal, for all reasons to stand back."""
    own = _OTHER.c.account_id == sa.bindparam("account_id")
    return ~_some(own, _OTHER.c.about == JOB.c.about, sa.or_(*which))


_OTHER = JOB.alias("other")
_OTHER_PARKED = is_one(_OTHER.c.state, JobState.PARKED)
_OTHER_UNDER_WAY = is_one(_OTHER.c.state, *UNDER_WAY)


def _stronger() -> Condition:
    """Of a deal's jobs in like states one stands for it: that which bills, else the last."""
    bills, last = JobKind.DEAL_TO_INVOICE, _OTHER.c.id > JOB.c.id
    return sa.case(
        (JOB.c.kind == bills, sa.and_(_OTHER.c.kind == bills, last)),
        else_=sa.or_(_OTHER.c.kind == bills, last),
    )


def _newer() -> Condition:
    return sa.and_(_OTHER.c.kind == JOB.c.kind, _OTHER.c.id > JOB.c.id)


@dataclass(frozen=True)
class Source:
    """``by``: what a page may ask of it beyond account, time and place; a source that knows not
    what is asked gives nothing."""

    group: Group | None  # None: the job's own state tells
    table: sa.Table
    conditions: Callable[[], Sequence[Condition]]
    by: tuple[str, ...] = ("deal",)

    @property
    def at(self) -> sa.Column[Any]:
        column: sa.Column[Any] = self.table.c[
            "received_at" if self.table is EVENT else "updated_at"
        ]
        return column


def _parked() -> Sequence[Condition]:
    """With the plumbing, which is about nothing and has no rival."""
    stronger = sa.and_(_OTHER_PARKED, _stronger())
    return is_one(JOB.c.state, JobState.PARKED), _no_other(stronger)


def _undecided() -> Sequence[Condition]:
    newer = sa.and_(_INVOICE.c.id > DOCUMENT.c.id, undecided(_INVOICE))
    return (
        DOCUMENT.c.kind == "invoice",
        undecided(DOCUMENT),
        ~_some_job(_about(), JobState.PARKED),
        ~_some_invoice(DOCUMENT.c.source_id, newer),
    )


def _under_way() -> Sequence[Condition]:
    return (
        JOB.c.about.is_not(None),
        is_one(JOB.c.state, *UNDER_WAY),
        _no_other(_OTHER_PARKED, sa.and_(_OTHER_UNDER_WAY, _stronger())),
        ~_some_invoice(_DEAL, undecided(_INVOICE)),
    )


def _left_out() -> Sequence[Condition]:
    return (
        JOB.c.about.is_not(None),
        is_one(JOB.c.state, JobState.LEFT_OUT),
        JOB.c.kind == JobKind.DEAL_TO_INVOICE,
        _no_other(_OTHER_PARKED, _OTHER_UNDER_WAY, _newer()),
        ~_some_invoice(_DEAL, _speaks(_INVOICE)),
    )


def _invoices(*which: Condition) -> Sequence[Condition]:
    newer = sa.and_(_INVOICE.c.id > DOCUMENT.c.id, _speaks(_INVOICE))
    return (
        DOCUMENT.c.kind == "invoice",
        *which,
        ~_some_job(_about(), JobState.PARKED, *UNDER_WAY),
        ~_some_invoice(DOCUMENT.c.source_id, sa.or_(undecided(_INVOICE), newer)),
    )


def _deleted() -> Sequence[Condition]:
    return _invoices(DOCUMENT.c.state == DocumentState.DELETED)


def _sent() -> Sequence[Condition]:
    return _invoices(DOCUMENT.c.state == DocumentState.SENT)


def _draft() -> Sequence[Condition]:
    return _invoices(_draft_wanted(DOCUMENT))


def _ignored() -> Sequence[Condition]:
    return _invoices(_accepted(DOCUMENT))


def _turned_away() -> Sequence[Condition]:
    return (cast("Condition", sa.text("event.left_out")),)


def _of_kind() -> Sequence[Condition]:
    return JOB.c.about.is_not(None), _no_other(_newer())


PARKED = Source(Group.ATTENTION, JOB, _parked, ("deal", "cause", "field", "kind"))
UNDECIDED_INVOICES = Source(Group.ATTENTION, DOCUMENT, _undecided, ("deal", "cause"))
SOURCES = (
    PARKED,
    UNDECIDED_INVOICES,
    Source(Group.UNDER_WAY, JOB, _under_way),
    Source(Group.LEFT_OUT, JOB, _left_out),
    Source(Group.LEFT_OUT, DOCUMENT, _deleted),
    Source(Group.LEFT_OUT, EVENT, _turned_away, ()),
    Source(Group.IN_ORDER, DOCUMENT, _sent),
    Source(Group.IN_ORDER, DOCUMENT, _draft),
    Source(Group.IN_ORDER, DOCUMENT, _ignored),
)
OF_KIND = Source(None, JOB, _of_kind, ("deal", "kind", *STATES_OF))


@cache
def walk(source: Source, asked: frozenset[str]) -> sa.Select[Any]:
    """Time and id of the source's rows, newest first, at most ``most``. Built once."""
    at, key = source.at, source.table.c.id
    return (
        sa.select(at.label("at"), key)
        .where(*_where(source, asked))
        .order_by(at.desc(), key.desc())
        .limit(sa.bindparam("most"))
    )


@cache
def count(source: Source, asked: frozenset[str]) -> sa.Select[Any]:
    """How many, up to ``most``."""
    return sa.select(sa.func.count()).select_from(walk(source, asked).subquery())


def _where(source: Source, asked: frozenset[str]) -> list[Condition]:
    own = source.table.c.account_id == sa.bindparam("account_id")
    narrower = _narrower(source)
    return [own, *source.conditions(), *(narrower[name] for name in sorted(asked))]


def _narrower(source: Source) -> dict[str, Condition]:
    at, table = source.at, source.table
    older = sa.tuple_(sa.bindparam("older_at", type_=UtcDateTime()), sa.bindparam("older_id"))
    found: dict[str, Condition] = {
        "older": sa.tuple_(at, table.c.id) < older,
        "since": at >= sa.bindparam("since"),
        "until": at < sa.bindparam("until"),
    }
    if table is JOB:
        found["deal"] = JOB.c.about == sa.bindparam("deal")
        found["cause"] = JOB.c.cause == sa.bindparam("cause")
        found["kind"] = JOB.c.kind == sa.bindparam("kind")
        found["field"] = sa.cast(JOB.c.problems, sa.Text).like(sa.bindparam("field"), escape="\\")
        found |= {group: is_one(JOB.c.state, *states) for group, states in STATES_OF.items()}
    if table is DOCUMENT:
        of_kommo = DOCUMENT.c.source == "kommo"
        found["deal"] = sa.and_(of_kommo, DOCUMENT.c.source_id == sa.bindparam("source_id"))
        found["cause"] = DOCUMENT.c.state == sa.bindparam("cause")
    return found
