"""Job rows are the truth; an engine only wakes ``runner.run(job_id)``.

The row's lease alone excludes: one running job a subject (partial unique index), and every commit
of a run carries ``lease_owner = me``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.core.keys import AccountId, JobId
from server.core.said import say
from server.core.states import JobState
from server.store.copies import copy_of
from server.store.db import WAKE, is_duplicate, rows_changed, savepoint
from server.store.job_rows import OPEN, JobKind, JobRow, NewJob

__all__ = ["JobKind", "JobRow", "NewJob"]

LEASE = timedelta(seconds=20)
PER_ACCOUNT = 2  # running at once; Kommo's seven calls a second leave no room for more
DEATHS = "deaths"  # their count, in the payload
_JOB = cast("sa.Table", JobRow.__table__)
RACES = 5  # looks and inserts; to lose this often in a row, others must defer and claim meanwhile


def defer(session: Session, new: NewJob, now: datetime, *, none_seen: bool = False) -> int:
    """An open job on the subject, due at ``new.due_at`` or now; returns its id.

    An open one is used again: its payload takes the new keys, and without a ``due_at`` it becomes
    due now with its attempts reset; with one it comes then, unless it comes earlier anyway. A
    running job does not count, so what arrives during a run always leaves a waiting job behind.
    The engine is woken after the commit. ``none_seen``: this transaction has just found none open,
    so the insert is tried first.
    """
    session.info[WAKE] = True
    tries = 0
    while True:
        row = None if none_seen and not tries else _open_job(session, new)
        if row is not None:
            row.take_up(new, now)
            session.flush()
            return row.id
        try:
            with savepoint(session):
                return _insert(session, new, now)
        except IntegrityError as err:  # another was faster (PostgreSQL); its job may even run now
            tries += 1
            if tries == RACES or not is_duplicate(err):
                raise


def _open_job(session: Session, of: NewJob | JobRow) -> JobRow | None:
    """The open job of the same account, kind and subject, locked for a change. Mostly there is
    none, so the row is only read where there is one."""
    bound: dict[str, Any] = {"kind": of.kind, "subject": of.subject}
    if of.account_id is None:
        found = session.connection().execute(_OPEN_OF_NOBODY, bound).first()
    else:
        bound["account_id"] = of.account_id
        found = session.connection().execute(_OPEN_OF_ACCOUNT, bound).first()
    return session.get(JobRow, found.id, populate_existing=True) if found else None


_OPEN = (
    sa.select(_JOB.c.id)
    .where(
        _JOB.c.kind == sa.bindparam("kind"),
        _JOB.c.subject == sa.bindparam("subject"),
        OPEN,
    )
    .with_for_update()
)
_OPEN_OF_ACCOUNT = _OPEN.where(_JOB.c.account_id == sa.bindparam("account_id"))
_OPEN_OF_NOBODY = _OPEN.where(_JOB.c.account_id.is_(None))


def _insert(session: Session, new: NewJob, now: datetime) -> int:
    row = {**vars(new), "due_at": new.due_at or now, "created_at": now, "updated_at": now}
    key = session.connection().execute(_NEW, row).inserted_primary_key
    return int(key[0]) if key else 0


_NEW = sa.insert(_JOB)


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
    """What may run now, by class, then by age: at most PER_ACCOUNT of one account, those that run
    counted, so that one account's thousand deals do not stand in front of another's first."""
    found = session.connection().execute(_DUE, {"now": now, "most": most})
    return [JobId(row.id) for row in found]


def _due() -> sa.Select[tuple[int]]:
    """Built once: it is asked with every commit that makes a job due."""
    job, running = _JOB, _JOB.alias()
    of_account = sa.and_(
        running.c.account_id == job.c.account_id, running.c.state == JobState.RUNNING
    )
    order = (job.c.job_class, job.c.due_at, job.c.id)
    nth = sa.func.row_number().over(partition_by=job.c.account_id, order_by=order)
    ready = (
        sa.select(*order, job.c.account_id, nth.label("nth"))
        .where(
            job.c.state.in_((JobState.WAITING, JobState.RETRYING)),
            job.c.due_at <= sa.bindparam("now"),
            ~sa.exists().where(of_account, running.c.subject == job.c.subject),
        )
        .subquery()
    )
    busy = (
        sa.select(sa.func.count(running.c.id))
        .where(running.c.account_id == ready.c.account_id, running.c.state == JobState.RUNNING)
        .scalar_subquery()
    )
    return (
        sa.select(ready.c.id)
        # The first condition follows from the second, and spares the long line its count.
        .where(ready.c.nth <= PER_ACCOUNT, ready.c.nth + busy <= PER_ACCOUNT)
        .order_by(ready.c.job_class, ready.c.due_at, ready.c.id)
        .limit(sa.bindparam("most"))
    )


_DUE = _due()


def claim(session: Session, job_id: int, owner: str, now: datetime) -> JobRow | None:
    """A copy of the row, if the job is due, and nobody runs it or its subject; None otherwise."""
    bound = {"job_id": job_id, "owner": owner, "now": now, "until": now + LEASE}
    try:
        with savepoint(session):
            return copy_of(session, JobRow, _CLAIM, bound)
    except IntegrityError:  # uq_job_running_subject: the subject runs already
        return None


_CLAIM = (
    sa.update(_JOB)
    .where(
        _JOB.c.id == sa.bindparam("job_id"),
        _JOB.c.state.in_((JobState.WAITING, JobState.RETRYING)),
        _JOB.c.due_at <= sa.bindparam("now"),
    )
    .values(
        state=JobState.RUNNING,
        lease_owner=sa.bindparam("owner"),
        lease_until=sa.bindparam("until"),
        updated_at=sa.bindparam("now"),
    )
    .returning(*_JOB.c)
)


def renew(session: Session, job_id: int, owner: str, now: datetime) -> bool:
    """The fence of every phase: whether the job is still ours. Lengthens the lease."""
    bound = {"job_id": job_id, "owner": owner, "until": now + LEASE}
    return session.connection().execute(_RENEW, bound).rowcount == 1


_MINE = sa.and_(_JOB.c.id == sa.bindparam("job_id"), _JOB.c.lease_owner == sa.bindparam("owner"))
_RENEW = sa.update(_JOB).where(_MINE).values(lease_until=sa.bindparam("until"))


def finish(session: Session, job_id: int, owner: str, now: datetime, **changes: Any) -> bool:
    """Put a running job into its next state, if it is still ours.

    Where the next state is open and an open job waits already, this one folds into it.
    """
    if "payload" in changes:  # it ended by itself: the row of deaths is broken
        changes["payload"] = {k: v for k, v in changes["payload"].items() if k != DEATHS}
    return end(session, job_id, owner, now, changes)


def end(session: Session, job_id: int, owner: str, now: datetime, changes: dict[str, Any]) -> bool:
    """``finish`` without its last word on deaths."""
    free = {"lease_owner": None, "lease_until": None, "updated_at": now}
    mine = {"job_id": job_id, "owner": owner, **free}
    try:
        with savepoint(session):
            return session.connection().execute(_END, {**mine, **changes}).rowcount == 1
    except IntegrityError as err:
        if not is_duplicate(err):
            raise
        _fold(session, job_id, changes)
        folded = {"state": JobState.DONE, "said": say("Goes on in the step that waits.")}
        return session.connection().execute(_END, {**mine, **folded}).rowcount == 1


_END = sa.update(_JOB).where(_MINE)


def _fold(session: Session, job_id: int, changes: dict[str, Any]) -> None:
    """What the ending run was asked, and how urgently, goes on in the job that waits."""
    row = session.get_one(JobRow, job_id, populate_existing=True)
    waiting = _open_job(session, row)
    if waiting is not None:
        waiting.payload = {**changes.get("payload", row.payload), **waiting.payload}
        waiting.job_class = min(waiting.job_class, row.job_class)
        session.flush()


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
