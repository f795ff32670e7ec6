"""What a Kommo hook becomes: an event row, the entries that it proves, and jobs; one commit.

A hook is a hint, not data: the job re-reads the deal. What concerns nobody (a stage that no rule
names, of a deal without an open job) is kept as an event with that verdict and costs no call.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.core.said import say
from server.core.settings import Rule, SettingsDocument
from server.core.states import DocumentState, JobClass
from server.flows.settings_of import read_back
from server.flows.world import World
from server.store import accounts, first_look, inbox, jobs, ledger, settings
from server.store.db import Session
from server.store.first_look import Known
from server.store.inbox import Entered
from server.store.jobs import JobKind, NewJob
from server.vendors.kommo.hooks import Change, KommoHook, parse

KEPT_HEADERS = ("Content-Type", "User-Agent", "X-Amocrm-Requestid", "X-Request-Id")
HEARD_AGAIN = timedelta(seconds=10)  # often enough for "heard 2 minutes ago"
NO_RULE = say("concerns no rule")  # the verdict on what nobody has to look at
ENTERING = ("status", "add", "restore")  # actions that prove a place in the pipeline


@dataclass
class Plan:
    """What one hook leaves behind, found out before anything is written, so that its event is
    inserted with its verdict."""

    replay: bool = False
    rules: tuple[Rule, ...] = ()
    looked_at: int = 0  # changes
    known: dict[int, Known] = field(default_factory=dict)  # deals
    entering: list[Change] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)  # deals
    deals: dict[int, Known] = field(default_factory=dict)  # to look at
    mended: list[str] = field(default_factory=list)  # subjects that are parked on whom it names


def take(
    world: World, kind: str, key: str, raw: bytes, content_type: str, headers: dict[str, str]
) -> str | None:
    """Keep the request and make its jobs; returns the verdict, None where the key is nobody's.
    Raises vendors' BadHook. In both cases nothing is stored. ``headers``: of KEPT_HEADERS."""
    told = parse(raw, content_type)
    now = world.clock.now()
    with world.database.write() as session:
        hook = first_look.hook_by_key(session, kind, key)
        if hook is None:
            return None
        refused = not_ours(hook.state, hook.external_id, told)
        plan = Plan() if refused else _plan(session, hook.account_id, told, hook.settings)
        verdict = refused or _verdict(plan, told)
        kept = {"account_id": hook.account_id, "kind": kind, "headers": headers, "body": raw}
        kept["subjects"] = [[c.entity, c.action, c.id] for c in told.changes]
        kept |= {"verdict": verdict, "left_out": refused is not None, "received_at": now}
        _carry_out(session, hook.account_id, plan, now, inbox.keep(session, **kept))
        if hook.heard_at is None or now - hook.heard_at > HEARD_AGAIN:
            accounts.heard(session, hook.id, now)
    return verdict


def take_again(
    session: Session, account_id: int, told: KommoHook, now: datetime, event_id: int
) -> None:
    """A replayed event: its entries and jobs once more, also of deals that are billed."""
    text = settings.current_text(session, account_id)
    plan = _plan(session, account_id, told, text, replay=True)
    _carry_out(session, account_id, plan, now, event_id)


def not_ours(state: str, external_id: str, told: KommoHook) -> str | None:
    """Why the whole hook makes no job, if it does not: by the account's connection to Kommo."""
    if state in ("", "disconnected"):
        return say("this account is not connected to Kommo")
    if told.account_id is not None and str(told.account_id) != external_id:
        return say("names another Kommo account (%(number)s)", number=told.account_id)
    return None


def _plan(
    session: Session, account_id: int, told: KommoHook, text: str | None, *, replay: bool = False
) -> Plan:
    document = read_back(text) if text is not None else None
    plan = Plan(replay, document.rules if document else ())
    named = triggers(document) if document else set()
    for change in told.changes:
        if change.entity == "leads":
            at_trigger = (change.pipeline_id, change.stage_id) in named
            plan.looked_at += _plan_deal(session, account_id, plan, change, at_trigger)
        elif change.action == "update":
            plan.looked_at += _plan_person(session, account_id, plan, change)
    return plan


def _verdict(plan: Plan, told: KommoHook) -> str:
    if not plan.looked_at:
        return NO_RULE
    return say("%(some)s of %(all)s to look at", some=plan.looked_at, all=len(told.changes))


def _plan_deal(
    session: Session, account_id: int, plan: Plan, change: Change, at_trigger: bool
) -> bool:
    if change.id not in plan.known:
        plan.known[change.id] = first_look.of_deal(session, account_id, change.id)
    known = plan.known[change.id]
    if at_trigger and change.action in ENTERING:
        plan.entering.append(change)
    if change.action == "restore":
        plan.restored.append(change.id)
    if not at_trigger and not known.in_work and change.id not in plan.deals:
        return False
    if known.has_documents and not plan.replay and _billed(session, account_id, plan, change):
        return False
    plan.deals[change.id] = known
    return True


def _plan_person(session: Session, account_id: int, plan: Plan, change: Change) -> int:
    """A contact or company was mended: deals parked on it are looked at again."""
    who = f"{'contact' if change.entity == 'contacts' else 'company'}:{change.id}"
    subjects = jobs.parked_on(session, account_id, JobKind.DEAL_TO_INVOICE, who)
    plan.mended += subjects
    return len(subjects)


def _carry_out(session: Session, account_id: int, plan: Plan, now: datetime, event_id: int) -> None:
    entered: set[int] = set()
    for change in plan.entering:
        new = not plan.known[change.id].has_entries and change.id not in entered
        _enter(session, account_id, change, now, event_id, new)
        entered.add(change.id)
    for deal_id in plan.restored:
        _show_again(session, account_id, deal_id, now)
    payload = {"replay": True} if plan.replay else {}
    for deal_id, known in plan.deals.items():
        wanted = _look(account_id, f"deal:{deal_id}", payload)
        jobs.defer(session, wanted, now, none_seen=not known.in_work)
    for subject in dict.fromkeys(plan.mended):
        jobs.defer(session, _look(account_id, subject, {}), now)


def _look(account_id: int, subject: str, payload: dict[str, Any]) -> NewJob:
    return NewJob(account_id, JobKind.DEAL_TO_INVOICE, subject, JobClass.HOOK, payload)


def triggers(document: SettingsDocument) -> set[tuple[int | None, int | None]]:
    """Every (pipeline, stage) that a rule names, on or off."""
    return {(t.pipeline_id, t.stage_id) for rule in document.rules for t in rule.when}


def _enter(  # one entry, and how sure we are that it is the deal's first
    session: Session, account_id: int, change: Change, now: datetime, event_id: int, first: bool
) -> None:
    if change.pipeline_id is None or change.stage_id is None:
        return
    at = min(change.at or now, now)
    place = (change.pipeline_id, change.stage_id)
    entered = Entered(change.id, *place, at, event_id, received=change.at is None)
    inbox.enter(session, account_id, entered, none_seen=first)


def _billed(session: Session, account_id: int, plan: Plan, change: Change) -> bool:
    """Nothing is left to do for this deal: our own writes come back as hooks and end here.

    Where rules bill a deal more than once, those that name the stage are asked, and what is under
    way is looked at.
    """
    documents = ledger.of_source(session, account_id, "kommo", str(change.id))
    settled = {
        row.purpose
        for row in documents
        if row.kind == "invoice" and row.settled and row.state != DocumentState.AMBIGUOUS
    }
    again, purposes = any(r.again for r in plan.rules), {r.purpose for r in plan.rules}
    if not again and len(purposes) < 2:
        return bool(settled) and purposes <= settled
    place = (change.pipeline_id, change.stage_id)
    here = [r for r in plan.rules if place in {(t.pipeline_id, t.stage_id) for t in r.when}]
    if plan.known[change.id].in_work or (change.action in ENTERING and any(r.again for r in here)):
        return False
    return {rule.purpose for rule in here} <= settled


def _show_again(session: Session, account_id: int, deal_id: int, now: datetime) -> None:
    """A deal is back from the trash: what could not be written on it meanwhile is written now."""
    for row in ledger.of_source(session, account_id, "kommo", str(deal_id)):
        if row.kind == "invoice" and row.upstream_id is not None:
            subject, about = f"invoice:{row.id}", {"deal": str(deal_id)}
            kind = JobKind.INVOICE_TO_DEAL
            jobs.defer(session, NewJob(account_id, kind, subject, JobClass.HOOK, about), now)
