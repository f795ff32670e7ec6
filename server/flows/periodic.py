"""What time brings by itself: event sweeps, the hourly look at the webhook, retention.

Called every few seconds by the engine; a slot row makes each stretch of time happen once, over
all processes.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from server.core.states import JobClass
from server.flows.world import World
from server.store import accounts, calls, deal_names, inbox, jobs, slots, tickets
from server.store.db import Session
from server.store.jobs import JobKind, NewJob

SWEEP_EVERY = timedelta(minutes=5)
EVERY = {
    "sweep": SWEEP_EVERY,
    "sweep-deaf": timedelta(minutes=1),  # of accounts whose plan has no webhooks
    "ensure": timedelta(hours=1),
}
KEEP_EVENTS = timedelta(days=30)
KEEP_CALLS = timedelta(days=14)
KEEP_JOBS = timedelta(days=30)
BATCH = 500


def defer_due(world: World) -> None:
    now = world.clock.now()
    with world.database.read() as session:
        due = [name for name, length in EVERY.items() if slots.due(session, name, length, now)]
    if not due:
        return
    with world.database.write() as session:
        taken = [name for name in due if slots.take(session, name, EVERY[name], now)]
        for name in taken:
            _defer(session, name, now)
    if "ensure" in taken:
        forget(world, now)


def _defer(session: Session, name: str, now: datetime) -> None:
    deaf = set(accounts.without_webhooks(session))
    for row in accounts.connected(session, "kommo"):
        if name == "ensure":
            _job(session, row.account_id, JobKind.ENSURE, "account", now)
        elif name == "sweep" or row.account_id in deaf:
            _job(session, row.account_id, JobKind.SWEEP_EVENTS, "events", now)


def _job(session: Session, account_id: int, kind: JobKind, subject: str, now: datetime) -> None:
    jobs.defer(session, NewJob(account_id, kind, subject, JobClass.SWEEP, {}), now)


def forget(world: World, now: datetime) -> None:
    """Retention, a short transaction a batch; documents, attempts and settings versions stay for
    ever."""
    every: tuple[Callable[[Session], int], ...] = (
        lambda session: inbox.forget_before(session, now - KEEP_EVENTS, BATCH),
        lambda session: calls.forget_before(session, now - KEEP_CALLS, BATCH),
        lambda session: jobs.forget_before(session, now - KEEP_JOBS, BATCH),
        lambda session: deal_names.forget_before(session, now - KEEP_JOBS, BATCH),
        lambda session: tickets.forget_expired(session, now, BATCH),
    )
    for forget_some in every:
        gone = BATCH
        while gone == BATCH:
            with world.database.write() as session:
                gone = forget_some(session)
    with world.database.write() as session:
        slots.forget_before(session, now - KEEP_CALLS)
