"""A deal as a sale: amounts to the cent, the price field that the link names, values by type."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from server.core.errors import TryLater
from server.core.money import Money
from server.core.sale import FieldValue, Party, Place, Sale
from server.sandbox import Sandbox
from server.vendors.http import CallMade
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.read import read_sale
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import Tokens


def sale_of(client: KommoClient, deal: Any, **options: Any) -> Sale:
    found = read_sale(client, deal.id, currency="EUR", timezone="Europe/Vilnius", **options)
    assert found is not None
    return found


def test_a_whole_deal_is_read_in_four_calls(
    client: KommoClient, account: Any, pipeline: Any, calls: list[CallMade]
) -> None:
    company = account.add_company("Acme")
    contact = account.add_contact(
        first_name="Ann", last_name="Lee", email="ann@buyer.test", company=company
    )
    catalog = account.add_catalog("Products")
    chair = account.add_element(catalog, "Chair", sku="CH-1", price="120.50")
    lamp = account.add_element(catalog, "Lamp", price=40)
    user = account.add_user("Mia")
    deal = account.add_deal(
        "Office",
        "341.25",
        pipeline_id=pipeline.id,
        stage_id=pipeline.stages[-3].id,
        contact=contact,
        company=company,
        products=[(chair.id, Decimal("2.5"), None), (lamp.id, 1, None)],
        tags=["vip"],
        responsible_user_id=user.id,
    )
    calls.clear()
    sale = sale_of(client, deal)
    assert [call.path.rsplit("/", 1)[0] for call in calls] == [
        "/api/v4/leads",
        f"/api/v4/catalogs/{catalog.id}",
        "/api/v4",
        "/api/v4/companies",
    ]
    assert (sale.source, sale.source_id, sale.title) == ("kommo", str(deal.id), "Office")
    assert sale.amount == Money(Decimal("341.25"), "EUR")
    assert sale.party == Party(contact.id, company.id)
    assert sale.place == Place(pipeline.id, pipeline.stages[-3].id)
    assert sale.responsible_user == user.id
    assert [(line.name, line.quantity, line.unit_price) for line in sale.lines] == [
        ("Chair", Decimal("2.5"), Decimal("120.50")),
        ("Lamp", Decimal(1), Decimal(40)),
    ]
    assert sale.lines[0].fields["product.code.SKU"] == (FieldValue("CH-1"),)
    assert sale.lines[0].fields["product.price"] == (FieldValue("120.50", Decimal("120.50")),)
    assert sale.fields["deal.name"] == (FieldValue("Office"),)
    assert sale.fields["deal.tags"] == (FieldValue("vip"),)
    assert sale.fields["deal.created_at"] == (FieldValue("2026-03-02", day=date(2026, 3, 2)),)
    assert sale.fields["contact.first_name"] == (FieldValue("Ann"),)
    assert sale.fields["contact.code.EMAIL"][0].text == "ann@buyer.test"
    assert sale.fields["company.name"] == (FieldValue("Acme"),)
    assert sale.problems == ()
    assert sale.sparse


def test_a_bare_deal_is_read_in_one_call(
    client: KommoClient, account: Any, calls: list[CallMade]
) -> None:
    deal = account.add_deal("Bare")
    calls.clear()
    sale = sale_of(client, deal)
    assert len(calls) == 1
    assert (sale.amount, sale.lines, sale.party, sale.problems) == (None, (), Party(), ())
    assert sale.fields["deal.price"] == ()


def test_a_deleted_deal_and_an_unknown_one_are_none(
    client: KommoClient, account: Any, sandbox: Sandbox
) -> None:
    deal = account.add_deal("Gone", 5)
    account.delete_deal(deal.id)
    for readable in (False, True):
        sandbox.kommo.switches.trashed_lead_readable = readable
        assert read_sale(client, deal.id, currency="EUR") is None
    assert read_sale(client, 999_999, currency="EUR") is None


@pytest.mark.parametrize(
    ("with_minor", "amount"), [(True, Decimal("1200.75")), (False, Decimal(1200))]
)
def test_the_exact_amount_is_preferred_where_kommo_gives_it(
    client: KommoClient, account: Any, sandbox: Sandbox, with_minor: bool, amount: Decimal
) -> None:
    sandbox.kommo.switches.price_with_minor_units = with_minor
    sale = sale_of(client, account.add_deal("Chairs", "1200.75"))
    assert sale.amount == Money(amount, "EUR")
    assert sale.problems == ()


@pytest.mark.parametrize(
    ("exact", "price", "amount", "is_problem"),
    [
        ("1200.75", "1200", "1200.75", False),
        ("0.1", "0", "0.1", False),
        ("120075", "1200", "120075", True),  # minor units after all, as one parser believes
        ("null", "1200", "1200", False),
        ("1200.75", "null", "1200.75", False),
        ("1e3", "1000", "1000", False),
        ('"300.99"', "300", "300.99", False),
        ("0", "0", None, False),
        ("null", "null", None, False),
    ],
)
def test_two_figures_that_contradict_each_other_are_a_problem(
    exact: str, price: str, amount: str | None, is_problem: bool, caller_of: MakeCaller
) -> None:
    body = (
        f'{{"id": 5, "name": "x", "pipeline_id": 1, "status_id": 2, "price": {price},'
        f' "price_with_minor_units": {exact}, "_embedded": {{}}}}'
    )
    sale = sale_of_body(body.encode(), caller_of)
    assert sale.amount == (Money(Decimal(amount), "EUR") if amount else None)
    assert [problem.field for problem in sale.problems] == (["deal.price"] if is_problem else [])


def sale_of_body(body: bytes, caller_of: MakeCaller) -> Sale:
    def answers(line: Line) -> None:
        line.request()
        line.write(answer(body))

    with ByteServer(answers) as server:
        client = KommoClient(server.host, Tokens(), caller_of("kommo"), insecure=True)
        found = read_sale(client, 5, currency="EUR")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 5, "price": 1, "_embedded": {}}',
        b'{"id": 5, "pipeline_id": 1, "status_id": 2}',
        b'{"id": "x", "pipeline_id": 1, "status_id": 2, "_embedded": {}}',
        b'{"id": 5, "pipeline_id": 1, "status_id": 2, "_embedded": {"contacts": [{}]}}',
        b'{"id":5,"pipeline_id":1,"status_id":2,"_embedded":{"catalog_elements":[{"id":1}]}}',
        b"[1]",
    ],
)
def test_a_deal_in_a_foreign_shape_is_kommo_s_fault(body: bytes, caller_of: MakeCaller) -> None:
    with pytest.raises(TryLater):
        sale_of_body(body, caller_of)


def test_the_price_is_the_field_that_the_link_names(client: KommoClient, account: Any) -> None:
    catalog = account.add_catalog("Products")
    wholesale = account.field("catalogs", "WHOLESALE_PRICE", catalog.id)
    special = account.field("catalogs", "SPECIAL_PRICE_1", catalog.id)
    chair = account.add_element(catalog, "Chair", price=120, fields={wholesale.id: "99.90"})
    free = account.add_element(catalog, "Unpriced")
    deal = account.add_deal(
        "Chairs",
        products=[(chair.id, 1, wholesale.id), (free.id, 1, None)],
    )
    assert [line.unit_price for line in sale_of(client, deal).lines] == [Decimal("99.90"), None]
    # The field that was chosen is empty: the standard price was not meant.
    account.update_deal(deal.id, products=[(chair.id, 1, special.id)])
    assert [line.unit_price for line in sale_of(client, deal).lines] == [None]


def test_elements_of_other_lists_are_no_products_where_the_lists_are_given(
    client: KommoClient, account: Any
) -> None:
    products, rooms = account.add_catalog("Products"), account.add_catalog("Rooms", "regular")
    chair = account.add_element(products, "Chair", price=120)
    room = account.add_element(rooms, "Blue room")
    deal = account.add_deal("Chairs", products=[(chair.id, 1, None), (room.id, 1, None)])
    named = [line.name for line in sale_of(client, deal, product_catalogs=[products.id]).lines]
    assert named == ["Chair"]
    assert [line.name for line in sale_of(client, deal).lines] == ["Chair", "Blue room"]


def test_a_deleted_product_is_a_problem_and_no_line(client: KommoClient, account: Any) -> None:
    catalog = account.add_catalog("Products")
    chair, lamp = (account.add_element(catalog, name, price=9) for name in ("Chair", "Lamp"))
    deal = account.add_deal("Chairs", products=[(chair.id, 1, None), (lamp.id, 1, None)])
    account.delete_element(chair)
    sale = sale_of(client, deal)
    assert [line.name for line in sale.lines] == ["Lamp"]
    assert [problem.field for problem in sale.problems] == ["product"]


def test_a_contact_that_vanished_under_us_is_a_problem(client: KommoClient, account: Any) -> None:
    contact, company = account.add_contact("Ann"), account.add_company("Acme")
    deal = account.add_deal("Chairs", 9, contact=contact, company=company)
    # Deleted between our two reads: the deal still names them.
    account.contacts[contact.id].is_deleted = True
    account.companies[company.id].is_deleted = True
    sale = sale_of(client, deal)
    assert sale.party == Party(None, None)
    assert [problem.field for problem in sale.problems] == ["contact", "company"]
    assert not any(key.startswith(("contact.", "company.")) for key in sale.fields)


def test_a_merged_contact_is_the_one_that_was_kept(client: KommoClient, account: Any) -> None:
    kept, lost = account.add_contact("Ann"), account.add_contact("Ann L.")
    deal = account.add_deal("Chairs", 9, contact=lost)
    account.merge_contacts(kept, lost)
    sale = sale_of(client, deal)
    assert (sale.party.contact_id, sale.problems) == (kept.id, ())


def test_the_main_contact_is_billed(client: KommoClient, account: Any) -> None:
    first, main = account.add_contact("First"), account.add_contact("Main")
    deal = account.add_deal("Chairs", 9, contact=first)
    row = account.deals[deal.id]
    row.contacts, row.main_contact_id = [first.id, main.id], main.id
    assert sale_of(client, deal).party.contact_id == main.id


# By type: what a user fills in, and what the sale says of it (Vilnius is UTC+2 in January).
VALUES: list[tuple[str, dict[str, Any], Any, FieldValue]] = [
    ("text", {}, "PO-55", FieldValue("PO-55")),
    ("textarea", {}, "a\nb", FieldValue("a\nb")),
    ("numeric", {}, "12.50", FieldValue("12.50", Decimal("12.50"))),
    ("monetary", {"currency": "EUR"}, "7", FieldValue("7", Decimal(7))),
    ("url", {}, "https://a.test", FieldValue("https://a.test")),
    ("checkbox", {}, True, FieldValue("true")),
    ("date", {}, 1_767_218_400, FieldValue("2026-01-01", day=date(2026, 1, 1))),
    ("date_time", {}, 1_767_225_600, FieldValue("2026-01-01", day=date(2026, 1, 1))),
]


@pytest.mark.parametrize(("kind", "more", "given", "wanted"), VALUES, ids=[v[0] for v in VALUES])
def test_a_value_is_read_by_its_type(
    client: KommoClient,
    account: Any,
    kind: str,
    more: dict[str, Any],
    given: Any,
    wanted: FieldValue,
) -> None:
    field = account.add_field("leads", kind, "Field", "MY_FIELD", **more)
    deal = account.add_deal("Chairs", 9, fields={field.id: given})
    fields = sale_of(client, deal).fields
    assert fields[f"deal.cf.{field.id}"] == (wanted,)
    assert fields["deal.code.MY_FIELD"] == (wanted,)


def test_a_choice_has_its_text_and_its_code(client: KommoClient, account: Any) -> None:
    field = account.add_field(
        "leads", "select", "Currency", "CURRENCY", enums=[("Euro", "eur"), ("Dollar", "usd")]
    )
    deal = account.add_deal("Chairs", 9, fields={field.id: "Dollar"})
    (value,) = sale_of(client, deal).fields["deal.code.CURRENCY"]
    assert (value.text, value.enum_code, value.enum_id) == ("Dollar", "usd", field.enums[1].id)


def test_an_empty_field_is_left_out(client: KommoClient, account: Any) -> None:
    field = account.add_field("leads", "text", "Empty")
    assert f"deal.cf.{field.id}" not in sale_of(client, account.add_deal("Chairs", 9)).fields
