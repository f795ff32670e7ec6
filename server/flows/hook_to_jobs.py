"""What a Kommo hook becomes: an event row, the entries that it proves, and jobs; one commit.

A hook is a hint, not data: the job re-reads the deal. What concerns nobody (a stage that no rule
names, of a deal without an open job) is kept as an event with that verdict and costs no call.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from server.core.settings import SettingsDocument
from server.core.states import DocumentState, JobClass
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import accounts, inbox, jobs, ledger
from server.store.accounts import HookRow
from server.store.db import Session
from server.store.inbox import Entered
from server.store.jobs import JobKind, NewJob
from server.vendors.kommo.hooks import Change, KommoHook, parse

KEPT_HEADERS = ("Content-Type", "User-Agent", "X-Amocrm-Requestid", "X-Request-Id")
HEARD_AGAIN = timedelta(seconds=10)  # often enough for "heard 2 minutes ago"
ENTERING = ("status", "add", "restore")  # actions that prove a place in the pipeline


def take(
    world: World, hook: HookRow, raw: bytes, content_type: str, headers: Mapping[str, str]
) -> str:
    """Keep the request and make its jobs; returns the verdict. Raises vendors' BadHook, and then
    nothing is stored."""
    told = parse(raw, content_type)
    now = world.clock.now()
    with world.database.write() as session:
        verdict = not_ours(session, hook.account_id, told)
        event_id = inbox.keep(
            session,
            account_id=hook.account_id,
            kind=hook.kind,
            headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
            body=raw,
            subjects=[[c.entity, c.action, c.id] for c in told.changes],
            verdict=verdict or "",
            left_out=verdict is not None,
            received_at=now,
        )
        if verdict is None:
            verdict = make_jobs(session, hook.account_id, told, now, event_id=event_id)
            inbox.judge(session, event_id, verdict)
        if hook.heard_at is None or now - hook.heard_at > HEARD_AGAIN:
            accounts.heard(session, hook.id, now)
    return verdict


def make_jobs(
    session: Session,
    account_id: int,
    told: KommoHook,
    now: datetime,
    *,
    event_id: int,
    replay: bool = False,
) -> str:
    """The entries and jobs of every change in one hook; says what was made."""
    document = settings_of(session, account_id)
    made = 0
    for change in told.changes:
        if change.entity == "leads":
            made += _of_deal(session, account_id, change, document, now, event_id, replay)
        elif change.action == "update":
            made += _of_person(session, account_id, change, now)
    return f"{made} of {len(told.changes)} to look at" if made else "concerns no rule"


def not_ours(session: Session, account_id: int, told: KommoHook) -> str | None:
    """Why the whole hook makes no job, if it does not."""
    state, external_id = accounts.standing(session, account_id, "kommo") or ("", "")
    if state in ("", "disconnected"):
        return "this account is not connected to Kommo"
    if told.account_id is not None and str(told.account_id) != external_id:
        return f"names another Kommo account ({told.account_id})"
    return None


def _of_deal(  # the parts of one hook, all of them
    session: Session,
    account_id: int,
    change: Change,
    document: SettingsDocument,
    now: datetime,
    event_id: int,
    replay: bool,
) -> bool:
    subject = f"deal:{change.id}"
    named = (change.pipeline_id, change.stage_id) in triggers(document)
    if named and change.action in ENTERING:
        _enter(session, account_id, change, now, event_id)
    if change.action == "restore":
        _show_again(session, account_id, change.id, now)
    if not named and not jobs.has_open(session, account_id, subject):
        return False
    if _billed(session, account_id, change.id) and not replay:
        return False
    payload = {"replay": True} if replay else {}
    new = NewJob(account_id, JobKind.DEAL_TO_INVOICE, subject, JobClass.HOOK, payload)
    jobs.defer(session, new, now)
    return True


def triggers(document: SettingsDocument) -> set[tuple[int | None, int | None]]:
    """Every (pipeline, stage) that a rule names, on or off."""
    return {(t.pipeline_id, t.stage_id) for rule in document.rules for t in rule.when}


def _enter(session: Session, account_id: int, change: Change, now: datetime, event_id: int) -> None:
    if change.pipeline_id is None or change.stage_id is None:
        return
    at = min(change.at or now, now)
    place = (change.pipeline_id, change.stage_id)
    entered = Entered(change.id, *place, at, event_id, received=change.at is None)
    inbox.enter(session, account_id, entered)


def _billed(session: Session, account_id: int, deal_id: int) -> bool:
    """Nothing is left to do for this deal: our own writes come back as hooks and end here."""
    documents = ledger.of_source(session, account_id, "kommo", str(deal_id))
    invoices = [row for row in documents if row.kind == "invoice"]
    return any(row.settled and row.state != DocumentState.AMBIGUOUS for row in invoices)


def _show_again(session: Session, account_id: int, deal_id: int, now: datetime) -> None:
    """A deal is back from the trash: what could not be written on it meanwhile is written now."""
    for row in ledger.of_source(session, account_id, "kommo", str(deal_id)):
        if row.kind == "invoice" and row.upstream_id is not None:
            subject, about = f"invoice:{row.id}", {"deal": str(deal_id)}
            kind = JobKind.INVOICE_TO_DEAL
            jobs.defer(session, NewJob(account_id, kind, subject, JobClass.HOOK, about), now)


def _of_person(session: Session, account_id: int, change: Change, now: datetime) -> int:
    """A contact or company was mended: deals parked on it are looked at again."""
    who = f"{'contact' if change.entity == 'contacts' else 'company'}:{change.id}"
    subjects = jobs.parked_on(session, account_id, JobKind.DEAL_TO_INVOICE, who)
    for subject in subjects:
        new = NewJob(account_id, JobKind.DEAL_TO_INVOICE, subject, JobClass.HOOK, {})
        jobs.defer(session, new, now)
    return len(subjects)
