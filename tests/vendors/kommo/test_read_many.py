"""Many deals are read in few calls, and each as it would be on its own."""

from typing import Any

from server.sandbox import Sandbox
from server.vendors.http import CallMade
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.read import read_sale
from server.vendors.kommo.read_many import read_sales

ZONE = "Europe/Vilnius"


def test_each_sale_is_the_one_that_reading_it_alone_gives(
    client: KommoClient, account: Any, calls: list[CallMade], sandbox: Sandbox
) -> None:
    goods, rooms = account.add_catalog("Products"), account.add_catalog("Rooms", "regular")
    chair = account.add_element(goods, "Chair", price="12.50")
    room = account.add_element(rooms, "Blue room")
    gone = account.add_element(goods, "Lamp", price="9")
    ann, bob = account.add_contact("Ann Lee", email="ann@a.test"), account.add_contact("Bob")
    acme = account.add_company("Acme")
    deals = [
        account.add_deal(
            "A", 25, contact=ann, company=acme, products=[(chair.id, 2), (room.id, 1)]
        ),
        account.add_deal("B", 10, contact=bob, products=[(gone.id, 1)]),
        account.add_deal("C"),
    ]
    account.delete_element(gone)
    account.delete_contact(bob)
    before = len(calls)
    rows = client.deals([deal.id for deal in deals], linked=True)
    found = read_sales(client, rows, currency="EUR", timezone=ZONE, product_catalogs=[goods.id])
    assert len(calls) - before == 4  # deals, contacts, companies, one list of products
    alone = [
        read_sale(client, row["id"], currency="EUR", timezone=ZONE, product_catalogs=[goods.id])
        for row in rows
    ]
    assert found == alone
    assert sandbox.kommo.unknown_calls == []


def test_three_hundred_deals_cost_two_calls_a_kind(
    client: KommoClient, account: Any, calls: list[CallMade]
) -> None:
    account.add_catalog("Products")
    ids = [
        account.add_deal(f"D{n}", 5, contact=account.add_contact(f"P{n}")).id for n in range(300)
    ]
    before = len(calls)
    rows = client.deals(ids, linked=True)
    sales = read_sales(client, rows, currency="EUR", timezone=ZONE, product_catalogs=[])
    assert len(sales) == 300
    assert len(calls) - before == 4


def test_no_deals_cost_no_call(client: KommoClient, calls: list[CallMade]) -> None:
    before = len(calls)
    assert read_sales(client, [], currency="EUR", timezone=ZONE, product_catalogs=[]) == []
    assert len(calls) == before
