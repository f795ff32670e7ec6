"""The exact invoice before it exists: what, by which rule, for whom; and nothing is made."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from server.core.settings import validate
from server.flows import glance
from server.flows.preview import preview
from server.store.db import Base
from tests.flows.looking_ahead import look
from tests.rig import Rig
from tests.stories.shop import RULE, Shop

PROVEN = ("call", "vendor_cache")  # the only tables that a look may write


@pytest.fixture
def shop(rig: Rig) -> Iterator[Shop]:
    """What goes on behind a look ends with its test."""
    yield Shop(rig)
    assert glance.settle()


def rows(rig: Rig) -> dict[str, list[Any]]:
    """Everything in the database but what a look may note."""
    with rig.database.read() as session:
        return {
            name: [tuple(row) for row in session.execute(sa.select(table)).all()]
            for name, table in Base.metadata.tables.items()
            if name not in PROVEN
        }


def test_the_draft_is_the_invoice_that_is_then_made(shop: Shop) -> None:
    chair = shop.product("12.50")
    taxes = {"taxes": {"fixed": [{"name": "VAT", "percent": "21"}]}}
    shop.rig.settings(shop.document("mark_sent", taxes))
    deal = shop.deal("25.00", products=[(chair.id, 2)])
    seen = look(shop, deal, taxes)
    assert (seen.problems, seen.notices) == ((), ())
    assert seen.draft is not None
    assert seen.draft.totals.total == Decimal("30.25")
    shop.issue(deal)
    (invoice,) = shop.invoices
    assert invoice["amount"] == seen.draft.totals.total
    assert seen.draft.lines[0].name == "Chair"


def test_nothing_is_written_at_either_vendor_or_here(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.rig.pump()
    before, events = rows(shop.rig), len(shop.kommo.events)
    vendors = shop.rig.sandbox.kommo, shop.rig.sandbox.freshbooks
    had = [len(vendor.calls) for vendor in vendors]
    seen = look(shop, deal)
    assert seen.draft is not None
    assert seen.client is not None
    assert seen.client.kind == "new"
    assert rows(shop.rig) == before
    assert (shop.clients, shop.invoices, len(shop.kommo.events)) == ([], [], events)
    made = [v.calls[count:] for v, count in zip(vendors, had, strict=True)]
    assert all(made)
    assert {call[0] for calls in made for call in calls} == {"GET"}
    assert shop.rig.sandbox.kommo.unknown_calls == []


def test_the_deals_own_figures_stand_beside(shop: Shop) -> None:
    chair, lamp = shop.product("12.50"), shop.product("3.00", "Lamp")
    deal = shop.deal("30.00", products=[(chair.id, 2), (lamp.id, "1.5")])
    figures = look(shop, deal).deal
    assert figures is not None
    assert (figures.amount, figures.products_total) == (Decimal("30.00"), Decimal("29.50"))
    assert (figures.products, figures.pipeline, figures.stage) == (2, "Sales", "Talks")
    assert figures.url.endswith(f"/leads/detail/{deal.id}")


def test_every_problem_is_told_and_still_who_the_client_is(shop: Shop) -> None:
    chair = shop.kommo.add_element(shop.products, "Chair")
    deal = shop.deal(products=[(chair.id, 1)])
    seen = look(shop, deal, {"due_days": {"text": "{deal.name}"}})
    assert seen.draft is None
    assert {problem.field for problem in seen.problems} == {"lines.1.price", "due_days"}
    assert seen.client is not None
    assert seen.client.kind == "new"
    nobody = shop.kommo.add_deal("Empty", "10", pipeline_id=shop.pipeline.id)
    seen = look(shop, nobody)
    assert [problem.field for problem in seen.problems] == ["client"]
    assert seen.client is not None
    assert seen.client.kind == "unknown"


def test_a_deal_in_the_stage_is_billed_one_elsewhere_would_be(shop: Shop) -> None:
    deal = shop.deal(stage="Issue invoice")
    there = look(shop, deal).verdict
    assert there is not None
    assert (there.bills, there.rule and there.rule.slug) == (True, RULE)
    assert "as if it entered now" in there.assumed
    elsewhere = look(shop, shop.deal()).verdict
    assert elsewhere is not None
    assert (elsewhere.bills, elsewhere.moves) == (False, True)


def test_a_proven_entry_is_taken_from_the_store(shop: Shop) -> None:
    deal = shop.deal()
    shop.rig.rule_off(RULE)
    shop.issue(deal)
    shop.rig.clock.advance(timedelta(minutes=10))
    shop.rig.rule_on(RULE)
    seen = look(shop, deal).verdict
    assert seen is not None
    assert (seen.bills, seen.assumed) == (False, "")
    assert "before the rule “Issue” was switched on" in seen.sentence


def test_a_rule_that_is_off_would_bill(shop: Shop) -> None:
    shop.rig.rule_off(RULE)
    seen = look(shop, shop.deal(stage="Issue invoice")).verdict
    assert seen is not None
    assert not seen.bills
    assert "would be billed by the rule “Issue”" in seen.sentence


def test_one_rule_can_be_tried_alone_with_what_it_does(shop: Shop) -> None:
    shop.rig.rule_off(RULE)
    body = shop.document("draft", {})
    offer = {"pipeline_id": shop.pipeline.id, "stage_id": shop.stage("Talks")}
    body["rules"].append({"slug": "mail", "name": "Mail", "when": [offer], "action": "email"})
    deal = shop.deal(contact=shop.contact(email=None))
    by_vat = {"client": {"match_by": "contact"}}
    body["mapping"] = by_vat
    world, account_id = shop.rig.world, shop.rig.account_id
    seen = preview(world, account_id, deal.id, validate(body), rule_slug="mail")
    assert seen.verdict is not None
    assert seen.verdict.rule is not None
    assert seen.verdict.rule.slug == "mail"
    assert [problem.field for problem in seen.problems] == ["client.email"]
    drafted = preview(world, account_id, deal.id, validate(body), rule_slug=RULE)
    assert drafted.problems == ()


def test_a_client_is_matched_by_email_and_the_oldest_of_several(shop: Shop) -> None:
    acme = shop.rig.books.add_client(email="ann@acme.test", organization="Acme")
    seen = look(shop, shop.deal()).client
    assert seen is not None
    assert (seen.kind, seen.client_id) == ("matched", str(acme["id"]))
    assert seen.sentence == f"Acme ({acme['id']}), matched by e-mail."
    shop.rig.books.add_client(email="Ann@Acme.test", organization="Acme two")
    several = look(shop, shop.deal(contact=shop.contact()), fresh=True).client
    assert several is not None
    assert (several.kind, several.client_id) == ("several", str(acme["id"]))
    assert several.sentence.startswith("2 clients match by e-mail; the oldest is used: Acme")


def test_a_client_of_an_earlier_invoice_is_remembered_until_it_is_gone(shop: Shop) -> None:
    contact = shop.contact()
    shop.issue(shop.deal(contact=contact))
    (client,) = shop.clients
    deal = shop.deal(contact=contact)
    seen = look(shop, deal).client
    assert seen is not None
    assert (seen.kind, seen.client_id) == ("remembered", str(client["id"]))
    assert seen.sentence.endswith("remembered from an earlier invoice.")
    client["vis_state"] = 1
    gone = look(shop, deal, fresh=True).client
    assert gone is not None
    assert gone.kind == "new"
    assert "is gone in FreshBooks" in gone.sentence


def test_what_will_be_created_is_named(shop: Shop) -> None:
    company = shop.kommo.add_company("Acme")
    seen = look(shop, shop.deal(company=company)).client
    assert seen is not None
    assert seen.sentence == "Acme, ann@acme.test will be created."


def test_an_invoice_that_exists_is_shown_with_number_and_state(shop: Shop) -> None:
    deal = shop.deal()
    assert look(shop, deal).existing == ()
    shop.issue(deal)
    (existing,) = look(shop, deal).existing
    (invoice,) = shop.invoices
    assert (existing.number, existing.state) == (invoice["invoice_number"], "sent")


def test_lines_of_another_list_are_read_when_the_mapping_names_it(shop: Shop) -> None:
    rooms = shop.kommo.add_catalog("Rooms", "regular")
    price = shop.kommo.add_field("catalogs", "numeric", "Rate", catalog_id=rooms.id)
    room = shop.kommo.add_element(rooms, "Blue room", fields={price.id: "80"})
    deal = shop.deal("80", products=[(room.id, 1)])
    lines = {"catalogs": [rooms.id], "price": {"field": f"product.cf.{price.id}"}}
    seen = look(shop, deal, {"lines": lines})
    assert seen.draft is not None
    assert [line.name for line in seen.draft.lines] == ["Blue room"]
    plain = look(shop, deal)
    assert plain.draft is not None
    assert [line.name for line in plain.draft.lines] == ["Office chairs"]


def test_a_deleted_deal_is_a_sentence(shop: Shop) -> None:
    deal = shop.deal()
    shop.kommo.delete_deal(deal.id)
    seen = look(shop, deal)
    assert (seen.deal, seen.draft) == (None, None)
    assert seen.notices == ("The deal was deleted in Kommo, or was never there.",)
