"""Custom fields: definitions and what each type takes (kommo.md §4.7)."""

from typing import Any

import pytest

from tests.sandbox.kommo.calls import Kommo, errors

pytestmark = pytest.mark.quirk


def fields(reply: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reply.json()["_embedded"]["custom_fields"]
    return found


def write(kommo: Kommo, *rows: dict[str, Any]) -> Any:
    deal = kommo.account.add_deal("Desk")
    reply = kommo.patch(f"leads/{deal.id}", {"custom_fields_values": list(rows)})
    if reply.status_code != 200:
        return errors(reply)
    read = kommo.get(f"leads/{deal.id}").json()["custom_fields_values"]
    return [row["values"] for row in read]


def test_a_page_has_fifty_fields_whatever_the_limit(kommo: Kommo) -> None:
    for number in range(60):
        kommo.account.add_field("leads", "text", f"Field {number}", f"F{number}")
    first = kommo.get("leads/custom_fields", limit=250)
    assert len(fields(first)) == 50
    assert (first.json()["_total_items"], first.json()["_page_count"]) == (60, 2)
    second = kommo.send("GET", first.json()["_links"]["next"]["href"])
    assert len(fields(second)) == 10
    kommo.sandbox.kommo.switches.fields_page_cap = 0
    assert len(fields(kommo.get("leads/custom_fields", limit=250))) == 60


def test_creating_twice_makes_twins(kommo: Kommo) -> None:
    row = {"type": "url", "name": "Invoice", "code": "ACME_LINK", "is_api_only": True}
    first, second = (kommo.post("leads/custom_fields", [row]) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert fields(first)[0]["id"] != fields(second)[0]["id"]
    found = fields(kommo.get("leads/custom_fields"))
    assert [one["code"] for one in found] == ["ACME_LINK", "ACME_LINK"]
    assert {one["is_api_only"] for one in found} == {True}


def test_a_select_needs_enums_with_value_and_sort(kommo: Kommo) -> None:
    row: dict[str, Any] = {"type": "select", "name": "State", "code": "ACME_STATE"}
    assert errors(kommo.post("leads/custom_fields", [row])) == [("0", "FieldMissing", "enums")]
    row["enums"] = [{"value": "Draft"}]
    assert errors(kommo.post("leads/custom_fields", [row])) == [
        ("0", "FieldMissing", "enums.0.sort")
    ]
    row["enums"] = [{"value": "Draft", "sort": 1, "code": "draft"}]
    (made,) = fields(kommo.post("leads/custom_fields", [row]))
    assert made["enums"][0].keys() == {"id", "value", "sort", "code"}


def test_a_patch_of_enums_deletes_what_it_does_not_repeat(kommo: Kommo) -> None:
    field = kommo.account.add_field("leads", "select", "State", enums=["Draft", "Paid"])
    assert field.enums is not None
    draft = field.enums[0]
    enums = [{"id": draft.id, "value": "Draft", "sort": 1}, {"value": "Void", "sort": 2}]
    body = kommo.patch(f"leads/custom_fields/{field.id}", {"enums": enums}).json()
    assert [one["value"] for one in body["enums"]] == ["Draft", "Void"]
    assert body["enums"][0]["id"] == draft.id


def test_price_fields_exist_on_lists_alone(kommo: Kommo) -> None:
    row = {"type": "price", "name": "Cost"}
    assert errors(kommo.post("leads/custom_fields", [row])) == [("0", "NotSupportedChoice", "type")]
    catalog = kommo.account.products_catalog
    assert kommo.post(f"catalogs/{catalog.id}/custom_fields", [row]).status_code == 201


def test_only_admins_create_fields(kommo: Kommo) -> None:
    kommo.connect(kommo.account.add_user("Mark Reed").id)
    row = {"type": "text", "name": "X"}
    assert kommo.post("leads/custom_fields", [row]).status_code == 403


def test_a_deleted_field_is_unknown_at_once(kommo: Kommo) -> None:
    field = kommo.account.add_field("leads", "text", "Note")
    deal = kommo.account.add_deal("Desk", fields={"Note": "x"})
    assert kommo.send("DELETE", f"/api/v4/leads/custom_fields/{field.id}").status_code == 204
    assert kommo.get(f"leads/{deal.id}").json()["custom_fields_values"] is None
    assert write(kommo, {"field_id": field.id, "values": [{"value": "y"}]}) == [
        ("0", "NotSupportedChoice", "custom_fields_values.0.field_id")
    ]


@pytest.mark.parametrize(
    ("kind", "sent", "read"),
    [
        ("text", {"value": "PO-1"}, {"value": "PO-1"}),
        ("numeric", {"value": "1.50"}, {"value": "1.50"}),
        ("numeric", {"value": 7}, {"value": "7"}),
        ("monetary", {"value": "12.5"}, {"value": "12.5"}),
        ("checkbox", {"value": True}, {"value": True}),
        ("url", {"value": "https://x.example/1"}, {"value": "https://x.example/1"}),
        ("date", {"value": 1772452800}, {"value": 1772452800}),
        ("date", {"value": "2026-03-02T12:00:00+00:00"}, {"value": 1772452800}),
        (
            "smart_address",
            {"value": "Porto", "enum_code": "city"},
            {"value": "Porto", "enum_id": 3, "enum_code": "city"},
        ),
    ],
)
def test_a_value_reads_back_in_its_types_form(
    kommo: Kommo, kind: str, sent: dict[str, Any], read: dict[str, Any]
) -> None:
    field = kommo.account.add_field("leads", kind, "It")
    assert write(kommo, {"field_id": field.id, "values": [sent]}) == [[read]]


@pytest.mark.parametrize(
    ("kind", "sent", "code", "tail"),
    [
        ("text", {"value": 5}, "InvalidType", "value"),
        ("numeric", {"value": "five"}, "InvalidType", "value"),
        ("numeric", {"value": "NaN"}, "InvalidType", "value"),
        ("date", {"value": "soon"}, "InvalidDateTime", "value"),
        ("checkbox", {"value": "maybe"}, "InvalidType", "value"),
        ("text", {"text": "x"}, "FieldMissing", "value"),
        ("smart_address", {"value": "x", "enum_code": "moon"}, "NotSupportedChoice", "enum_code"),
    ],
)
def test_a_value_of_another_type_is_refused(
    kommo: Kommo, kind: str, sent: dict[str, Any], code: str, tail: str
) -> None:
    field = kommo.account.add_field("leads", kind, "It")
    assert write(kommo, {"field_id": field.id, "values": [sent]}) == [
        ("0", code, f"custom_fields_values.0.values.0.{tail}")
    ]


def test_by_a_switch_numbers_pass_as_text(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.strict_text = False
    field = kommo.account.add_field("leads", "text", "It")
    assert write(kommo, {"field_id": field.id, "values": [{"value": 5}]}) == [[{"value": "5"}]]


def test_a_choice_is_named_by_value_id_or_code_and_reads_back_as_all_three(kommo: Kommo) -> None:
    field = kommo.account.add_field("leads", "select", "State", enums=[("Paid", "paid")])
    assert field.enums is not None
    whole = {"value": "Paid", "enum_id": field.enums[0].id, "enum_code": "paid"}
    for sent in ({"value": "Paid"}, {"enum_id": field.enums[0].id}, {"enum_code": "paid"}):
        assert write(kommo, {"field_id": field.id, "values": [sent]}) == [[whole]]
    assert write(kommo, {"field_id": field.id, "values": [{"value": "Void"}]}) == [
        ("0", "NotSupportedChoice", "custom_fields_values.0.values.0.value")
    ]


def test_only_a_multiselect_takes_several(kommo: Kommo) -> None:
    one = kommo.account.add_field("leads", "select", "One", enums=["A", "B"])
    many = kommo.account.add_field("leads", "multiselect", "Many", enums=["A", "B"])
    values = [{"value": "A"}, {"value": "B"}]
    assert len(write(kommo, {"field_id": many.id, "values": values})[0]) == 2
    assert write(kommo, {"field_id": one.id, "values": values}) == [
        ("0", "TooMany", "custom_fields_values.0.values")
    ]


def test_a_user_cannot_edit_what_only_the_api_fills(kommo: Kommo) -> None:
    field = kommo.account.add_field("leads", "text", "Link", "LINK", is_api_only=True)
    deal = kommo.account.add_deal("Desk")
    with pytest.raises(PermissionError):
        kommo.account.update_deal(deal.id, fields={"LINK": "x"})
    row = {"custom_fields_values": [{"field_code": "LINK", "values": [{"value": "x"}]}]}
    assert kommo.patch(f"leads/{deal.id}", row).status_code == 200
    assert kommo.account.value_of(deal, "leads", field.id) == "x"


def test_contacts_companies_and_each_list_have_fields_of_their_own(kommo: Kommo) -> None:
    account = kommo.account
    catalog = account.products_catalog
    account.add_field("contacts", "text", "Nickname", "NICK")
    account.add_field("catalogs", "select", "Tax", enums=["Full", "None"], catalog_id=catalog.id)

    def named(where: str) -> list[str]:
        found = kommo.get(f"{where}/custom_fields", limit=250).json()["_embedded"]["custom_fields"]
        return [row["name"] for row in found]

    assert "Nickname" in named("contacts")
    assert "Nickname" not in named("companies")
    assert {"SKU", "Price", "Tax"} <= set(named(f"catalogs/{catalog.id}"))
    assert kommo.get("catalogs/1/custom_fields").status_code == 404
    other = account.add_catalog("Suppliers", "regular")
    assert kommo.get(f"catalogs/{other.id}/custom_fields").status_code == 204
