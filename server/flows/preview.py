"""The exact invoice that a deal would become by these settings, before anything exists.

Looks, and makes nothing: no call that writes, no row but those of the calls. Whatever a vendor
answers becomes a sentence; a page never fails on it.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from server.core import mapping
from server.core.client import draft_client
from server.core.errors import CannotBill, Outcome
from server.core.invoice import DraftClient
from server.core.money import exact
from server.core.rules import Entry
from server.core.said import joined, say
from server.core.sale import Sale
from server.core.settings import Rule, SettingsDocument
from server.core.sources import Problems, Reader
from server.core.vendor_lists import Lists
from server.core.would_bill import Circumstances, Verdict, verdict
from server.flows.find_deals import deal_url
from server.flows.glance import Deadline, Glance, in_words, look
from server.flows.previewed import DealFigures, Existing, Preview
from server.flows.read_deal import MEMORY, DealRead, last_read, patiently, read_deal
from server.flows.vendor_lists import lists_of
from server.flows.which_client import ClientChoice, which_client
from server.flows.world import World
from server.store import accounts, inbox, ledger, settings
from server.vendors.freshbooks.write import where_reference_goes

SECONDS = 8.0  # that a page waits for both vendors together

_GONE = say("The deal was deleted in Kommo, or was never there.")
_NO_CLIENT = ClientChoice("unknown", say("Who the client is depends on what is missing."))


def preview(  # the deal, what is tried on it, and how
    world: World,
    account_id: int,
    deal_id: int,
    document: SettingsDocument,
    *,
    rule_slug: str | None = None,
    fresh: bool = False,
    seconds: float = SECONDS,
) -> Preview:
    """By ``document``, saved or not. ``rule_slug``: this rule alone decides. ``fresh`` reads the
    deal and the client again; otherwise both are kept a minute. Never raises an outcome."""
    within = Deadline(seconds)
    lists = lists_of(world, account_id, seconds=within.left())
    if not lists.is_known:
        return Preview(notices=(lists.notice,))
    read, said = _read(world, account_id, deal_id, sold(document, lists), fresh, within)
    if read is None or read.sale is None:
        return Preview(notices=(said or _GONE,))
    lists, sale = _with_its_stage(world, account_id, lists, read.sale, within)
    found = _judged(world, account_id, sale, document, rule_slug, lists)
    action, today = _action(found, document, rule_slug), _today(world, account_id)
    drafted, to_whom = _drafted(sale, document, action, today)
    return replace(
        drafted,
        deal=_figures(read, sale, lists),
        verdict=found,
        client=_client(world, account_id, to_whom, fresh=fresh, within=within),
        existing=_existing(world, account_id, deal_id),
        notices=tuple(filter(None, (lists.notice, said))),
    )


def _read(  # passed on as it came
    world: World,
    account_id: int,
    deal_id: int,
    catalogs: tuple[int, ...],
    fresh: bool,
    within: Deadline,
) -> tuple[DealRead | None, str]:
    """The deal, and why it may be old; None, and why it could not be read."""
    try:
        return read_deal(world, account_id, deal_id, catalogs, fresh=fresh, within=within), ""
    except Outcome as outcome:
        before, why = last_read(world, account_id, deal_id, catalogs), in_words(outcome)
        old = say("The deal is shown as it was read last.")
        return before, joined([why, old]) if before else why


def sold(document: SettingsDocument, lists: Lists) -> tuple[int, ...]:
    """The lists whose elements on a deal are its lines."""
    return document.mapping.lines.catalogs or tuple(lists.product_catalogs())


def _with_its_stage(
    world: World, account_id: int, lists: Lists, sale: Sale, within: Deadline
) -> tuple[Lists, Sale]:
    """The lists, read again where the deal's stage is newer than they are; and what it then is."""
    if not lists.stage_order().lists(sale.place):
        lists = lists_of(world, account_id, fresh=True, seconds=within.left())
    return lists, replace(sale, known=lists.known_fields)


def _figures(read: DealRead, sale: Sale, lists: Lists) -> DealFigures:
    pipeline = lists.pipeline(sale.place.pipeline_id)
    stage = lists.stage(sale.place.pipeline_id, sale.place.stage_id)
    return DealFigures(
        deal_id=int(sale.source_id),
        name=sale.title,
        amount=sale.amount.amount if sale.amount else None,
        products_total=_products_total(sale),
        products=len(sale.lines),
        currency=sale.currency,
        pipeline=pipeline.name if pipeline else "",
        stage=stage.name if stage else "",
        url=deal_url(read.host, int(sale.source_id)),
        read_at=read.read_at,
    )


def _products_total(sale: Sale) -> Decimal | None:
    prices = [line.unit_price for line in sale.lines if line.unit_price is not None]
    if not prices or len(prices) < len(sale.lines):
        return None
    with exact():
        return sum(
            (line.quantity * price for line, price in zip(sale.lines, prices, strict=True)),
            Decimal(0),
        )


def _judged(  # what is judged, by what
    world: World,
    account_id: int,
    sale: Sale,
    document: SettingsDocument,
    rule_slug: str | None,
    lists: Lists,
) -> Verdict:
    rules = [rule for rule in document.rules if rule_slug in (None, rule.slug)]
    with world.database.read() as session:
        rows = inbox.entries(session, account_id, int(sale.source_id))
        known = Circumstances(
            entries=[Entry(row.pipeline_id, row.stage_id, row.at, row.id) for row in rows],
            switched_on=settings.switched_on(session, account_id),
            stages=lists.stage_order(),
            now=world.clock.now(),
            named_since=settings.named_since(session, account_id),
        )
    return verdict(sale, rules, known)


def _action(found: Verdict, document: SettingsDocument, rule_slug: str | None) -> mapping.Action:
    """What is done with the invoice decides about its problems: an e-mail needs an address."""
    rule: Rule | None = found.rule
    if rule is None:
        asked = (one for one in document.rules if rule_slug in (None, one.slug))
        rule = next(asked, None)
    return rule.action if rule else "draft"


def _drafted(
    sale: Sale, document: SettingsDocument, action: mapping.Action, today: date
) -> tuple[Preview, DraftClient]:
    """The invoice or its problems, and whom it is for: that is known also where lines have some."""
    try:
        draft = mapping.draft(sale, document.mapping, action=action, today=today)
    except CannotBill as refused:
        with exact():
            to_whom = draft_client(Reader(sale, Problems()), document.mapping.client, action)
        return Preview(problems=refused.problems, today=today), to_whom
    reference = where_reference_goes(draft, document.mapping.numbering.kind)
    return Preview(draft=draft, today=today, reference=reference), draft.client


def _client(
    world: World, account_id: int, to_whom: DraftClient, *, fresh: bool, within: Deadline
) -> ClientChoice:
    if not to_whom.key:
        return _NO_CLIENT
    with world.database.read() as session:
        books = accounts.connection(session, account_id, "freshbooks")
    key = ("client", account_id, books.external_id if books else "", to_whom)
    kept: ClientChoice | None = None if fresh else MEMORY.get(world, key)
    if kept is not None:
        return kept

    def work(glance: Glance) -> ClientChoice:
        choice = which_client(glance, to_whom)
        MEMORY.put(world, key, choice)
        return choice

    try:
        what = f"freshbooks:client:{hash(to_whom)}"
        return patiently(
            world, key, fresh, lambda: look(world, account_id, what, work, within=within)
        )
    except Outcome as outcome:
        later = say("Who the client is will be known when the invoice is made.")
        return ClientChoice("unknown", joined([in_words(outcome), later]))


def _today(world: World, account_id: int) -> date:
    """The date that an invoice made now would have: the business's."""
    with world.database.read() as session:
        books = accounts.connection(session, account_id, "freshbooks")
    return world.clock.now().astimezone(ZoneInfo(books.timezone if books else "UTC")).date()


def _existing(world: World, account_id: int, deal_id: int) -> tuple[Existing, ...]:
    with world.database.read() as session:
        rows = ledger.of_source(session, account_id, "kommo", str(deal_id))
    return tuple(
        Existing(
            row.purpose,
            row.id,
            row.number,
            row.state,
            row.status,
            row.amount,
            row.currency,
            row.link,
        )
        for row in rows
        if row.kind == "invoice"
    )
