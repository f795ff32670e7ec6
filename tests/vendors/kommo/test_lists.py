"""What pickers are filled from: pipelines, fields and lists, read from the emulated account."""

from typing import Any

from server.core.vendor_lists import Lists
from server.sandbox import Sandbox
from server.vendors.http import CallMade
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.lists import BUILT_IN, read_lists
from tests.fixed_clock import START


def keys_of(lists: Lists, entity: str) -> list[str]:
    return [field.key for field in lists.fields if field.entity == entity]


def test_stages_come_in_their_order_with_color_and_kind(client: KommoClient, account: Any) -> None:
    account.add_pipeline("Service", ["Repair"])
    sales, service = read_lists(client, START).pipelines
    assert (sales.name, service.name) == ("Sales", "Service")
    assert [stage.name for stage in sales.stages[1:3]] == ["Talk", "Issue invoice"]
    assert [stage.kind for stage in sales.stages] == ["unsorted", "open", "open", "won", "lost"]
    assert sales.stages[1].color == account.main_pipeline.stage("Talk").color


def test_built_in_fields_stand_before_the_accounts_own(client: KommoClient, account: Any) -> None:
    second = account.add_field("leads", "text", "Second", sort=20)
    first = account.add_field("leads", "text", "First", sort=10)
    lists = read_lists(client, START)
    built_in = [key for key, *_ in BUILT_IN if key.startswith("deal.")]
    assert keys_of(lists, "deal") == [*built_in, f"deal.cf.{first.id}", f"deal.cf.{second.id}"]


def test_a_field_is_named_by_its_code_where_kommo_gave_it(
    client: KommoClient, account: Any
) -> None:
    account.add_catalog("Products")
    ours = account.add_field("leads", "text", "Invoice number", "BILLHOOK_NUMBER")
    lists = read_lists(client, START)
    assert "contact.code.EMAIL" in keys_of(lists, "contact")
    assert "product.code.SKU" in keys_of(lists, "product")
    assert f"deal.cf.{ours.id}" in keys_of(lists, "deal")
    assert lists.field("deal.code.BILLHOOK_NUMBER") == lists.field(f"deal.cf.{ours.id}")


def test_a_select_tells_its_options(client: KommoClient, account: Any) -> None:
    made = account.add_field("leads", "select", "Kind", enums=[("Retail", "r"), "Trade"])
    field = read_lists(client, START).field(f"deal.cf.{made.id}")
    assert field is not None
    assert [(one.text, one.code) for one in field.options] == [("Retail", "r"), ("Trade", "")]
    assert [one.id for one in field.options] == [one.id for one in made.enums]


def test_an_address_offers_its_parts(client: KommoClient, account: Any) -> None:
    made = account.add_field("companies", "smart_address", "Seat")
    city = read_lists(client, START).field(f"company.cf.{made.id}.city")
    assert city is not None
    assert (city.name, city.type) == ("Seat: city", "text")


def test_fields_of_every_list_are_products_fields_the_products_own_first(
    client: KommoClient, account: Any
) -> None:
    rooms = account.add_catalog("Rooms", "regular")
    goods = account.add_catalog("Products")
    made = account.add_field("catalogs", "text", "Floor", catalog_id=rooms.id)
    account.add_field("catalogs", "text", "Room number", "SKU", catalog_id=rooms.id)
    lists = read_lists(client, START)
    assert [(one.id, one.kind) for one in lists.catalogs] == [
        (goods.id, "products"),
        (rooms.id, "regular"),
    ]
    floor, sku = lists.field(f"product.cf.{made.id}"), lists.field("product.code.SKU")
    assert floor is not None
    assert sku is not None
    assert (floor.catalog_id, sku.catalog_id) == (rooms.id, goods.id)
    assert keys_of(lists, "product").count("product.code.SKU") == 1
    assert lists.product_catalogs() == [goods.id]


def test_two_hundred_fields_are_read_over_kommos_pages_of_fifty(
    client: KommoClient, account: Any, calls: list[CallMade]
) -> None:
    for number in range(200):
        account.add_field("leads", "text", f"Field {number}")
    before = len(calls)
    lists = read_lists(client, START)
    assert sum(field.name.startswith("Field ") for field in lists.fields) == 200
    assert len(calls) - before == 1 + 1 + 4 + 1 + 1  # pipelines, lists, deals, contacts, companies


def test_the_lists_come_back_from_what_is_stored(
    client: KommoClient, account: Any, sandbox: Sandbox
) -> None:
    account.add_catalog("Products")
    account.add_field("leads", "select", "Kind", enums=["Retail"])
    lists = read_lists(client, START)
    assert Lists.from_json(lists.to_json()) == lists
    assert sandbox.kommo.unknown_calls == []
