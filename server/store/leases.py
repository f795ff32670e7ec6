"""The leases of dead runners and of living ones: what a process does for all of its runs at once.

One run's own lease stands with its job, in ``store.jobs``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.states import JobState
from server.store import jobs
from server.store.jobs import DEATHS, LEASE, JobRow

LONGEST = timedelta(minutes=10)  # a run that lasts longer hangs, and is taken over
MOST_DEATHS = 5  # runs that ended with the process, in a row


def free_expired(session: Session, now: datetime) -> list[JobRow]:
    """Jobs whose runner died come back; one whose subject has a newer open job folds into it.

    A job that takes its process with it every time is parked: it may not stop the line. Returns
    those. Who renews its lease at this moment is alive, and passed over.
    """
    expired = session.scalars(
        sa.select(JobRow)
        .where(JobRow.state == JobState.RUNNING, JobRow.lease_until <= now)
        .with_for_update(skip_locked=True)
    ).all()
    for row in expired:
        deaths = int(row.payload.get(DEATHS, 0)) + 1
        state: dict[str, Any] = {"state": JobState.WAITING, "due_at": now}
        if deaths >= MOST_DEATHS:
            state = {"state": JobState.PARKED, "cause": "bug", "said": f"died {deaths} times"}
        state["payload"] = {**row.payload, DEATHS: deaths}
        jobs.end(session, row.id, str(row.lease_owner), now, state)
        session.refresh(row)
    return [row for row in expired if row.state == JobState.PARKED]


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


def free_all(session: Session, now: datetime) -> list[JobRow]:
    """Clear every lease, then ``free_expired``: only for who holds the one-clock lock of an
    SQLite database, where whoever held a lease is dead."""
    session.execute(
        sa.update(JobRow).where(JobRow.state == JobState.RUNNING).values(lease_until=now)
    )
    return free_expired(session, now)
