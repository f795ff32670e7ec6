"""Writing deals over API v4, with their links and tags; what is refused (kommo.md §4.0, §4.2)."""

import pytest

from server.sandbox.kommo.book.records import LOST, WON
from tests.sandbox.kommo.calls import Kommo, errors

pytestmark = pytest.mark.quirk


def test_a_price_with_minor_units_is_written_into_price(kommo: Kommo) -> None:
    made = kommo.post("leads", [{"name": "Desk", "price": 99.95}]).json()
    deal_id = made["_embedded"]["leads"][0]["id"]
    assert kommo.get(f"leads/{deal_id}").json()["price_with_minor_units"] == 99.95
    kommo.sandbox.kommo.switches.price_with_minor_units = False
    refused = kommo.post("leads", [{"name": "Desk", "price": 99.95}])
    assert errors(refused) == [("0", "InvalidType", "price")]


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
