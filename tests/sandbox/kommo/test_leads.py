"""Reading one deal over API v4 (kommo.md §4.0, §4.2)."""

import pytest

from server.sandbox.kommo.book.records import WON
from tests.sandbox.kommo.calls import Kommo

pytestmark = pytest.mark.quirk


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


def test_a_closed_deal_says_when_and_an_opened_one_forgets(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    kommo.patch(f"leads/{deal.id}", {"status_id": WON})
    assert kommo.get(f"leads/{deal.id}").json()["closed_at"] == kommo.sandbox.clock.timestamp()
    stage = kommo.account.main_pipeline.first_stage.id
    kommo.patch(f"leads/{deal.id}", {"status_id": stage})
    assert kommo.get(f"leads/{deal.id}").json()["closed_at"] is None


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
