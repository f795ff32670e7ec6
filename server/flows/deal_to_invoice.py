"""A deal becomes an invoice.

The deal is read again (a hook is a hint), a rule decides, the mapping drafts, and the shared last
step issues. While an attempt is unsettled nothing is read and nothing decided: what was frozen
counts.
"""

from server.core import mapping, rules
from server.core.errors import NotOurs
from server.core.keys import DealId
from server.core.rules import Bill, Decision, Entry
from server.core.sale import Sale
from server.core.settings import SettingsDocument
from server.flows import issue, pipelines, product_lists
from server.flows.entered import entered
from server.flows.hook_to_jobs import triggers
from server.flows.issue import Plan
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.flows.tasks_done import defer_completion
from server.store import inbox, settings
from server.store.ledger import DocumentRow, Key
from server.vendors.kommo.read import read_sale


def deal_to_invoice(run: Run) -> str:
    deal_id = DealId(int(run.job.subject.removeprefix("deal:")))
    key = Key(run.account_id, "kommo", str(deal_id), "invoice")
    document = issue.resume(run, key)
    if document is None:
        document = _bill_or_close(run, deal_id, key)
    return f"{document.state} {document.number}".strip()


def _bill_or_close(run: Run, deal_id: DealId, key: Key) -> DocumentRow:
    """Where nothing is left to bill, nobody is asked for help any more."""
    try:
        return _bill(run, deal_id, key)
    except NotOurs as left_out:
        with run.phase() as session:
            defer_completion(session, run, str(deal_id), f"Not billed: {left_out.reason}")
        raise


def _bill(run: Run, deal_id: DealId, key: Key) -> DocumentRow:
    with run.world.database.read() as session:
        if not settings.switched_on(session, run.account_id):
            raise NotOurs("no rule is on")
        wanted = settings_of(session, run.account_id)
    home = run.kommo_connection
    sale = read_sale(
        run.kommo,
        deal_id,
        currency=home.currency,
        timezone=home.timezone,
        product_catalogs=wanted.mapping.lines.catalogs or product_lists.ids_of(run),
    )
    if sale is None:
        raise NotOurs("the deal was deleted in Kommo")
    run.remember(party=_party(sale), responsible=sale.responsible_user)
    decision = _decide(run, sale, wanted)
    if not isinstance(decision, Bill):
        raise NotOurs(decision.reason)
    rule = decision.rule
    draft = mapping.draft(sale, wanted.mapping, action=rule.action)
    plan = Plan(key, rule.slug, rule.action, wanted.mapping.numbering)
    return issue.issue(run, draft, plan)


def _party(sale: Sale) -> list[str]:
    """Whose mending makes a parked job worth another look."""
    ids = (("contact", sale.party.contact_id), ("company", sale.party.company_id))
    return [f"{kind}:{who}" for kind, who in ids if who is not None]


def _decide(run: Run, sale: Sale, wanted: SettingsDocument) -> Decision:
    """By the entries that hooks proved; if those do not suffice, Kommo's own events are asked."""
    decision = _decide_by(run, sale, wanted)
    place = (sale.place.pipeline_id, sale.place.stage_id)
    if isinstance(decision, Bill) or place not in triggers(wanted):
        return decision
    return _decide_by(run, sale, wanted) if _prove(run, sale) else decision


def _decide_by(run: Run, sale: Sale, wanted: SettingsDocument) -> Decision:
    with run.world.database.read() as session:
        rows = inbox.entries(session, run.account_id, int(sale.source_id))
        switched_on = settings.switched_on(session, run.account_id)
        named_since = settings.named_since(session, run.account_id)
    return rules.decide(
        sale,
        wanted.rules,
        [Entry(row.pipeline_id, row.stage_id, row.at, row.id) for row in rows],
        switched_on,
        stages=pipelines.stage_order(run, sale.place),
        named_since=named_since,
        replay=bool(run.job.payload.get("replay")),
    )


def _prove(run: Run, sale: Sale) -> bool:
    """Ask Kommo when the deal entered its stages since a rule is on; whether that was news."""
    with run.world.database.read() as session:
        since = min(settings.switched_on(session, run.account_id).values(), default=None)
    if since is None:
        return False
    deal_id = int(sale.source_id)
    told = run.kommo.stage_events(since=since, deal_ids=[deal_id])
    with run.phase() as session:
        news = [
            inbox.enter(session, run.account_id, entry)
            for entry in entered(told, {deal_id: sale.place})
        ]
    return any(news)
