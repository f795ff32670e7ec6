"""What the activity page asks and does: lists, counts, causes, one entry opened; try again, ignore.

Everything is of one account; another's id finds nothing. The buttons write rows alone; what comes
of it, jobs do.
"""

from dataclasses import dataclass
from datetime import datetime

from server.core.messages import N_
from server.core.said import Said, say
from server.core.states import DocumentState, Group, JobClass
from server.flows.again import Taken, again, all_of_cause
from server.flows.again_told import what_again_will_do
from server.flows.attempt import unsettled
from server.flows.world import World
from server.store import (
    accounts,
    activity,
    activity_causes,
    activity_counts,
    activity_detail,
    activity_entries,
    activity_marks,
    inbox,
    jobs,
    ledger,
)
from server.store.activity import Filter, Page, Place, read_place
from server.store.activity_causes import Cause
from server.store.activity_counts import Count, Counts
from server.store.activity_detail import Detail
from server.store.activity_entries import Entry, Ignored, Made, deal_in
from server.store.db import Session
from server.store.job_rows import JobKind, NewJob

__all__ = [
    "Cause",
    "Count",
    "Counts",
    "Detail",
    "Entry",
    "Filter",
    "Ignored",
    "Made",
    "MayExist",
    "Page",
    "Place",
    "Taken",
    "again",
    "all_of_cause",
    "causes",
    "counts",
    "ignore",
    "opened",
    "page",
    "read_place",
    "what_again_will_do",
]


MAY_EXIST = N_(
    "FreshBooks may have made this invoice (reference %(reference)s): its answer was lost. Try it "
    "again first: Billhook looks for it there, and keeps it if it was made."
)


class MayExist(Exception):
    """It cannot be ignored yet; ``said`` is why, for the page."""

    def __init__(self, said: Said) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True)
class Opened:
    """``entry`` is None where only events are known of the deal, or its jobs are forgotten.
    ``may_exist``: why it cannot be ignored yet."""

    entry: Entry | None
    detail: Detail
    may_exist: Said | None = None


def page(
    world: World, account_id: int, wanted: Filter, *, before: Place | None = None, most: int = 50
) -> Page:
    with world.database.read() as session:
        return activity.page(session, account_id, wanted, before=before, most=most)


def counts(world: World, account_id: int, since: datetime, until: datetime) -> Counts:
    """``since`` and ``until`` bound what is invoiced: the account's day."""
    with world.database.read() as session:
        return activity_counts.counts(session, account_id, since, until)


def causes(world: World, account_id: int) -> list[Cause]:
    with world.database.read() as session:
        return activity_causes.causes(session, account_id)


def opened(world: World, account_id: int, subject: str) -> Opened | None:
    """None: this account knows nothing of it."""
    with world.database.read() as session:
        detail = activity_detail.opened(session, account_id, subject)
        if detail is None:
            return None
        entry = _entry(session, account_id, subject)
        asks = entry is not None and entry.group is Group.ATTENTION
        may_exist = _may_exist(session, account_id, subject) if asks else None
        return Opened(entry, detail, may_exist)


def _entry(session: Session, account_id: int, subject: str) -> Entry | None:
    wanted = Filter(deal_id=deal_in(subject))
    if wanted.deal_id is not None:
        return next(iter(activity.page(session, account_id, wanted, most=1).entries), None)
    event = activity_marks.turned_away(session, account_id, subject)
    if event is not None:
        return activity_entries.of_events(session, [event.id])[event.id]
    open_jobs = activity_detail.open_jobs(session, account_id, subject)
    return activity_entries.of_job(open_jobs[0]) if open_jobs else None


def ignore(world: World, account_id: int, subject: str, by: str) -> bool:
    """Whether it needed attention. ``by`` is who says that it does not any more; open tasks at
    Kommo that asked for help are completed. Raises MayExist."""
    now = world.clock.now()
    with world.database.write() as session:
        may_exist = _may_exist(session, account_id, subject)
        if may_exist is not None:
            raise MayExist(may_exist)
        if not activity_marks.leave_out(session, account_id, subject, by, now):
            return False
        deal = str(deal_in(subject) or "")
        if deal and ledger.open_tasks(session, account_id, deal):
            said = {"result": f"Ignored by {by}."}
            kind, job_class = JobKind.TASKS_DONE, JobClass.WRITE_BACK
            jobs.defer(session, NewJob(account_id, kind, f"tasks:{deal}", job_class, said), now)
        if deal:  # a later hook of the deal, however it was mended, does not bill it
            inbox.ignore(session, account_id, int(deal), by)
    return True


def _may_exist(session: Session, account_id: int, subject: str) -> Said | None:
    """Why nobody may ignore it: a draft that nobody knows of would stay in the books. One that was
    begun in another business can only be looked for there, by a person."""
    deal = deal_in(subject)
    books = accounts.connection(session, account_id, "freshbooks")
    if deal is None or books is None:
        return None
    for row in ledger.of_source(session, account_id, "kommo", str(deal)):
        here = row.kind == "invoice" and row.home == f"freshbooks:{books.external_id}"
        if here and row.upstream_id is None and row.state != DocumentState.AMBIGUOUS:
            attempt = ledger.last_attempt(session, row.id)
            if attempt is not None and unsettled(attempt):
                return say(MAY_EXIST, reference=attempt.reference)
    return None
