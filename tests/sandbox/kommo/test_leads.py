"""Deals over API v4 (kommo.md §4.0, §4.2)."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox.kommo.book.records import LOST, WON
from tests.sandbox.kommo.calls import Kommo, errors

pytestmark = pytest.mark.quirk


def names(reply: Any) -> list[str]:
    return [row["name"] for row in reply.json()["_embedded"]["leads"]]


def test_an_empty_list_is_204_without_body(kommo: Kommo) -> None:
    reply = kommo.get("leads")
    assert (reply.status_code, reply.content) == (204, b"")


def test_an_unknown_lead_is_204_or_by_a_switch_404(kommo: Kommo) -> None:
    assert kommo.get("leads/1").status_code == 204
    kommo.sandbox.kommo.switches.unknown_lead_status = 404
    assert kommo.get("leads/1").status_code == 404


def test_an_unknown_contact_is_404_or_by_a_switch_204(kommo: Kommo) -> None:
    assert kommo.get("contacts/1").status_code == 404
    kommo.sandbox.kommo.switches.unknown_entity_status = 204
    assert kommo.get("contacts/1").status_code == 204


def test_price_is_cut_to_an_integer_beside_the_exact_one(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk", "1200.75")
    body = kommo.get(f"leads/{deal.id}").json()
    assert (body["price"], body["price_with_minor_units"]) == (1200, 1200.75)
    kommo.sandbox.kommo.switches.price_with_minor_units = False
    assert "price_with_minor_units" not in kommo.get(f"leads/{deal.id}").json()


def test_a_price_with_minor_units_is_written_into_price(kommo: Kommo) -> None:
    made = kommo.post("leads", [{"name": "Desk", "price": 99.95}]).json()
    deal_id = made["_embedded"]["leads"][0]["id"]
    assert kommo.get(f"leads/{deal_id}").json()["price_with_minor_units"] == 99.95
    kommo.sandbox.kommo.switches.price_with_minor_units = False
    refused = kommo.post("leads", [{"name": "Desk", "price": 99.95}])
    assert errors(refused) == [("0", "InvalidType", "price")]


def test_empty_custom_fields_read_as_null(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    assert kommo.get(f"leads/{deal.id}").json()["custom_fields_values"] is None


def test_contacts_and_products_come_only_when_asked_for_and_as_ids(kommo: Kommo) -> None:
    account = kommo.account
    element = account.add_element(account.products_catalog, "Chair", price="12.50")
    contact, company = account.add_contact("Ann Lee"), account.add_company("Acme")
    deal = account.add_deal(
        "Desk", contact=contact, company=company, products=[(element, "2.5", None)]
    )
    plain = kommo.get(f"leads/{deal.id}").json()["_embedded"]
    assert plain.keys() == {"tags", "companies"}
    rich = kommo.get(f"leads/{deal.id}", **{"with": "contacts,catalog_elements"}).json()
    embedded = rich["_embedded"]
    assert embedded["companies"][0]["id"] == company.id
    assert {key: embedded["contacts"][0][key] for key in ("id", "is_main")} == {
        "id": contact.id,
        "is_main": True,
    }
    assert embedded["catalog_elements"] == [
        {"id": element.id, "metadata": {"quantity": 2.5, "catalog_id": element.catalog_id}}
    ]


def test_price_id_is_told_only_for_another_price_field(kommo: Kommo) -> None:
    account = kommo.account
    element = account.add_element(account.products_catalog, "Chair", price="12.50")
    wholesale = account.field("catalogs", "WHOLESALE_PRICE", element.catalog_id)
    standard = account.field("catalogs", "PRICE", element.catalog_id)
    deal = account.add_deal("Desk")
    for price_id in (standard.id, wholesale.id):
        row = {
            "to_entity_id": element.id,
            "to_entity_type": "catalog_elements",
            "metadata": {"catalog_id": element.catalog_id, "quantity": 1, "price_id": price_id},
        }
        assert kommo.post(f"leads/{deal.id}/link", [row]).status_code == 200
        (link,) = kommo.get(f"leads/{deal.id}/links").json()["_embedded"]["links"]
        assert link["metadata"].get("price_id") == (None if price_id == standard.id else price_id)
        assert kommo.post(f"leads/{deal.id}/unlink", [row]).status_code == 204


def test_a_bulk_create_is_thin_and_echoes_the_request_id(kommo: Kommo) -> None:
    reply = kommo.post("leads", [{"name": "A"}, {"name": "B", "request_id": "mine"}])
    rows = reply.json()["_embedded"]["leads"]
    assert reply.status_code == 200
    assert [row.keys() for row in rows] == [{"id", "request_id", "_links"}] * 2
    assert [row["request_id"] for row in rows] == ["0", "mine"]
    changed = kommo.patch("leads", [{"id": rows[0]["id"], "name": "C"}]).json()
    assert changed["_embedded"]["leads"][0].keys() == {"id", "updated_at", "_links"}


def test_a_list_takes_an_array_and_one_lead_an_object(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    assert kommo.post("leads", {"name": "A"}).status_code == 400
    assert kommo.patch(f"leads/{deal.id}", [{"name": "A"}]).status_code == 400
    assert kommo.patch(f"leads/{deal.id}", {"name": "A"}).json()["id"] == deal.id


def test_more_than_250_rows_are_refused_on_writing_and_reading(kommo: Kommo) -> None:
    assert kommo.post("leads", [{"name": "A"}] * 251).status_code == 400
    assert kommo.post("leads", [{"name": "A"}] * 250).status_code == 200
    assert errors(kommo.get("leads", limit=251)) == [("0", "InvalidValue", "limit")]
    assert len(kommo.get("leads", limit=250).json()["_embedded"]["leads"]) == 250


def test_pages_end_where_next_is_missing(kommo: Kommo) -> None:
    for number in range(120):
        kommo.account.add_deal(f"Deal {number}")
    first = kommo.get("leads")
    assert len(names(first)) == 50
    second = kommo.send("GET", first.json()["_links"]["next"]["href"])
    third = kommo.send("GET", second.json()["_links"]["next"]["href"])
    assert third.json()["_page"] == 3
    assert "next" not in third.json()["_links"]
    assert "prev" in third.json()["_links"]
    assert len(names(third)) == 20
    assert kommo.get("leads", page=4).status_code == 204


def test_a_model_sent_back_fails_on_created_by(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    model = kommo.get(f"leads/{deal.id}").json()
    reply = kommo.patch(f"leads/{deal.id}", model)
    assert errors(reply) == [("0", "NotSupportedChoice", "created_by")]
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert kommo.patch(f"leads/{deal.id}", {"updated_by": 0}).status_code == 200


def test_an_unknown_field_fails_with_its_path_and_nothing_is_written(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    rows = [
        {"id": deal.id, "name": "Changed"},
        {"id": deal.id, "custom_fields_values": [{"field_id": 1, "values": [{"value": "x"}]}]},
    ]
    reply = kommo.patch("leads", rows)
    assert errors(reply) == [("1", "NotSupportedChoice", "custom_fields_values.0.field_id")]
    assert reply.json()["detail"] == "Request validation failed"
    assert kommo.get(f"leads/{deal.id}").json()["name"] == "Desk"


def test_a_stage_alone_is_looked_for_in_the_deals_own_pipeline(kommo: Kommo) -> None:
    account = kommo.account
    sales, service = account.pipelines.values()
    deal = account.add_deal("Desk")
    foreign = kommo.patch(f"leads/{deal.id}", {"status_id": service.first_stage.id})
    assert errors(foreign) == [("0", "NotSupportedChoice", "status_id")]
    assert kommo.patch(f"leads/{deal.id}", {"status_id": WON}).status_code == 200
    assert kommo.get(f"leads/{deal.id}").json()["pipeline_id"] == sales.id
    moved = {"status_id": LOST, "pipeline_id": service.id}
    assert kommo.patch(f"leads/{deal.id}", moved).status_code == 200
    assert kommo.get(f"leads/{deal.id}").json()["pipeline_id"] == service.id


def test_a_closed_deal_says_when_and_an_opened_one_forgets(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    kommo.patch(f"leads/{deal.id}", {"status_id": WON})
    assert kommo.get(f"leads/{deal.id}").json()["closed_at"] == kommo.sandbox.clock.timestamp()
    stage = kommo.account.main_pipeline.first_stage.id
    kommo.patch(f"leads/{deal.id}", {"status_id": stage})
    assert kommo.get(f"leads/{deal.id}").json()["closed_at"] is None


def test_products_cannot_be_linked_on_create(kommo: Kommo) -> None:
    element = kommo.account.add_element(kommo.account.products_catalog, "Chair")
    row = {"name": "Desk", "_embedded": {"catalog_elements": [{"id": element.id}]}}
    assert errors(kommo.post("leads", [row])) == [
        ("0", "NotSupported", "_embedded.catalog_elements")
    ]


def test_linking_a_product_again_fails_or_by_a_switch_changes_the_quantity(kommo: Kommo) -> None:
    account = kommo.account
    element = account.add_element(account.products_catalog, "Chair")
    deal = account.add_deal("Desk", products=[(element, 1, None)])
    row = {
        "to_entity_id": element.id,
        "to_entity_type": "catalog_elements",
        "metadata": {"catalog_id": element.catalog_id, "quantity": 3},
    }
    assert kommo.post(f"leads/{deal.id}/link", [row]).status_code == 500
    kommo.sandbox.kommo.switches.relink_status = 200
    assert kommo.post(f"leads/{deal.id}/link", [row]).status_code == 200
    assert deal.products[0].quantity == 3


def test_deals_are_filtered_by_stage_only_with_both_ids(kommo: Kommo) -> None:
    sales, service = kommo.account.pipelines.values()
    kommo.account.add_deal("A", stage_id=WON)
    kommo.account.add_deal("B", stage_id=WON, pipeline_id=service.id)
    both = {
        "filter[statuses][0][pipeline_id]": sales.id,
        "filter[statuses][0][status_id]": WON,
    }
    assert names(kommo.get("leads", **both)) == ["A"]
    half = {"filter[statuses][0][status_id]": WON}
    assert names(kommo.get("leads", **half)) == ["A", "B"]


def test_a_bare_pipeline_id_is_silently_ignored(kommo: Kommo) -> None:
    _, service = kommo.account.pipelines.values()
    kommo.account.add_deal("A")
    kommo.account.add_deal("B", pipeline_id=service.id)
    assert names(kommo.get("leads", pipeline_id=service.id)) == ["A", "B"]
    assert names(kommo.get("leads", **{"filter[pipeline_id][]": service.id})) == ["B"]


def test_deals_are_filtered_by_id_time_price_and_field(kommo: Kommo) -> None:
    account = kommo.account
    field = account.add_field("leads", "select", "Kind", "KIND", enums=["Retail", "Trade"])
    first = account.add_deal("A", "100", fields={"KIND": "Retail"})
    kommo.sandbox.clock.advance(timedelta(hours=1))
    account.add_deal("B", "200.50", fields={"KIND": "Trade"})
    later = kommo.sandbox.clock.timestamp()
    assert names(kommo.get("leads", **{"filter[id][]": first.id})) == ["A"]
    assert names(kommo.get("leads", **{"filter[updated_at][from]": later})) == ["B"]
    assert names(kommo.get("leads", **{"filter[price][from]": 200})) == ["B"]
    assert names(
        kommo.get("leads", **{f"filter[custom_fields_values][{field.id}][]": "Retail"})
    ) == ["A"]
    assert names(kommo.get("leads", **{"order[updated_at]": "desc"})) == ["B", "A"]
    assert names(kommo.get("leads", query="b")) == ["B"]


def test_a_search_looks_into_names_and_fields_and_by_a_switch_at_people(kommo: Kommo) -> None:
    account = kommo.account
    account.add_field("leads", "text", "Order", "ORDER")
    contact = account.add_contact("Ann Lee", email="ann@acme.example")
    account.add_deal("Office chairs", contact=contact)
    account.add_deal("Desk", fields={"ORDER": "A-Chair-7"})
    assert names(kommo.get("leads", query="CHAIR")) == ["Office chairs", "Desk"]
    assert kommo.get("leads", query="ann lee").status_code == 204
    kommo.sandbox.kommo.switches.deal_query_finds_people = True
    assert names(kommo.get("leads", query="ann lee")) == ["Office chairs"]


def test_a_list_of_deals_has_their_links_when_asked_for_250_a_page(kommo: Kommo) -> None:
    contact = kommo.account.add_contact("Ann Lee")
    ids = [kommo.account.add_deal(f"Deal {n}", contact=contact).id for n in range(260)]
    asked = {"filter[id][]": ids[:250], "with": "contacts,catalog_elements", "limit": 250}
    found = kommo.get("leads", **asked).json()["_embedded"]["leads"]
    assert len(found) == 250
    assert all(row["_embedded"]["contacts"][0]["id"] == contact.id for row in found)
    assert kommo.get("leads", limit=251).status_code == 400


def test_a_deleted_lead_is_in_the_trash_alone(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    kommo.account.delete_deal(deal.id)
    assert kommo.get("leads").status_code == 204
    assert kommo.get(f"leads/{deal.id}").status_code == 204
    (row,) = kommo.get("leads", **{"with": "only_deleted"}).json()["_embedded"]["leads"]
    assert row.keys() == {"id", "updated_at", "updated_by", "is_deleted", "_links"}
    assert kommo.patch(f"leads/{deal.id}", {"name": "X"}).status_code == 404
    kommo.account.restore_deal(deal.id)
    assert kommo.get(f"leads/{deal.id}").json()["is_deleted"] is False


def test_by_a_switch_a_trashed_lead_can_still_be_read(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    kommo.account.delete_deal(deal.id)
    kommo.sandbox.kommo.switches.trashed_lead_readable = True
    assert kommo.get(f"leads/{deal.id}").json()["is_deleted"] is True


def test_tags_are_added_removed_and_replaced(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk", tags=["vip", "new"])

    def tags() -> list[str]:
        return [t["name"] for t in kommo.get(f"leads/{deal.id}").json()["_embedded"]["tags"]]

    kommo.patch(
        f"leads/{deal.id}",
        {"tags_to_add": [{"name": "paid"}], "tags_to_delete": [{"name": "new"}]},
    )
    assert tags() == ["vip", "paid"]
    kommo.patch(f"leads/{deal.id}", {"_embedded": {"tags": None}})
    assert tags() == []


def test_a_complex_create_makes_contact_and_company_with_the_deal(kommo: Kommo) -> None:
    row = {
        "name": "Form",
        "request_id": "r1",
        "_embedded": {
            "contacts": [
                {
                    "first_name": "Ann",
                    "custom_fields_values": [
                        {"field_code": "EMAIL", "values": [{"value": "a@x.example"}]}
                    ],
                }
            ],
            "companies": [{"name": "Acme"}],
        },
    }
    (made,) = kommo.post("leads/complex", [row]).json()
    deal = kommo.account.deals[made["id"]]
    assert (deal.main_contact_id, deal.company_id) == (made["contact_id"], made["company_id"])
    assert (made["request_id"], made["merged"]) == (["r1"], False)
    assert kommo.post("leads/complex", [row] * 51).status_code == 400


def test_unknown_body_keys_are_ignored_and_noted(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    assert kommo.patch(f"leads/{deal.id}", {"budget": 7}).status_code == 200
    assert kommo.sandbox.kommo.unknown_keys == [("PATCH", f"/api/v4/leads/{deal.id}", "budget")]


def test_an_unknown_route_or_verb_is_refused_and_noted(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    assert kommo.get("invoices").status_code == 404
    reply = kommo.send("DELETE", f"/api/v4/leads/{deal.id}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (405, "application/problem+json")
    assert kommo.sandbox.kommo.unknown_calls == [
        ("GET", "/api/v4/invoices"),
        ("DELETE", f"/api/v4/leads/{deal.id}"),
    ]


def test_a_broken_body_is_400(kommo: Kommo) -> None:
    assert kommo.send("POST", "/api/v4/leads", data=b"{oops").status_code == 400
