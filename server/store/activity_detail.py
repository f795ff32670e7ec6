"""One entry of the activity page, opened: its jobs, documents, attempts, calls and events.

Never a body, a query, a draft or a traceback; of everything the newest, up to a bound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.errors import Problem
from server.core.states import OPEN_JOB_STATES
from server.store.activity_entries import (
    LONGEST_ID,
    Ignored,
    Made,
    accepted,
    deal_in,
    ignored_in,
    made_in,
    problems_in,
    said_by,
)
from server.store.activity_groups import EVENT, JOB, UNDER_WAY, is_one
from server.store.calls import CallRow
from server.store.inbox import EntryRow
from server.store.job_rows import JobRow
from server.store.ledger import AttemptRow, DocumentRow

JOBS, DOCUMENTS, ATTEMPTS, CALLS, EVENTS = 20, 20, 10, 100, 20
EVENTS_READ = 200  # the account's newest, to find in them those that name the deal


@dataclass(frozen=True)
class JobSeen:
    """``due_at``: of what waits or retries, its next try."""

    id: int
    kind: str
    subject: str
    state: str
    cause: str
    said: str
    problems: tuple[Problem, ...]
    attempts: int
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    ignored: Ignored | None


@dataclass(frozen=True)
class AttemptSeen:
    ordinal: int
    outcome: str
    started_at: datetime | None
    ended_at: datetime | None
    number: str
    reference: str
    error: str


@dataclass(frozen=True)
class DocumentSeen:
    """``attempts`` newest first. ``made`` is None while nothing is known to exist upstream.
    ``rule`` is the slug of the rule that billed, ``action`` what it wanted done."""

    id: int
    kind: str  # invoice, task, email
    state: str
    made: Made | None
    said: str
    created_at: datetime
    updated_at: datetime
    ignored: Ignored | None
    attempts: tuple[AttemptSeen, ...]
    rule: str
    action: str


@dataclass(frozen=True)
class CallSeen:
    job_id: int | None
    vendor: str
    method: str
    path: str
    status: int | None
    outcome: str
    started_at: datetime
    duration_ms: int
    request_id: str


@dataclass(frozen=True)
class EventSeen:
    """``actions``: what it told of the deal (add, update, status, ...), each once."""

    id: int
    kind: str
    at: datetime
    verdict: str
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detail:
    """Everything newest first, but calls: those in the order of their making."""

    subject: str
    jobs: tuple[JobSeen, ...]
    documents: tuple[DocumentSeen, ...]
    calls: tuple[CallSeen, ...]
    events: tuple[EventSeen, ...]


def opened(session: Session, account_id: int, subject: str) -> Detail | None:
    """None: this account knows nothing of it."""
    jobs = jobs_about(session, account_id, subject)
    deal_id = deal_in(subject)
    documents = [] if deal_id is None else _documents(session, account_id, deal_id)
    found = Detail(
        subject,
        tuple(_job(row) for row in jobs),
        tuple(_document(session, row) for row in documents),
        tuple(_calls(session, [row.id for row in jobs])),
        tuple(_events(session, account_id, subject, jobs)),
    )
    return found if found.jobs or found.documents or found.events else None


def jobs_about(session: Session, account_id: int, subject: str) -> list[JobRow]:
    """Of a deal, newest first; of the plumbing ("ensure:account") the open one."""
    if deal_in(subject) is None:
        return open_jobs(session, account_id, subject)
    return _newest_jobs(session, account_id, JobRow.about == subject)


def open_jobs(session: Session, account_id: int, subject: str) -> list[JobRow]:
    """That wait, retry or are parked."""
    is_open = is_one(JOB.c.state, *OPEN_JOB_STATES)
    if deal_in(subject) is not None:
        return _newest_jobs(session, account_id, JobRow.about == subject, is_open)
    kind, _, of = subject.partition(":")
    own = (JobRow.kind == kind, JobRow.subject == of, JobRow.about.is_(None))
    return _newest_jobs(session, account_id, *own, is_open)


def _newest_jobs(session: Session, account_id: int, *which: sa.ColumnElement[bool]) -> list[JobRow]:
    query = sa.select(JobRow).where(JobRow.account_id == account_id, *which)
    return list(session.scalars(query.order_by(JobRow.id.desc()).limit(JOBS)))


def _job(row: JobRow) -> JobSeen:
    return JobSeen(
        row.id,
        row.kind,
        row.subject,
        row.state,
        row.cause,
        said_by(row),
        problems_in(row),
        row.attempts,
        row.due_at if row.state in UNDER_WAY else None,
        row.created_at,
        row.updated_at,
        ignored_in(row),
    )


def _documents(session: Session, account_id: int, deal_id: int) -> list[DocumentRow]:
    """The deal's own, and the e-mails of its invoices."""
    rows = _of_source(session, account_id, "kommo", [str(deal_id)])
    sent = [str(row.id) for row in rows if row.kind == "invoice"]
    return [*rows, *_of_source(session, account_id, "document", sent)]


def _of_source(
    session: Session, account_id: int, source: str, ids: Sequence[str]
) -> list[DocumentRow]:
    own = (DocumentRow.account_id == account_id, DocumentRow.source == source)
    query = sa.select(DocumentRow).where(*own, DocumentRow.source_id.in_(ids))
    return list(session.scalars(query.order_by(DocumentRow.id.desc()).limit(DOCUMENTS)))


def _document(session: Session, row: DocumentRow) -> DocumentSeen:
    columns = (
        AttemptRow.ordinal,
        AttemptRow.outcome,
        AttemptRow.call_started_at,
        AttemptRow.ended_at,
        AttemptRow.number,
        AttemptRow.reference,
        AttemptRow.error,
    )
    query = sa.select(*columns).where(AttemptRow.document_id == row.id)
    attempts = session.execute(query.order_by(AttemptRow.ordinal.desc()).limit(ATTEMPTS))
    return DocumentSeen(
        row.id,
        row.kind,
        row.state,
        made_in(row),
        row.said,
        row.created_at,
        row.updated_at,
        accepted(row),
        tuple(AttemptSeen(*attempt) for attempt in attempts),
        row.rule_slug,
        row.action,
    )


def _calls(session: Session, job_ids: Sequence[int]) -> Iterable[CallSeen]:
    """Not by their account: a planner would walk all that it ever made."""
    columns: list[Any] = [getattr(CallRow, name) for name in CallSeen.__dataclass_fields__]
    own = CallRow.job_id.in_(job_ids)
    query = sa.select(*columns).where(own).order_by(CallRow.id.desc()).limit(CALLS)
    return reversed([CallSeen(*call) for call in session.execute(query)])


def _events(
    session: Session, account_id: int, subject: str, jobs: Sequence[JobRow]
) -> Iterable[EventSeen]:
    kind, _, number = subject.partition(":")
    if kind == "event" and number.isdecimal() and len(number) <= LONGEST_ID:
        one = (EVENT.c.id == int(number), EVENT.c.account_id == account_id)
        rows = session.execute(sa.select(*_TOLD).where(*one))
        return [EventSeen(*row[:4]) for row in rows]
    deal_id = deal_in(subject)
    if deal_id is None:
        return []
    found = {
        row.id: replace(EventSeen(*row[:4]), actions=actions_on(row.subjects, deal_id))
        for look in _looks(session, account_id, deal_id, jobs)
        for row in session.execute(look)
        if names_deal(row.subjects, deal_id)
    }
    return [found[event_id] for event_id in sorted(found, reverse=True)[:EVENTS]]


def _looks(
    session: Session, account_id: int, deal_id: int, jobs: Sequence[JobRow]
) -> Iterable[sa.Select[Any]]:
    """What proved an entering is known by its id; what began a job came at the moment when the job
    was made; the newest of the account are looked through."""
    proved = sa.select(EntryRow.event_id).where(
        EntryRow.account_id == account_id, EntryRow.deal_id == deal_id
    )
    ids = list(session.scalars(proved.order_by(EntryRow.at.desc()).limit(EVENTS)))
    yield sa.select(*_TOLD).where(EVENT.c.id.in_(ids))
    own = EVENT.c.account_id == account_id
    at = [row.created_at for row in jobs]
    yield sa.select(*_TOLD).where(own, EVENT.c.received_at.in_(at)).limit(EVENTS_READ)
    newest = sa.select(*_TOLD).where(own).order_by(EVENT.c.received_at.desc(), EVENT.c.id.desc())
    read = newest.limit(EVENTS_READ).subquery()
    yield sa.select(read).where(sa.cast(read.c.subjects, sa.Text).contains(f", {deal_id}]"))


_TOLD = (EVENT.c.id, EVENT.c.kind, EVENT.c.received_at, EVENT.c.verdict, EVENT.c.subjects)


def names_deal(subjects: Sequence[Sequence[Any]], deal_id: int) -> bool:
    return any(one[0] == "leads" and one[-1] == deal_id for one in subjects)


def actions_on(subjects: Sequence[Sequence[Any]], deal_id: int) -> tuple[str, ...]:
    told = [str(one[1]) for one in subjects if one[0] == "leads" and one[-1] == deal_id]
    return tuple(dict.fromkeys(told))
