"""Lists of deals over API v4: their pages, filters and searches (kommo.md §4.0, §4.2)."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox.kommo.book.records import WON
from tests.sandbox.kommo.calls import Kommo, errors

pytestmark = pytest.mark.quirk


def names(reply: Any) -> list[str]:
    return [row["name"] for row in reply.json()["_embedded"]["leads"]]


def test_an_empty_list_is_204_without_body(kommo: Kommo) -> None:
    reply = kommo.get("leads")
    assert (reply.status_code, reply.content) == (204, b"")


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


def test_more_than_250_rows_are_refused_on_writing_and_reading(kommo: Kommo) -> None:
    assert kommo.post("leads", [{"name": "A"}] * 251).status_code == 400
    assert kommo.post("leads", [{"name": "A"}] * 250).status_code == 200
    assert errors(kommo.get("leads", limit=251)) == [("0", "InvalidValue", "limit")]
    assert len(kommo.get("leads", limit=250).json()["_embedded"]["leads"]) == 250
