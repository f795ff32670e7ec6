"""Replay from the inbox: what was left out or parked is looked at again, safely.

A replayed deal is judged without regard to when a rule was switched on; the ledger keeps it from
being billed twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.flows.hook_to_jobs import not_ours, take_again
from server.flows.world import World
from server.store import accounts, activity_marks, inbox, jobs
from server.store.db import Session
from server.store.inbox import EventRow
from server.store.jobs import JobKind, JobRow, NewJob
from server.vendors.kommo.hooks import BadHook, parse

BATCH = 100  # a commit; hooks wait for it on SQLite, and have two seconds
KOMMO_HOOKS = ("kommo", "kommo-dp")


@dataclass(frozen=True)
class Wanted:
    """Which of an account's past to look at again; None: no bound."""

    account_id: int
    since: datetime | None = None
    until: datetime | None = None
    state: JobState | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Replayed:
    """One thing that is (or, on a dry run, would be) looked at again."""

    subject: str
    why: str


def replay(world: World, wanted: Wanted, *, dry_run: bool = False) -> list[Replayed]:
    """By job where a state or cause is named, else by the inbox's events; a batch a commit, so
    that hooks are taken meanwhile."""
    with world.database.read() as session:
        chosen = list(_chosen(session, wanted))
        event_ids = [] if _by_job(wanted) else [event.id for event in _events(session, wanted)]
    if dry_run:
        return chosen
    now = world.clock.now()
    subjects = [one.subject for one in chosen] if _by_job(wanted) else []
    for start in range(0, max(len(subjects), len(event_ids)), BATCH):
        with world.database.write() as session:
            for subject in subjects[start : start + BATCH]:
                _again(session, wanted.account_id, subject, now)
            for event in inbox.by_ids(session, event_ids[start : start + BATCH]):
                take_event_again(session, event, now)
    return chosen


def _by_job(wanted: Wanted) -> bool:
    return wanted.state is not None or wanted.cause is not None


def _chosen(session: Session, wanted: Wanted) -> Iterator[Replayed]:
    if _by_job(wanted):
        for job in _jobs(session, wanted):
            yield Replayed(job.subject, job.said)
        return
    for event in _events(session, wanted):
        for entity, action, entity_id in event.subjects:
            if entity == "leads":
                yield Replayed(f"deal:{entity_id}", f"{action}: {event.verdict}")


def _events(session: Session, wanted: Wanted) -> Iterator[EventRow]:
    yield from inbox.events(
        session,
        account_id=wanted.account_id,
        since=wanted.since,
        until=wanted.until,
        kinds=KOMMO_HOOKS,
    )


def _jobs(session: Session, wanted: Wanted) -> list[JobRow]:
    rows = jobs.of_account(session, AccountId(wanted.account_id), JobKind.DEAL_TO_INVOICE)
    return [
        row
        for row in rows
        if (wanted.state is None or row.state == wanted.state)
        and (wanted.cause is None or row.cause == wanted.cause)
        and (wanted.since is None or row.updated_at >= wanted.since)
        and (wanted.until is None or row.updated_at < wanted.until)
    ]


def _again(session: Session, account_id: int, subject: str, now: datetime) -> None:
    payload = {"replay": True}
    new = NewJob(account_id, JobKind.DEAL_TO_INVOICE, subject, JobClass.BACKFILL, payload)
    activity_marks.reopen(session, account_id, subject)
    jobs.defer(session, new, now)


def take_event_again(session: Session, event: EventRow, now: datetime) -> None:
    try:
        told = parse(event.body, str(event.headers.get("Content-Type", "")))
    except BadHook:  # accepted by an older version; nothing to learn from it
        return
    tie = accounts.connection(session, event.account_id, "kommo")
    if tie is not None and not_ours(tie.state, tie.external_id, told) is None:
        take_again(session, event.account_id, told, now, event.id)
        activity_marks.taken_up(session, event.id)
