"""A job is parked: a person hears of it, and where a vendor is down, its coming back is watched."""

from collections.abc import Sequence
from datetime import timedelta

from server.core.errors import Problem
from server.core.keys import problems_fingerprint
from server.core.states import JobClass
from server.flows.run import Run
from server.store import accounts, jobs
from server.store.db import Session
from server.store.jobs import JobKind, NewJob

PROBE_EVERY = timedelta(minutes=5)
TOLD = (JobKind.DEAL_TO_INVOICE, JobKind.INVOICE_TO_DEAL)
DOWN = ("down", "forbidden")  # of the connection; the others are of one call
# What goes on by itself when the vendor takes it again: every cause but access that has ended.
WATCHED = (*DOWN, "uncertain", "busy", "refused", "fields")

MENDED = "Billhook looks again as soon as the deal, its contact or its company is changed."
WORDS = {
    "down": "{vendor} did not answer. Nothing is lost: Billhook keeps trying and {goes_on} as soon "
    "as {vendor} is back.",
    "bug": "Billhook stumbled over something unexpected. Nothing is lost: please tell whoever runs "
    "Billhook, who finds the details in the log and can try again.",
}
KEEPS_TRYING = "{said} Nothing is lost: Billhook keeps trying and {goes_on} when that is solved."
GOES_ON = {
    JobKind.DEAL_TO_INVOICE: "will finish the invoice by itself",
    JobKind.INVOICE_TO_DEAL: "will show the invoice, which is made already, on the deal",
}
VENDORS = {"freshbooks": "FreshBooks", "kommo": "Kommo"}


def given_up(
    session: Session,
    run: Run,
    cause: str,
    said: str,
    problems: Sequence[Problem],
    *,
    tell: bool,
) -> None:
    """In the commit that parks the job: one task for the deal's responsible user, one probe for
    the vendor's connection."""
    vendor, _, what = cause.partition(":")
    if what in WATCHED:
        _watch(session, run, vendor, what)
    if what == "reconnect":
        _lost(session, run, vendor)
    if tell and run.job.kind in TOLD:
        words = plain(JobKind(run.job.kind), cause, said, problems)
        _tell(session, run, cause, words, problems)


def plain(kind: JobKind, cause: str, said: str, problems: Sequence[Problem]) -> str:
    """The cause in the words of a task."""
    if problems:
        return " ".join([*map(str, problems), MENDED])
    vendor, _, what = cause.partition(":")
    words = WORDS.get(what or cause, KEEPS_TRYING)
    return words.format(vendor=VENDORS.get(vendor, vendor), said=said, goes_on=GOES_ON[kind])


def _watch(session: Session, run: Run, vendor: str, what: str) -> None:
    if run.job.account_id is None:  # a widget install: its code expires before the vendor is back
        return
    row = accounts.connection(session, run.account_id, vendor)
    if row is None:
        return
    if row.down_since is None and what in DOWN:
        accounts.mark_connection(session, row.id, down_since=run.now())
    due = run.now() + PROBE_EVERY
    probe = NewJob(
        run.account_id, JobKind.PROBE, f"connection:{vendor}", JobClass.SWEEP, {}, due_at=due
    )
    jobs.defer(session, probe, run.now())


def _lost(session: Session, run: Run, vendor: str) -> None:
    """The connection says so where people look; its jobs wait. Where somebody connected during
    this run, the job was refused with the old access and goes on at once."""
    row = accounts.connection(session, run.account_id, vendor) if run.job.account_id else None
    if row is None or row.state != "connected":
        return
    if row.connected_at > run.job.updated_at:
        jobs.resume(session, run.account_id, [f"{vendor}:reconnect"], run.now())
    else:
        accounts.mark_connection(session, row.id, state="reconnect")


def _tell(session: Session, run: Run, cause: str, text: str, problems: Sequence[Problem]) -> None:
    deal = run.memory.get("deal") or run.job.subject.removeprefix("deal:")
    payload = {
        "deal": deal,
        "cause": problems_fingerprint(problems) if problems else cause,
        "text": text,
        "responsible": run.memory.get("responsible"),
        "for_job": run.job.id,
    }
    new = NewJob(run.account_id, JobKind.TELL_MANAGER, f"tell:{deal}", JobClass.WRITE_BACK, payload)
    jobs.defer(session, new, run.now())
