"""Which rows stand for a deal on the activity page: ``core.states.Group`` as SQL.

A *source* is one walk down one index, newest first; its conditions leave every deal to exactly one
source, so that a group is the merger of its sources and nothing is counted twice. The values of
states are written into the statements, for partial indexes are found by their text alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from server.core.states import DocumentState, Group, JobState
from server.store.inbox import EventRow
from server.store.job_rows import JobKind, JobRow
from server.store.ledger import DocumentRow

JOB = cast("sa.Table", JobRow.__table__)
DOCUMENT = cast("sa.Table", DocumentRow.__table__)
EVENT = cast("sa.Table", EventRow.__table__)
UNDER_WAY = (JobState.WAITING, JobState.RETRYING, JobState.RUNNING)
OPEN_OF_DEAL = (*UNDER_WAY, JobState.PARKED)  # word by word as in ix_job_open_about
UNDECIDED = (DocumentState.MISMATCH, DocumentState.AMBIGUOUS)
# For a page of one kind of job: the newest of its jobs tells, by its own state alone.
STATES_OF = {
    Group.ATTENTION: (JobState.PARKED,),
    Group.UNDER_WAY: UNDER_WAY,
    Group.IN_ORDER: (JobState.DONE,),
    Group.LEFT_OUT: (JobState.LEFT_OUT,),
}
Condition = sa.ColumnElement[bool]
Rows = sa.FromClause


def is_one(column: sa.ColumnElement[Any], *values: str) -> Condition:
    """As text: a bound parameter would hide a partial index from SQLite."""
    spelled: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{value}'") for value in values]
    return column == spelled[0] if len(spelled) == 1 else column.in_(spelled)


def _some(*which: Condition) -> Condition:
    """``EXISTS`` with a constant: with ``*`` SQLite would read the row behind its index."""
    return sa.select(sa.literal_column("1")).where(*which).exists()


def _about(invoice: Rows) -> sa.ColumnElement[str]:
    """What its deal's jobs are about."""
    return sa.literal_column("'deal:'") + invoice.c.source_id


def _some_job(about: sa.ColumnElement[Any], *which: Condition) -> Condition:
    """Of the same deal; ``which``: conditions of the table ``other`` (below)."""
    own = _OTHER.c.account_id == sa.bindparam("account_id")
    return _some(own, _OTHER.c.about == about, *which)


def _some_open_job(about: sa.ColumnElement[Any], *which: Condition) -> Condition:
    """By the index of the open ones alone: a deal may have thousands that are over."""
    return _some_job(about, is_one(_OTHER.c.state, *OPEN_OF_DEAL), *which)


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
_OTHER = JOB.alias("other")
_OTHER_PARKED = is_one(_OTHER.c.state, JobState.PARKED)
_OTHER_UNDER_WAY = is_one(_OTHER.c.state, *UNDER_WAY)


def _deal(job: Rows) -> sa.ColumnElement[str]:
    return sa.func.substr(job.c.about, len("deal:") + 1)


def undecided(rows: Rows) -> Condition:
    return sa.and_(is_one(rows.c.state, *UNDECIDED), rows.c.ignored_at.is_(None))


def _draft_wanted(rows: Rows) -> Condition:
    return sa.and_(rows.c.state == DocumentState.CREATED, rows.c.action.in_(("", "draft")))


def _accepted(rows: Rows) -> Condition:
    """It exists, and somebody said that its total may differ."""
    return sa.and_(rows.c.state == DocumentState.MISMATCH, rows.c.ignored_at.is_not(None))


def _speaks(rows: Rows) -> Condition:
    """The invoice says what became of the deal, not its jobs."""
    over = rows.c.state.in_((DocumentState.SENT, DocumentState.DELETED))
    return sa.or_(over, _draft_wanted(rows), _accepted(rows), undecided(rows))


def _stronger(job: Rows) -> Condition:
    """Of a deal's jobs in like states one stands for it: that which bills, else the last."""
    bills, last = JobKind.DEAL_TO_INVOICE, _OTHER.c.id > job.c.id
    return sa.case(
        (job.c.kind == bills, sa.and_(_OTHER.c.kind == bills, last)),
        else_=sa.or_(_OTHER.c.kind == bills, last),
    )


def _newer(job: Rows) -> Sequence[Condition]:
    return _OTHER.c.kind == job.c.kind, _OTHER.c.id > job.c.id


@dataclass(frozen=True)
class Source:
    """``by``: what a page may ask of it beyond account, time and place; a source that knows not
    what is asked gives nothing. ``conditions`` are of the rows that it is given: ``table``, or some
    of it under another name."""

    group: Group | None  # None: the job's own state tells
    table: sa.Table
    conditions: Callable[[Rows], Sequence[Condition]]
    by: tuple[str, ...] = ("deals",)


def _parked(job: Rows) -> Sequence[Condition]:
    """With the plumbing, which is about nothing and has no rival."""
    rival = _some_open_job(job.c.about, _OTHER_PARKED, _stronger(job))
    return is_one(job.c.state, JobState.PARKED), ~rival


def _undecided(invoice: Rows) -> Sequence[Condition]:
    newer = sa.and_(_INVOICE.c.id > invoice.c.id, undecided(_INVOICE))
    return (
        invoice.c.kind == "invoice",
        undecided(invoice),
        ~_some_open_job(_about(invoice), _OTHER_PARKED),
        ~_some_invoice(invoice.c.source_id, newer),
    )


def _under_way(job: Rows) -> Sequence[Condition]:
    return (
        job.c.about.is_not(None),
        is_one(job.c.state, *UNDER_WAY),
        ~_some_open_job(
            job.c.about, sa.or_(_OTHER_PARKED, sa.and_(_OTHER_UNDER_WAY, _stronger(job)))
        ),
        ~_some_invoice(_deal(job), undecided(_INVOICE)),
    )


def _left_out(job: Rows) -> Sequence[Condition]:
    return (
        job.c.about.is_not(None),
        is_one(job.c.state, JobState.LEFT_OUT),
        job.c.kind == JobKind.DEAL_TO_INVOICE,
        ~_some_open_job(job.c.about),
        ~_some_job(job.c.about, *_newer(job)),
        ~_some_invoice(_deal(job), _speaks(_INVOICE)),
    )


def _invoices(invoice: Rows, *which: Condition) -> Sequence[Condition]:
    newer = sa.and_(_INVOICE.c.id > invoice.c.id, _speaks(_INVOICE))
    return (
        invoice.c.kind == "invoice",
        *which,
        ~_some_open_job(_about(invoice)),
        ~_some_invoice(invoice.c.source_id, sa.or_(undecided(_INVOICE), newer)),
    )


def _deleted(invoice: Rows) -> Sequence[Condition]:
    return _invoices(invoice, invoice.c.state == DocumentState.DELETED)


def _sent(invoice: Rows) -> Sequence[Condition]:
    return _invoices(invoice, invoice.c.state == DocumentState.SENT)


def _draft(invoice: Rows) -> Sequence[Condition]:
    return _invoices(invoice, _draft_wanted(invoice))


def _ignored(invoice: Rows) -> Sequence[Condition]:
    return _invoices(invoice, _accepted(invoice))


def _turned_away(_event: Rows) -> Sequence[Condition]:
    return (cast("Condition", sa.text("event.left_out")),)


def _of_kind(job: Rows) -> Sequence[Condition]:
    return job.c.about.is_not(None), ~_some_job(job.c.about, *_newer(job))


PARKED = Source(Group.ATTENTION, JOB, _parked, ("deals", "cause", "field", "kind"))
UNDECIDED_INVOICES = Source(Group.ATTENTION, DOCUMENT, _undecided, ("deals", "cause"))
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
OF_KIND = Source(None, JOB, _of_kind, ("deals", "kind", *STATES_OF))
