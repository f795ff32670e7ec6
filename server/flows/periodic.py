"""What time brings by itself: event sweeps, the hourly look at the webhook, retention.

Called every few seconds by the engine; a slot row makes each stretch of time happen once, over
all processes.
"""

from datetime import datetime, timedelta

from server.core.states import JobClass
from server.flows.world import World
from server.store import accounts, calls, inbox, jobs, slots, tickets
from server.store.db import Session
from server.store.jobs import JobKind, NewJob

SWEEP_EVERY = timedelta(minutes=5)
ENSURE_EVERY = timedelta(hours=1)
KEEP_EVENTS = timedelta(days=30)
KEEP_CALLS = timedelta(days=14)
KEEP_JOBS = timedelta(days=30)
BATCH = 500


def defer_due(world: World) -> None:
    now = world.clock.now()
    with world.database.read() as session:
        due = (
            slots.due(session, "sweep", SWEEP_EVERY, now),
            slots.due(session, "ensure", ENSURE_EVERY, now),
        )
    if not any(due):
        return
    with world.database.write() as session:
        if slots.take(session, "sweep", SWEEP_EVERY, now):
            _defer_for_all(session, JobKind.SWEEP_EVENTS, "events", now)
        if slots.take(session, "ensure", ENSURE_EVERY, now):
            _defer_for_all(session, JobKind.ENSURE, "account", now)
            forget(session, now)


def _defer_for_all(session: Session, kind: JobKind, subject: str, now: datetime) -> None:
    for row in accounts.connected(session, "kommo"):
        jobs.defer(session, NewJob(row.account_id, kind, subject, JobClass.SWEEP, {}), now)


def forget(session: Session, now: datetime) -> None:
    """Retention, a batch at a time; documents, attempts and settings versions stay for ever."""
    inbox.forget_before(session, now - KEEP_EVENTS, BATCH)
    calls.forget_before(session, now - KEEP_CALLS, BATCH)
    jobs.forget_before(session, now - KEEP_JOBS, BATCH)
    slots.forget_before(session, now - KEEP_CALLS)
    tickets.forget_expired(session, now, BATCH)
