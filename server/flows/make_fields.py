"""The deal's fields that show the invoice, made on a person's click: the account's ensure job, and
how far it has come. A page never makes them itself."""

from dataclasses import dataclass

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.flows.world import World
from server.store import jobs
from server.store.activity_entries import said_by
from server.store.jobs import JobKind, NewJob


@dataclass(frozen=True)
class Progress:
    """``state``: "working", "done", "waits" (it is tried again by itself), "unsaved" (other
    fields are meant than were saved) or "" (never asked)."""

    state: str
    said: str = ""


def ask(world: World, account_id: int) -> None:
    """The saved settings say which fields. Asked twice, it is made once."""
    new = NewJob(account_id, JobKind.ENSURE, "account", JobClass.CLICK, {})
    with world.database.write() as session:
        jobs.defer(session, new, world.clock.now())


def progress(world: World, account_id: int) -> Progress:
    with world.database.read() as session:
        newest = jobs.of_account(session, AccountId(account_id), JobKind.ENSURE)[-1:]
    for job in newest:
        if job.state in (JobState.WAITING, JobState.RUNNING):
            return Progress("working")
        if job.state == JobState.DONE:
            return Progress("done")
        return Progress("waits", said_by(job))
    return Progress("")
