"""Contacts, companies, links, lists, pipelines (kommo.md §4.3 – §4.6)."""

from typing import Any

import pytest

from tests.sandbox.kommo.calls import Kommo, errors

pytestmark = pytest.mark.quirk


def rows(reply: Any, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reply.json()["_embedded"][key]
    return found


def test_contacts_are_fetched_in_a_batch_by_ids(kommo: Kommo) -> None:
    made = [kommo.account.add_contact(f"Person {n}") for n in range(3)]
    reply = kommo.get("contacts", **{"filter[id][]": [made[0].id, made[2].id]})
    assert [row["id"] for row in rows(reply, "contacts")] == [made[0].id, made[2].id]


def test_finding_by_email_matches_parts_too(kommo: Kommo) -> None:
    kommo.account.add_contact("Ann", email="ann@acme.example")
    kommo.account.add_contact("Joann", email="joann@acme.example")
    reply = kommo.get("contacts", query="ann@acme.example")
    assert [row["name"] for row in rows(reply, "contacts")] == ["Ann", "Joann"]


def test_phone_and_email_are_fields_with_codes_and_kinds(kommo: Kommo) -> None:
    contact = kommo.account.add_contact("Ann Lee", email="ann@acme.example", phone="+370 1")
    body = kommo.get(f"contacts/{contact.id}").json()
    assert (body["first_name"], body["last_name"]) == ("Ann", "Lee")
    by_code = {row["field_code"]: row["values"][0] for row in body["custom_fields_values"]}
    assert by_code["EMAIL"]["value"] == "ann@acme.example"
    assert by_code["EMAIL"]["enum_code"] == "WORK"
    assert by_code["PHONE"].keys() == {"value", "enum_id", "enum_code"}


def test_a_written_field_is_overwritten_completely_and_others_stay(kommo: Kommo) -> None:
    contact = kommo.account.add_contact("Ann Lee", email="ann@acme.example", phone="+370 1")
    values = [{"value": "+370 2", "enum_code": "MOB"}, {"value": "+370 3", "enum_code": "HOME"}]
    kommo.patch(
        f"contacts/{contact.id}",
        {"custom_fields_values": [{"field_code": "PHONE", "values": values}]},
    )
    body = kommo.get(f"contacts/{contact.id}").json()
    by_code = {row["field_code"]: row["values"] for row in body["custom_fields_values"]}
    assert [one["value"] for one in by_code["PHONE"]] == ["+370 2", "+370 3"]
    assert by_code["EMAIL"][0]["value"] == "ann@acme.example"
    cleared = [{"field_code": "PHONE", "values": None}]
    kommo.patch(f"contacts/{contact.id}", {"custom_fields_values": cleared})
    body = kommo.get(f"contacts/{contact.id}").json()
    assert [row["field_code"] for row in body["custom_fields_values"]] == ["EMAIL"]


def test_a_merged_contact_is_gone_and_its_deals_have_the_other(kommo: Kommo) -> None:
    account = kommo.account
    keep, lose = account.add_contact("Ann Lee"), account.add_contact("A. Lee", email="a@x.example")
    deal = account.add_deal("Desk", contact=lose)
    account.merge_contacts(keep, lose)
    assert kommo.get(f"contacts/{lose.id}").status_code == 404
    embedded = kommo.get(f"leads/{deal.id}", **{"with": "contacts"}).json()["_embedded"]
    assert [(row["id"], row["is_main"]) for row in embedded["contacts"]] == [(keep.id, True)]
    merged = kommo.get(f"contacts/{keep.id}").json()["custom_fields_values"]
    assert merged[0]["values"][0]["value"] == "a@x.example"


def test_a_deleted_contact_leaves_its_deals(kommo: Kommo) -> None:
    contact = kommo.account.add_contact("Ann Lee")
    deal = kommo.account.add_deal("Desk", contact=contact)
    kommo.account.delete_contact(contact)
    embedded = kommo.get(f"leads/{deal.id}", **{"with": "contacts"}).json()["_embedded"]
    assert embedded["contacts"] == []
    assert kommo.get("contacts", **{"filter[id][]": contact.id}).status_code == 204


def test_links_are_written_as_is_main_and_read_as_main_contact(kommo: Kommo) -> None:
    first, second = kommo.account.add_contact("Ann"), kommo.account.add_contact("Bob")
    deal = kommo.account.add_deal("Desk", contact=first)
    row = {"to_entity_id": second.id, "to_entity_type": "contacts", "metadata": {"is_main": True}}
    assert kommo.post(f"leads/{deal.id}/link", [row]).status_code == 200
    links = rows(kommo.get(f"leads/{deal.id}/links"), "links")
    assert [(one["to_entity_id"], one["metadata"]) for one in links] == [
        (first.id, {"main_contact": False}),
        (second.id, {"main_contact": True}),
    ]


def test_links_in_bulk_need_the_entity_ids(kommo: Kommo) -> None:
    company = kommo.account.add_company("Acme")
    deal = kommo.account.add_deal("Desk", company=company)
    assert kommo.get("leads/links").status_code == 400
    (link,) = rows(kommo.get("leads/links", **{"filter[entity_id][]": deal.id}), "links")
    assert (link["entity_id"], link["to_entity_id"]) == (deal.id, company.id)
    assert link["metadata"] is None


def test_a_link_to_nothing_is_refused(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    row = {"to_entity_id": 1, "to_entity_type": "contacts"}
    assert errors(kommo.post(f"leads/{deal.id}/link", [row])) == [
        ("0", "NotSupportedChoice", "to_entity_id")
    ]


def test_a_product_has_its_price_as_text_and_not_deleted_as_null(kommo: Kommo) -> None:
    catalog = kommo.account.products_catalog
    element = kommo.account.add_element(catalog, "Chair", sku="CH-1", price="120.50")
    (row,) = rows(kommo.get(f"catalogs/{catalog.id}/elements"), "elements")
    by_code = {one["field_code"]: one["values"][0]["value"] for one in row["custom_fields_values"]}
    assert by_code == {"SKU": "CH-1", "PRICE": "120.50"}
    assert row["is_deleted"] is None
    assert kommo.get(f"catalogs/{catalog.id}/elements/{element.id}").json()["id"] == element.id


def test_products_are_fetched_in_a_batch_by_ids(kommo: Kommo) -> None:
    catalog = kommo.account.products_catalog
    made = [kommo.account.add_element(catalog, f"Chair {n}") for n in range(3)]
    params = {"filter[id][0]": made[1].id, "filter[id][1]": made[2].id}
    reply = kommo.get(f"catalogs/{catalog.id}/elements", **params)
    assert [row["id"] for row in rows(reply, "elements")] == [made[1].id, made[2].id]


def test_there_is_one_products_list_and_ten_lists(kommo: Kommo) -> None:
    refused = kommo.post("catalogs", [{"name": "More", "type": "products"}])
    assert errors(refused) == [("0", "NotSupportedChoice", "type")]
    for number in range(9):
        assert kommo.post("catalogs", [{"name": f"List {number}"}]).status_code == 200
    assert errors(kommo.post("catalogs", [{"name": "Eleventh"}])) == [("0", "TooMany", "name")]


def test_elements_are_made_and_changed_in_arrays(kommo: Kommo) -> None:
    path = f"catalogs/{kommo.account.products_catalog.id}/elements"
    row = {
        "name": "Chair",
        "custom_fields_values": [{"field_code": "PRICE", "values": [{"value": "120.50"}]}],
    }
    (made,) = rows(kommo.post(path, [row]), "elements")
    assert made["custom_fields_values"][0]["values"] == [{"value": "120.50"}]
    kommo.patch(path, [{"id": made["id"], "name": "Stool"}])
    assert kommo.get(f"{path}/{made['id']}").json()["name"] == "Stool"
    assert kommo.patch(f"{path}/{made['id']}", {"name": "Bench"}).status_code == 200


def test_won_and_lost_have_the_same_ids_in_every_pipeline(kommo: Kommo) -> None:
    found = rows(kommo.get("leads/pipelines"), "pipelines")
    assert len(found) == 2
    for pipeline in found:
        stages = pipeline["_embedded"]["statuses"]
        assert [stage["id"] for stage in stages[-2:]] == [142, 143]
        assert [stage["type"] for stage in stages].count(1) == 1
        assert stages[0]["type"] == 1
        assert {stage["pipeline_id"] for stage in stages} == {pipeline["id"]}


def test_stages_can_be_read_alone(kommo: Kommo) -> None:
    pipeline = kommo.account.main_pipeline
    path = f"leads/pipelines/{pipeline.id}/statuses"
    found = rows(kommo.get(path), "statuses")
    assert len(found) == len(pipeline.stages)
    one = kommo.get(f"{path}/142", **{"with": "descriptions"}).json()
    assert (one["name"], one["descriptions"]) == ("Closed - won", [])


def test_a_stage_that_users_delete_sends_its_deals_back(kommo: Kommo) -> None:
    pipeline = kommo.account.main_pipeline
    stage = pipeline.stage("Issue invoice")
    deal = kommo.account.add_deal("Desk", stage_id=stage.id)
    path = f"leads/pipelines/{pipeline.id}/statuses/{stage.id}"
    assert kommo.send("DELETE", f"/api/v4/{path}").status_code == 204
    assert deal.status_id == pipeline.first_stage.id
    assert (
        kommo.send("DELETE", f"/api/v4/leads/pipelines/{pipeline.id}/statuses/142").status_code
        == 403
    )


def test_the_account_tells_currency_and_zone(kommo: Kommo) -> None:
    body = kommo.get("account", **{"with": "datetime_settings,task_types,amojo_id"}).json()
    assert (body["currency"], body["currency_symbol"]) == ("EUR", "€")
    settings = body["_embedded"]["datetime_settings"]
    assert (settings["timezone"], settings["timezone_offset"]) == ("Europe/Vilnius", "+02:00")
    assert body["_embedded"]["task_types"][0]["id"] == 1
    assert "amojo_id" in body
    assert "_embedded" not in kommo.get("account").json()
