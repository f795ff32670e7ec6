"""A deal becomes an invoice; in each series that a rule names, one of its own.

The deal is read again (a hook is a hint), a rule decides, the mapping drafts, and the shared last
step issues. While an attempt is unsettled nothing is read and nothing decided: what was frozen
counts. What keeps one series from being billed keeps no other.
"""

from server.core import mapping
from server.core.errors import CannotBill, NotOurs
from server.core.keys import DealId
from server.core.messages import N_
from server.core.rules import Bill, Decision
from server.core.said import joined, say
from server.core.sale import Sale
from server.core.settings import SettingsDocument
from server.core.states import DocumentState
from server.flows import issue, product_lists
from server.flows.asked_fields import AskedFields
from server.flows.billed import Billed
from server.flows.issue import Plan
from server.flows.judge import Judge
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.flows.tasks_done import defer_completion
from server.store import settings
from server.store.deal_names import Names
from server.store.ledger import DocumentRow
from server.vendors.kommo.read import read_sale

MADE = {
    DocumentState.CREATED: N_("Invoice %(number)s is made, as a draft."),
    DocumentState.SENT: N_("Invoice %(number)s is made and sent."),
    DocumentState.MISMATCH: N_("Invoice %(number)s is made, but its total differs."),
    DocumentState.DELETED: N_("Invoice %(number)s was deleted in FreshBooks."),
}
EXISTS = N_("Invoice %(number)s is made.")


def deal_to_invoice(run: Run) -> str:
    deal_id = DealId(int(run.job.subject.removeprefix("deal:")))
    billed = Billed.of(run, deal_id)
    made = _bill_or_close(run, deal_id, billed)
    if billed.problems:
        raise CannotBill(billed.problems)
    return joined(dict.fromkeys(_told(document) for document in made))


def _told(document: DocumentRow) -> str:
    template = MADE.get(DocumentState(document.state), EXISTS)
    return say(template, number=document.number)


def _bill_or_close(run: Run, deal_id: DealId, billed: Billed) -> list[DocumentRow]:
    """Where nothing is left to bill, nobody is asked for help any more."""
    try:
        return _bill(run, deal_id, billed) or billed.done
    except NotOurs as left_out:
        if billed.done or billed.problems:  # of another series: that counts
            return billed.done
        with run.phase() as session:
            defer_completion(session, run, str(deal_id), f"Not billed: {left_out.reason}")
        raise


def _bill(run: Run, deal_id: DealId, billed: Billed) -> list[DocumentRow]:
    with run.world.database.read() as session:
        on = settings.switched_on(session, run.account_id)
        wanted = settings_of(session, run.account_id)
    if not on:
        raise NotOurs(say("no rule is on"))
    rules = [rule for rule in wanted.rules if rule.slug in on]
    purposes = billed.open_purposes(rules)
    if not purposes and billed.documents:
        return []
    sale = AskedFields(run, rules).told(_read(run, deal_id, wanted))
    judge = Judge(run, sale)
    made, reasons = [], []
    for purpose in purposes:
        among = [rule for rule in wanted.rules if rule.purpose == purpose]
        decision = judge.decide(among)
        if _is_answered(decision, billed) and judge.ask():
            decision = judge.decide(among)
        if isinstance(decision, Bill):
            for one in [*judge.earlier(decision), decision]:
                made += _issue(run, sale, wanted, one, billed)
        elif decision.problems:
            billed.refused(CannotBill(decision.problems))
        else:
            reasons.append(decision.reason)
    if any(rule.again for rule in rules) and not billed.problems:
        judge.settle(left_out=not made)
    if reasons and not made and not billed.problems:
        raise NotOurs(joined(dict.fromkeys(reasons)))
    return made


def _is_answered(decision: Decision, billed: Billed) -> bool:
    """Whether this entering has its invoice; a hook soon after it may have told of the next."""
    if not isinstance(decision, Bill) or not decision.rule.again:
        return False
    return billed.key_for(decision) is None


def _read(run: Run, deal_id: DealId, wanted: SettingsDocument) -> Sale:
    home = run.kommo_connection
    sale = read_sale(
        run.kommo,
        deal_id,
        currency=home.currency,
        timezone=home.timezone,
        product_catalogs=wanted.mapping.lines.catalogs or product_lists.ids_of(run),
    )
    if sale is None:
        raise NotOurs(say("the deal was deleted in Kommo"))
    run.remember(party=_party(sale), responsible=sale.responsible_user)
    run.note_names(deal_id, Names(sale.title, _called(sale)))
    return sale


def _issue(
    run: Run, sale: Sale, wanted: SettingsDocument, decision: Bill, billed: Billed
) -> list[DocumentRow]:
    """The invoice; none where this entering has its own already. Its problems are kept."""
    key = billed.key_for(decision)
    if key is None:
        return []
    rule = decision.rule
    try:
        today = run.now().date()  # by UTC: it bounds typing errors, a day more or less is no matter
        draft = mapping.draft(sale, wanted.mapping, action=rule.action, today=today)
        client = draft.client.name or _called(sale)
        named = int(sale.source_id), Names(sale.title, client)
        run.note_names(*named)
        plan = Plan(key, rule.slug, rule.action, wanted.mapping.numbering, named)
        document = issue.issue(run, draft, plan)
    except CannotBill as refused:
        billed.refused(refused)
        return []
    billed.done.append(document)
    return [document]


def _called(sale: Sale) -> str:
    """The company, else the contact, by name alone."""
    names = (sale.fields.get(key) for key in ("company.name", "contact.name"))
    return next((values[0].text for values in names if values), "")


def _party(sale: Sale) -> list[str]:
    """Whose mending makes a parked job worth another look."""
    ids = (("contact", sale.party.contact_id), ("company", sale.party.company_id))
    return [f"{kind}:{who}" for kind, who in ids if who is not None]
