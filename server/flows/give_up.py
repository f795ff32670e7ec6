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

WORDS = {
    "down": "{vendor} did not answer. Billhook keeps trying and will make the invoice by itself "
    "as soon as {vendor} is back; nothing is lost.",
    "bug": "Billhook stumbled over something unexpected. Nothing is lost: please tell whoever runs "
    "Billhook, who finds the details in the log and can try again.",
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
    if what == "down":
        _watch(session, run, vendor)
    if tell and run.job.kind in TOLD:
        _tell(session, run, cause, plain(cause, said, problems), problems)


def plain(cause: str, said: str, problems: Sequence[Problem]) -> str:
    """The cause in the words of a task."""
    if problems:
        return " ".join(str(problem) for problem in problems)
    vendor, _, what = cause.partition(":")
    words = WORDS.get(what or cause)
    return words.format(vendor=VENDORS.get(vendor, vendor)) if words else said


def _watch(session: Session, run: Run, vendor: str) -> None:
    if run.job.account_id is None:  # a widget install: its code expires before the vendor is back
        return
    row = accounts.connection(session, run.account_id, vendor)
    if row is None:
        return
    if row.down_since is None:
        accounts.mark_connection(session, row.id, down_since=run.now())
    due = run.now() + PROBE_EVERY
    probe = NewJob(
        run.account_id, JobKind.PROBE, f"connection:{vendor}", JobClass.SWEEP, {}, due_at=due
    )
    jobs.defer(session, probe, run.now())


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
