"""The demo's data: as uneven as a real account's, and consistent where it should be."""

from decimal import Decimal

import pytest
import requests

from server.sandbox import Sandbox
from server.sandbox.seed import ISSUE_INVOICE, Demo, seed_demo


@pytest.fixture
def demo(sandbox: Sandbox) -> Demo:
    return seed_demo(sandbox)


def test_a_dozen_deals_stand_in_two_pipelines(demo: Demo) -> None:
    assert len(demo.kommo.deals) == 12
    assert {deal.pipeline_id for deal in demo.deals.values()} == {demo.sales.id, demo.service.id}
    assert demo.sales.stage(ISSUE_INVOICE).sort < 10000
    assert (demo.kommo.currency, demo.kommo.timezone) == ("EUR", "Europe/Vilnius")


def test_products_add_up_to_the_deals_amount(demo: Demo) -> None:
    for deal in demo.deals.values():
        if not deal.products:
            continue
        total = Decimal(0)
        for link in deal.products:
            element = demo.kommo.elements[link.element_id]
            price = demo.kommo.value_of(element, "catalogs", link.price_id or "PRICE")
            total += link.quantity * Decimal(price)
        assert total == deal.price, deal.name


def test_the_odd_ones_are_among_them(demo: Demo) -> None:
    account, deals = demo.kommo, list(demo.deals.values())
    main = [account.contacts[d.main_contact_id] for d in deals if d.main_contact_id]
    assert any(account.value_of(contact, "contacts", "EMAIL") is None for contact in main)
    assert any(deal.price is None for deal in deals)
    assert any(deal.main_contact_id is None for deal in deals)
    assert any(deal.price and deal.price % 1 for deal in deals)
    assert any(link.quantity == Decimal("2.5") for deal in deals for link in deal.products)
    assert any(link.price_id for deal in deals for link in deal.products)
    assert len({contact.id for contact in main}) < len(main)
    currencies = {account.value_of(deal, "leads", "CURRENCY") for deal in deals}
    assert {"EUR", "USD", "GBP", "JPY"} <= currencies


def test_the_control_app_tells_the_demos_state(sandbox: Sandbox, demo: Demo) -> None:
    state = requests.get(f"{sandbox.control_url}/_state", timeout=5).json()
    (account,) = state["kommo"]["accounts"]
    assert account["host"] == demo.kommo.host
    assert len(account["deals"]) == 12
