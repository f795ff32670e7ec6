"""Job rows are the truth; an engine only wakes ``runner.run(job_id)``.

The row's lease alone excludes: one running job a subject (partial unique index), and every commit
of a run carries ``lease_owner = me``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.keys import AccountId, JobId
from server.core.states import OPEN_JOB_STATES, JobClass, JobState
from server.store.db import WAKE, Base, rows_changed

LEASE = timedelta(seconds=20)
LONGEST = timedelta(minutes=10)  # a run that lasts longer hangs, and is taken over
MOST_DEATHS = 5  # runs that ended with the process, in a row
_OPEN = sa.text("state IN ('waiting', 'retrying', 'parked')")
_RUNNING = sa.text("state = 'running'")


class JobKind(StrEnum):
    DEAL_TO_INVOICE = "deal_to_invoice"
    INVOICE_TO_DEAL = "invoice_to_deal"
    TELL_MANAGER = "tell_manager"  # one task in Kommo, with the cause in plain words
    TASKS_DONE = "tasks_done"  # the cause is gone: complete those tasks
    ENSURE = "ensure"  # fields and webhook at Kommo, as they must be
    SWEEP_EVENTS = "sweep_events"  # what webhooks missed
    PROBE = "probe"  # is the vendor back?
    WELCOME = "welcome"  # a widget install told us a code; exchange it
    FAREWELL = "farewell"  # Kommo says that our integration was switched off; look whether it was


class JobRow(Base):
    __tablename__ = "job"
    __table_args__ = (
        sa.Index(
            "uq_job_open_subject",
            "account_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        sa.Index(
            "uq_job_running_subject",
            "account_id",
            "subject",
            unique=True,
            sqlite_where=_RUNNING,
            postgresql_where=_RUNNING,
        ),
        sa.Index("ix_job_due", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    job_class: Mapped[int]
    state: Mapped[str] = mapped_column(default=JobState.WAITING)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)  # tries that count against the retry delays
    cause: Mapped[str] = mapped_column(default="")
    said: Mapped[str] = mapped_column(sa.Text, default="")  # the last outcome, for a person
    problems: Mapped[list[Any]] = mapped_column(default=list)
    fingerprint: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


@dataclass(frozen=True)
class NewJob:
    """Work on one subject ("deal:5512033"). ``payload`` is merged into an open job's."""

    account_id: int | None  # None: not known yet (a widget install before its token is read)
    kind: JobKind
    subject: str
    job_class: JobClass
    payload: dict[str, Any]
    due_at: datetime | None = None


def defer(session: Session, new: NewJob, now: datetime) -> int:
    """An open job on the subject, due at ``new.due_at`` or now; returns its id.

    An open one is used again: its payload takes the new keys, and without a ``due_at`` it becomes
    due now with its attempts reset. A running job does not count, so what arrives during a run
    always leaves a waiting job behind. The engine is woken after the commit.
    """
    session.info[WAKE] = True
    row = _open_job(session, new)
    if row is None:
        try:
            with session.begin_nested():
                row = _insert(session, new, now)
        except IntegrityError:  # another process was faster (PostgreSQL)
            row = _open_job(session, new)
            if row is None:
                raise
        else:
            return row.id
    row.payload = {**row.payload, **new.payload}
    row.job_class = min(row.job_class, new.job_class)
    if new.due_at is None:
        row.state, row.due_at, row.attempts = JobState.WAITING, now, 0
    row.updated_at = now
    session.flush()
    return row.id


def _open_job(session: Session, new: NewJob) -> JobRow | None:
    return session.scalar(
        sa.select(JobRow)
        .where(
            JobRow.account_id == new.account_id,
            JobRow.kind == new.kind,
            JobRow.subject == new.subject,
            JobRow.state.in_(OPEN_JOB_STATES),
        )
        .with_for_update()
    )


def _insert(session: Session, new: NewJob, now: datetime) -> JobRow:
    row = JobRow(
        account_id=new.account_id,
        kind=new.kind,
        subject=new.subject,
        job_class=new.job_class,
        payload=new.payload,
        due_at=new.due_at or now,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row


def has_open(session: Session, account_id: int, subject: str) -> bool:
    """Whether any job of this subject waits, retries, is parked or runs."""
    states = (*OPEN_JOB_STATES, JobState.RUNNING)
    return (
        session.scalar(
            sa.select(JobRow.id)
            .where(
                JobRow.account_id == account_id,
                JobRow.subject == subject,
                JobRow.state.in_(states),
            )
            .limit(1)
        )
        is not None
    )


def parked_on(session: Session, account_id: int, kind: JobKind, who: str) -> list[str]:
    """Subjects of parked jobs whose last reading named ``who`` ("contact:17")."""
    rows = session.scalars(
        sa.select(JobRow).where(
            JobRow.account_id == account_id,
            JobRow.kind == kind,
            JobRow.state == JobState.PARKED,
        )
    )
    return [row.subject for row in rows if who in row.payload.get("party", [])]


def due(session: Session, now: datetime, most: int) -> list[JobId]:
    """What may run now, by class, then by age; subjects that already run are left out."""
    running = sa.orm.aliased(JobRow)
    busy = sa.exists().where(
        running.account_id == JobRow.account_id,
        running.subject == JobRow.subject,
        running.state == JobState.RUNNING,
    )
    ids = session.scalars(
        sa.select(JobRow.id)
        .where(JobRow.state.in_((JobState.WAITING, JobState.RETRYING)), JobRow.due_at <= now, ~busy)
        .order_by(JobRow.job_class, JobRow.due_at, JobRow.id)
        .limit(most)
    )
    return [JobId(i) for i in ids]


def claim(session: Session, job_id: int, owner: str, now: datetime) -> JobRow | None:
    """The row, if the job is due, and nobody runs it or its subject; None otherwise."""
    try:
        with session.begin_nested():
            taken = rows_changed(
                session,
                sa.update(JobRow)
                .where(
                    JobRow.id == job_id,
                    JobRow.state.in_((JobState.WAITING, JobState.RETRYING)),
                    JobRow.due_at <= now,
                )
                .values(
                    state=JobState.RUNNING,
                    lease_owner=owner,
                    lease_until=now + LEASE,
                    updated_at=now,
                ),
            )
    except IntegrityError:  # uq_job_running_subject: the subject runs already
        return None
    return session.get(JobRow, job_id, populate_existing=True) if taken else None


def renew(session: Session, job_id: int, owner: str, now: datetime) -> bool:
    """The fence of every phase: whether the job is still ours. Lengthens the lease."""
    return (
        rows_changed(
            session,
            sa.update(JobRow)
            .where(JobRow.id == job_id, JobRow.lease_owner == owner)
            .values(lease_until=now + LEASE),
        )
        == 1
    )


def finish(session: Session, job_id: int, owner: str, now: datetime, **changes: Any) -> bool:
    """Put a running job into its next state, if it is still ours.

    Where the next state is open and an open job waits already, this one folds into it.
    """
    mine = sa.and_(JobRow.id == job_id, JobRow.lease_owner == owner)
    free = {"lease_owner": None, "lease_until": None, "updated_at": now}
    try:
        with session.begin_nested():
            update = sa.update(JobRow).where(mine).values(**changes, **free)
            return rows_changed(session, update) == 1
    except IntegrityError:
        update = sa.update(JobRow).where(mine).values(state=JobState.DONE, said="folded", **free)
        return rows_changed(session, update) == 1


def free_expired(session: Session, now: datetime) -> int:
    """Jobs whose runner died come back; one whose subject has a newer open job folds into it.

    A job that takes its process with it every time is parked: it may not stop the line.
    """
    expired = session.scalars(
        sa.select(JobRow).where(JobRow.state == JobState.RUNNING, JobRow.lease_until <= now)
    ).all()
    for row in expired:
        deaths = int(row.payload.get("deaths", 0)) + 1
        state: dict[str, Any] = {"state": JobState.WAITING, "due_at": now}
        if deaths >= MOST_DEATHS:
            state = {"state": JobState.PARKED, "cause": "bug", "said": f"died {deaths} times"}
        payload = {**row.payload, "deaths": deaths}
        finish(session, row.id, str(row.lease_owner), now, payload=payload, **state)
    return len(expired)


def any_expired(session: Session, now: datetime) -> bool:
    query = sa.select(JobRow.id).where(JobRow.state == JobState.RUNNING, JobRow.lease_until <= now)
    return session.scalar(query.limit(1)) is not None


def renew_of(session: Session, owner: str, ids: Sequence[int], now: datetime) -> None:
    """Lengthen the leases of one process's runs, up to LONGEST after their claim."""
    session.execute(
        sa.update(JobRow)
        .where(
            JobRow.id.in_(ids),
            JobRow.lease_owner.startswith(owner, autoescape=True),
            JobRow.updated_at > now - LONGEST,
        )
        .values(lease_until=now + LEASE)
    )


def free_all(session: Session, now: datetime) -> None:
    """Clear every lease: only for who holds the one-clock lock of an SQLite database, where
    whoever held a lease is dead."""
    session.execute(
        sa.update(JobRow).where(JobRow.state == JobState.RUNNING).values(lease_until=now)
    )
    free_expired(session, now)


def resume(session: Session, account_id: int, causes: Sequence[str], now: datetime) -> int:
    """The vendor is back: what waited for it is due now, with fresh attempts."""
    session.info[WAKE] = True
    return rows_changed(
        session,
        sa.update(JobRow)
        .where(
            JobRow.account_id == account_id,
            JobRow.state.in_((JobState.PARKED, JobState.RETRYING)),
            JobRow.cause.in_(causes),
        )
        .values(state=JobState.WAITING, due_at=now, attempts=0, updated_at=now),
    )


def next_due(session: Session, now: datetime, most: int) -> list[tuple[JobId, datetime]]:
    """The waiting retries of the future, for the engine's date jobs."""
    rows = session.execute(
        sa.select(JobRow.id, JobRow.due_at)
        .where(JobRow.state.in_((JobState.WAITING, JobState.RETRYING)), JobRow.due_at > now)
        .order_by(JobRow.due_at)
        .limit(most)
    )
    return [(JobId(i), at) for i, at in rows]


def of_account(
    session: Session, account_id: AccountId, kind: JobKind | None = None
) -> list[JobRow]:
    query = sa.select(JobRow).where(JobRow.account_id == account_id).order_by(JobRow.id)
    return list(session.scalars(query.where(JobRow.kind == kind) if kind else query))


def get(session: Session, job_id: int) -> JobRow | None:
    return session.get(JobRow, job_id)


def forget_before(session: Session, before: datetime, most: int) -> int:
    """Retention of what is over; left-out jobs stay as long as their events can be replayed."""
    old = (
        sa.select(JobRow.id)
        .where(JobRow.state.in_((JobState.DONE, JobState.LEFT_OUT)), JobRow.updated_at < before)
        .limit(most)
    )
    return rows_changed(session, sa.delete(JobRow).where(JobRow.id.in_(old.scalar_subquery())))
