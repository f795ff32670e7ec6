"""Try again: what is taken up. What will come of it is told before, by ``flows.again_told``; both
rest on the same ``Known``, so that what is told is what is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.core.states import DocumentState, Group, JobClass
from server.flows import replay
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import activity, activity_detail, activity_marks, jobs, ledger
from server.store.activity import Entry, Filter
from server.store.activity_entries import deal_in
from server.store.db import Session
from server.store.job_rows import JobKind, JobRow, NewJob
from server.store.ledger import DocumentRow

BATCH = replay.BATCH  # a commit; hooks are taken meanwhile
MOMENT = timedelta(microseconds=1)  # what a clock that stands still parked just now is meant too
BY_A_PERSON = (DocumentState.MISMATCH, DocumentState.AMBIGUOUS)


@dataclass(frozen=True)
class Taken:
    """``n`` are taken up; with ``more`` the rest follows by itself."""

    n: int
    more: bool = False

    def __bool__(self) -> bool:
        return self.n > 0


def again(world: World, account_id: int, subjects: Sequence[str]) -> int:
    """Look at these again now, before everybody else's work; how many there were to look at. In
    batches, so that hooks are taken meanwhile. A stranger's subject is none."""
    taken = 0
    for start in range(0, len(subjects), BATCH):
        with world.database.write() as session:
            for subject in subjects[start : start + BATCH]:
                taken += _again(session, account_id, subject, world.clock.now())
    return taken


def all_of_cause(world: World, account_id: int, cause: str) -> Taken:
    """What needs attention for this cause (a ``Cause.key``): the newest at once, in one commit with
    the job that takes the rest."""
    now, wanted = world.clock.now(), Filter(Group.ATTENTION, cause=cause)
    with world.database.read() as session:
        found = activity.page(session, account_id, wanted, most=BATCH)
    with world.database.write() as session:
        taken = _all_of(session, account_id, found.entries, now, JobClass.CLICK)
        if found.older is not None:
            subject, since = f"cause:{cause}", {"asked_at": now.isoformat()}
            rest = NewJob(account_id, JobKind.ALL_AGAIN, subject, JobClass.CLICK, since)
            jobs.defer(session, rest, now)
    return Taken(taken, found.older is not None)


def all_again(run: Run) -> str:
    """The rest, a batch a commit. What came to need attention after the click is left alone, so
    that it ends; killed, it begins anew. New deals go before these: there may be thousands."""
    asked_at = datetime.fromisoformat(run.job.payload["asked_at"])
    wanted = Filter(
        Group.ATTENTION, cause=run.job.subject.removeprefix("cause:"), until=asked_at + MOMENT
    )
    taken, before = 0, None
    while True:
        with run.world.database.read() as session:
            found = activity.page(session, run.account_id, wanted, before=before, most=BATCH)
        with run.phase() as session:
            some = found.entries
            taken += _all_of(session, run.account_id, some, run.now(), JobClass.BACKFILL)
        if found.older is None:
            return f"{taken} tried again"
        before = found.older


def _all_of(
    session: Session, account_id: int, some: Iterable[Entry], now: datetime, job_class: JobClass
) -> int:
    """Of some that needed attention when they were read. Who has ignored one since was told that it
    stays so."""
    needing = (
        one.subject
        for one in some
        if activity_marks.needs_somebody(session, account_id, one.subject)
    )
    return sum(_again(session, account_id, subject, now, job_class) for subject in needing)


@dataclass(frozen=True)
class Known:
    """What the ledger and the jobs know of a deal: from it follows what *again* does.

    ``more``: rules bill a deal in several series, or again on re-entry.
    """

    deal: str
    open: tuple[JobRow, ...]  # waiting, retrying, parked
    last: JobRow | None
    invoices: tuple[DocumentRow, ...]  # oldest first
    more: bool

    @property
    def invoice(self) -> DocumentRow | None:
        """The newest: that which the deal shows."""
        return self.invoices[-1] if self.invoices else None

    @property
    def in_order(self) -> bool:
        made = [row.settled and row.state not in BY_A_PERSON for row in self.invoices]
        return bool(made) and all(made)

    @property
    def bills(self) -> bool:
        """Whether the deal's own job runs; else the invoice's link is written once more."""
        return not self.in_order or any(j.kind == JobKind.DEAL_TO_INVOICE for j in self.open)

    @property
    def writes(self) -> bool:
        shows = not self.bills and self.invoice is not None and bool(self.invoice.upstream_id)
        return shows or any(job.kind == JobKind.INVOICE_TO_DEAL for job in self.open)

    @property
    def tells(self) -> bool:
        return any(job.kind == JobKind.TELL_MANAGER for job in self.open)


def known_of(session: Session, account_id: int, deal_id: int) -> Known | None:
    """None: neither a job nor an invoice of this deal."""
    subject = f"deal:{deal_id}"
    past = activity_detail.jobs_about(session, account_id, subject)
    documents = ledger.of_source(session, account_id, "kommo", str(deal_id))
    invoices = [row for row in documents if row.kind == "invoice"]
    if not past and not invoices:
        return None
    return Known(
        str(deal_id),
        tuple(activity_detail.open_jobs(session, account_id, subject)),
        past[0] if past else None,
        tuple(invoices),
        _may_bill_more(session, account_id),
    )


def _may_bill_more(session: Session, account_id: int) -> bool:
    rules = settings_of(session, account_id).rules
    return len({rule.purpose for rule in rules}) > 1 or any(rule.again for rule in rules)


def _again(
    session: Session,
    account_id: int,
    subject: str,
    now: datetime,
    job_class: JobClass = JobClass.CLICK,
) -> bool:
    event = activity_marks.turned_away(session, account_id, subject)
    if event is not None:
        replay.take_event_again(session, event, now)
        return True
    deal_id = deal_in(subject)
    if deal_id is None:
        parked = activity_detail.open_jobs(session, account_id, subject)
        for job in parked:
            jobs.defer(session, _new(account_id, JobKind(job.kind), job.subject, job_class), now)
        return bool(parked)
    known = known_of(session, account_id, deal_id)
    if known is None:
        return False
    activity_marks.reopen(session, account_id, subject)
    for kind, of in _wanted(session, known, now):
        jobs.defer(session, _new(account_id, kind, of, job_class), now)
    return True


def _wanted(session: Session, known: Known, now: datetime) -> Iterable[tuple[JobKind, str]]:
    """Each kind and subject once; what is open is taken up, of whatever kind."""
    yield from ((JobKind(job.kind), job.subject) for job in known.open)
    kinds = {job.kind for job in known.open}
    if known.bills and JobKind.DEAL_TO_INVOICE not in kinds:
        yield JobKind.DEAL_TO_INVOICE, f"deal:{known.deal}"
    if known.writes and known.invoice is not None and JobKind.INVOICE_TO_DEAL not in kinds:
        ledger.record(session, known.invoice.id, now, written="")  # else it stands there already
        yield JobKind.INVOICE_TO_DEAL, f"invoice:{known.invoice.id}"


def _new(account_id: int, kind: JobKind, subject: str, job_class: JobClass) -> NewJob:
    replayed = {"replay": True} if kind == JobKind.DEAL_TO_INVOICE else {}
    return NewJob(account_id, kind, subject, job_class, replayed)
