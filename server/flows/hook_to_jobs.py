"""What a Kommo hook becomes: an event row, the entries that it proves, and jobs; one commit.

A hook is a hint, not data: the job re-reads the deal. What concerns nobody (a stage that no rule
names, of a deal without an open job) is kept as an event with that verdict and costs no call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from server.core.settings import SettingsDocument
from server.core.states import DocumentState, JobClass
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import accounts, first_look, inbox, jobs, ledger
from server.store.db import Session
from server.store.first_look import Hook
from server.store.inbox import Entered
from server.store.jobs import JobKind, NewJob
from server.vendors.kommo.hooks import Change, KommoHook, parse

KEPT_HEADERS = ("Content-Type", "User-Agent", "X-Amocrm-Requestid", "X-Request-Id")
HEARD_AGAIN = timedelta(seconds=10)  # often enough for "heard 2 minutes ago"
ENTERING = ("status", "add", "restore")  # actions that prove a place in the pipeline


@dataclass
class Plan:
    """What one hook leaves behind, found out before anything is written, so that its event is
    inserted with its verdict."""

    looked_at: int = 0
    entering: list[Change] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)  # deals
    jobs: dict[str, NewJob] = field(default_factory=dict)  # by subject


def take(
    world: World, hook: Hook, raw: bytes, content_type: str, headers: Mapping[str, str]
) -> str:
    """Keep the request and make its jobs; returns the verdict. Raises vendors' BadHook, and then
    nothing is stored."""
    told = parse(raw, content_type)
    now = world.clock.now()
    with world.database.write() as session:
        refused = not_ours(hook.state, hook.external_id, told)
        plan = Plan() if refused else _plan(session, hook.account_id, told, replay=False)
        verdict = refused or _verdict(plan, told)
        event_id = inbox.keep(
            session,
            account_id=hook.account_id,
            kind=hook.kind,
            headers={name: headers[name] for name in KEPT_HEADERS if name in headers},
            body=raw,
            subjects=[[c.entity, c.action, c.id] for c in told.changes],
            verdict=verdict,
            left_out=refused is not None,
            received_at=now,
        )
        _carry_out(session, hook.account_id, plan, now, event_id)
        if hook.heard_at is None or now - hook.heard_at > HEARD_AGAIN:
            accounts.heard(session, hook.id, now)
    return verdict


def take_again(
    session: Session, account_id: int, told: KommoHook, now: datetime, event_id: int
) -> None:
    """A replayed event: its entries and jobs once more, also of deals that are billed."""
    plan = _plan(session, account_id, told, replay=True)
    _carry_out(session, account_id, plan, now, event_id)


def not_ours(state: str, external_id: str, told: KommoHook) -> str | None:
    """Why the whole hook makes no job, if it does not: by the account's connection to Kommo."""
    if state in ("", "disconnected"):
        return "this account is not connected to Kommo"
    if told.account_id is not None and str(told.account_id) != external_id:
        return f"names another Kommo account ({told.account_id})"
    return None


def _plan(session: Session, account_id: int, told: KommoHook, *, replay: bool) -> Plan:
    plan, named = Plan(), triggers(settings_of(session, account_id))
    for change in told.changes:
        if change.entity == "leads":
            at_trigger = (change.pipeline_id, change.stage_id) in named
            _plan_deal(session, account_id, plan, change, at_trigger, replay)
        elif change.action == "update":
            _plan_person(session, account_id, plan, change)
    return plan


def _verdict(plan: Plan, told: KommoHook) -> str:
    if not plan.looked_at:
        return "concerns no rule"
    return f"{plan.looked_at} of {len(told.changes)} to look at"


def _plan_deal(
    session: Session, account_id: int, plan: Plan, change: Change, at_trigger: bool, replay: bool
) -> None:
    if at_trigger and change.action in ENTERING:
        plan.entering.append(change)
    if change.action == "restore":
        plan.restored.append(change.id)
    subject = f"deal:{change.id}"
    if subject not in plan.jobs:
        known = first_look.of_deal(session, account_id, change.id)
        if not at_trigger and not known.in_work:
            return
        if known.has_documents and not replay and _billed(session, account_id, change.id):
            return
        _look_at(plan, account_id, subject, {"replay": True} if replay else {})
    plan.looked_at += 1


def _plan_person(session: Session, account_id: int, plan: Plan, change: Change) -> None:
    """A contact or company was mended: deals parked on it are looked at again."""
    who = f"{'contact' if change.entity == 'contacts' else 'company'}:{change.id}"
    for subject in jobs.parked_on(session, account_id, JobKind.DEAL_TO_INVOICE, who):
        if subject not in plan.jobs:
            _look_at(plan, account_id, subject, {})
            plan.looked_at += 1


def _look_at(plan: Plan, account_id: int, subject: str, payload: dict[str, Any]) -> None:
    kind = JobKind.DEAL_TO_INVOICE
    plan.jobs[subject] = NewJob(account_id, kind, subject, JobClass.HOOK, payload)


def _carry_out(session: Session, account_id: int, plan: Plan, now: datetime, event_id: int) -> None:
    for change in plan.entering:
        _enter(session, account_id, change, now, event_id)
    for deal_id in plan.restored:
        _show_again(session, account_id, deal_id, now)
    for new in plan.jobs.values():
        jobs.defer(session, new, now)


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
