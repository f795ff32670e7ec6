"""The main job: a deal enters the stage, the invoice exists, the deal shows it."""

from decimal import Decimal

import pytest

from tests.rig import Rig
from tests.stories.shop import Shop


def test_a_deal_with_products_becomes_a_sent_invoice_that_the_deal_shows(shop: Shop) -> None:
    chair = shop.product("120.50", "Chair", SKU="CH-1")
    deal = shop.deal("301.25", products=[(chair, "2.5")])
    shop.issue(deal)
    (invoice,) = shop.invoices
    assert invoice["amount"] == Decimal("301.25")
    assert [(line["name"], line["qty"]) for line in invoice["lines"]] == [("Chair", Decimal("2.5"))]
    assert (shop.shown(deal), shop.shown(deal, "NUMBER")) == ("Sent", "0000001")
    assert Decimal(str(shop.shown(deal, "AMOUNT"))) == Decimal("301.25")


def test_the_link_on_a_sent_deal_opens_for_the_client(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    link = shop.shown(deal, "LINK")
    assert link.startswith(rig.sandbox.freshbooks.app_url + "/#/link/")


def test_a_draft_shows_freshbooks_own_page_and_the_word_draft(rig: Rig) -> None:
    shop = Shop(rig, action="draft")
    deal = shop.deal()
    shop.issue(deal)
    (invoice,) = shop.invoices
    assert shop.shown(deal) == "Draft"
    assert shop.shown(deal, "LINK") == (
        f"{rig.sandbox.freshbooks.app_url}/#/invoice/{rig.books.account_id}-{invoice['id']}"
    )


def test_a_rule_that_mails_sends_one_e_mail_to_the_contact(rig: Rig) -> None:
    shop = Shop(rig, action="email")
    deal = shop.deal()
    shop.issue(deal)
    (mail,) = rig.books.mails.values()
    assert mail.recipients == ("ann@acme.test",)
    assert shop.shown(deal) == "Sent"


@pytest.mark.parametrize(("action", "most"), [("draft", 6), ("mark_sent", 8)])
def test_a_known_client_and_warm_caches_cost_few_calls(rig: Rig, action: str, most: int) -> None:
    shop = Shop(rig, action=action)
    chair, company = shop.product("50.00"), rig.kommo.add_company("Acme")
    first = shop.deal("50.00", products=[(chair, "1")], company=company)
    shop.issue(first)
    again = shop.deal("100.00", products=[(chair, "2")], company=company, contact=first.contacts[0])
    rig.pump()
    kommo, books = rig.sandbox.kommo.calls, rig.sandbox.freshbooks.calls
    kommo.clear()
    books.clear()
    shop.issue(again)
    assert shop.shown(again, "NUMBER") == "0000002"
    assert len(kommo) + len(books) == most, [call[:2] for call in (*kommo, *books)]


def test_nothing_is_called_that_the_vendors_do_not_know(shop: Shop, rig: Rig) -> None:
    shop.issue(shop.deal())
    assert rig.sandbox.kommo.unknown_calls == rig.sandbox.freshbooks.unknown_calls == []
    assert rig.sandbox.kommo.unknown_keys == []


def test_the_fields_are_made_once_and_found_by_their_code(shop: Shop, rig: Rig) -> None:
    for field in rig.kommo.fields_of("leads"):
        if field.code == "BILLHOOK_LINK":
            field.name = "Payment page"  # an admin renames it
    rig.later(minutes=11)  # the cache of field ids is cold
    deal = shop.deal()
    shop.issue(deal)
    codes = [field.code for field in rig.kommo.fields_of("leads") if field.code]
    assert codes.count("BILLHOOK_LINK") == 1
    assert shop.shown(deal, "LINK")


def test_a_field_that_was_deleted_is_made_again(shop: Shop, rig: Rig) -> None:
    rig.kommo.delete_field(rig.kommo.field("leads", "BILLHOOK_NUMBER").id)
    deal = shop.deal()
    shop.issue(deal)
    rig.later(minutes=2)
    assert shop.shown(deal, "NUMBER") == "0000001"
