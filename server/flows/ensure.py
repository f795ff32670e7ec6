"""Kommo has what Billhook needs: the webhook with its events, and the fields that are written.

Runs on connect and hourly; a hook that Kommo disabled is subscribed again, and what was missed
meanwhile is fetched from its events.
"""

from server.core.errors import Certainty, TryLater
from server.core.keys import AccountId
from server.core.states import JobClass
from server.flows import deal_fields
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import accounts, jobs
from server.store.db import Session
from server.store.jobs import JobKind, NewJob
from server.vendors.kommo.records import Webhook

EVENTS = (
    "add_lead",
    "status_lead",
    "update_lead",
    "restore_lead",
    "delete_lead",
    "update_contact",
    "update_company",
)


def hook_url(world: World, session: Session, account_id: AccountId, kind: str) -> str:
    """The account's secret URL for hooks of this kind."""
    key = accounts.hook_key(session, world.vault, account_id, kind)
    return f"{world.public_url}/hooks/{kind}/{key}"


def ensure(run: Run) -> str:
    with run.phase() as session:
        url = hook_url(run.world, session, run.account_id, "kommo")
        into = settings_of(session, run.account_id).mapping.write_back
    before = run.kommo.webhook(url)
    healthy = before is not None and not before.disabled and set(EVENTS) <= set(before.settings)
    hook = before if healthy else _subscribe(run, url)
    deal_fields.ensure(run, deal_fields.specs_of(into))
    with run.phase() as session:
        upstream_id = str(hook.id) if hook else None
        accounts.checked(session, run.account_id, "kommo", upstream_id, run.now())
        if not healthy:
            sweep = NewJob(run.account_id, JobKind.SWEEP_EVENTS, "events", JobClass.SWEEP, {})
            jobs.defer(session, sweep, run.now())
    if hook is None:
        return "Kommo's plan has no webhooks: its events are read every minute"
    return "in place" if healthy else "subscribed"


def _subscribe(run: Run, url: str) -> Webhook | None:
    """None where the account's plan has no webhooks."""
    try:
        return run.kommo.ensure_webhook(url, EVENTS)
    except TryLater as refused:
        if refused.cause == "kommo:forbidden" and refused.certainty is Certainty.REFUSED:
            return None
        raise
