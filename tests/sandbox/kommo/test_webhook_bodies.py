"""What fires a webhook, and what its body tells (kommo.md §3)."""

from urllib.parse import parse_qsl

import pytest

from server.sandbox.kommo.book.records import WON
from tests.sandbox.kommo.calls import Kommo
from tests.sandbox.kommo.hook_receiver import Receiver, subscribe

pytestmark = pytest.mark.quirk


ALL_LEAD = ["add_lead", "status_lead", "update_lead", "delete_lead", "restore_lead"]


def test_a_hook_is_form_encoded_unsigned_and_in_the_v2_shape(
    kommo: Kommo, receiver: Receiver
) -> None:
    subscribe(kommo, receiver.url, "add_lead")
    date = kommo.account.add_field("leads", "date", "Due", "DUE")
    kind = kommo.account.add_field("leads", "select", "Kind", enums=["Retail"])
    deal = kommo.account.add_deal(
        "Office chairs", "1200.75", tags=["vip"], fields={"DUE": 1772452800, "Kind": "Retail"}
    )
    kommo.sandbox.deliveries.deliver_due()
    ((headers, body),) = receiver.got
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["User-Agent"] == "amoCRM-Webhooks/3.0"
    assert not [name for name in headers if "sign" in name.lower()]
    assert body.startswith(b"account%5Bsubdomain%5D=demo&account%5Bid%5D=")
    pairs = dict(parse_qsl(body.decode()))
    row = "leads[add][0]"
    assert pairs[f"{row}[id]"] == str(deal.id)
    assert pairs[f"{row}[name]"] == "Office chairs"
    assert pairs[f"{row}[price]"] == "1200"
    assert pairs[f"{row}[tags][0][name]"] == "vip"
    assert pairs[f"{row}[custom_fields][0][id]"] == str(date.id)
    assert pairs[f"{row}[custom_fields][0][values][0]"] == "1772452800"
    assert pairs[f"{row}[custom_fields][1][values][0][value]"] == "Retail"
    assert kind.enums is not None
    assert pairs[f"{row}[custom_fields][1][values][0][enum]"] == str(kind.enums[0].id)
    assert f"{row}[custom_fields][1][code]" not in pairs
    assert pairs[f"{row}[date_create]"] == pairs[f"{row}[created_at]"]


def test_the_account_block_stands_first_or_by_a_switch_last(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", "add_lead")
    kommo.account.add_deal("A")
    kommo.sandbox.kommo.switches.account_block_first = False
    kommo.account.add_deal("B")
    first, last = kommo.hook_pairs()
    assert next(iter(first)) == "account[subdomain]"
    assert list(last)[-1] == "account[_links][self]"


def test_a_deal_without_amount_has_no_price_key(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", "add_lead")
    kommo.account.add_deal("Desk")
    (pairs,) = kommo.hook_pairs()
    assert "leads[add][0][price]" not in pairs


def test_a_move_fires_a_status_hook_and_an_update_hook(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    old = deal.status_id
    subscribe(kommo, "https://hooks.example.test", "status_lead", "update_lead")
    kommo.account.move_deal(deal.id, WON)
    status, update = kommo.hook_pairs()
    assert status["leads[status][0][status_id]"] == "142"
    assert status["leads[status][0][old_status_id]"] == str(old)
    assert "leads[status][0][old_pipeline_id]" not in status
    assert update["leads[update][0][status_id]"] == "142"
    kommo.sandbox.kommo.switches.move_fires_update = False
    kommo.account.move_deal(deal.id, old)
    assert len(kommo.hook_pairs()) == 3


def test_a_deal_created_straight_into_a_stage_fires_add_alone(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", *ALL_LEAD)
    kommo.account.add_deal("Desk", stage_id=WON)
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[add][0][status_id]"] == "142"


def test_a_delete_tells_id_stage_and_pipeline_alone(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    subscribe(kommo, "https://hooks.example.test", *ALL_LEAD)
    kommo.account.delete_deal(deal.id)
    kommo.account.restore_deal(deal.id)
    deleted, restored = kommo.hook_pairs()
    assert [key for key in deleted if key.startswith("leads")] == [
        "leads[delete][0][id]",
        "leads[delete][0][status_id]",
        "leads[delete][0][pipeline_id]",
    ]
    assert restored["leads[restore][0][name]"] == "Desk"


def test_a_new_responsible_user_is_told_with_the_old_one(kommo: Kommo) -> None:
    mark = kommo.account.add_user("Mark Reed")
    deal = kommo.account.add_deal("Desk")
    old = deal.responsible_user_id
    subscribe(kommo, "https://hooks.example.test", "responsible_lead")
    kommo.account.update_deal(deal.id, responsible_user_id=mark.id)
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[responsible][0][old_responsible_user_id]"] == str(old)


def test_several_leads_can_travel_in_one_request(kommo: Kommo) -> None:
    deals = [kommo.account.add_deal(f"Deal {n}") for n in range(3)]
    subscribe(kommo, "https://hooks.example.test", "status_lead")
    with kommo.account.batch():
        for deal in deals:
            kommo.account.move_deal(deal.id, WON)
    (pairs,) = kommo.hook_pairs()
    assert [pairs[f"leads[status][{n}][id]"] for n in range(3)] == [str(d.id) for d in deals]


def test_companies_travel_under_contacts_told_apart_by_type(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", "add_contact", "add_company", "update_contact")
    company = kommo.account.add_company("Acme")
    contact = kommo.account.add_contact("Ann Lee", email="ann@x.example", company=company)
    deal = kommo.account.add_deal("Desk", contact=contact)
    kommo.account.update_contact(contact.id, name="Ann Li")
    added_company, added_contact, changed = kommo.hook_pairs()
    assert added_company["contacts[add][0][type]"] == "company"
    assert added_contact["contacts[add][0][type]"] == "contact"
    assert added_contact["contacts[add][0][company_name]"] == "Acme"
    assert added_contact["contacts[add][0][custom_fields][0][code]"] == "EMAIL"
    assert changed[f"contacts[update][0][linked_leads_id][{deal.id}][ID]"] == str(deal.id)


def test_tasks_notes_and_products_have_hooks_of_their_own_shape(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")
    subscribe(
        kommo,
        "https://hooks.example.test",
        "add_task",
        "update_task",
        "note_lead",
        "update_catalog",
    )
    till = kommo.sandbox.clock.timestamp()
    row = {"text": "Call", "complete_till": till, "entity_id": deal.id, "entity_type": "leads"}
    kommo.post("tasks", [row])
    kommo.account.complete_task(next(iter(kommo.account.tasks)), "Done")
    kommo.post(f"leads/{deal.id}/notes", [{"note_type": "common", "params": {"text": "Hi"}}])
    element = kommo.account.add_element(kommo.account.products_catalog, "Chair")
    kommo.account.update_element(element.id, name="Stool")
    task, closed, note, product = kommo.hook_pairs()
    assert task["task[add][0][complete_till]"] == "2026-03-02 14:00:00"
    assert (task["task[add][0][element_type]"], task["task[add][0][status]"]) == ("2", "0")
    assert closed["task[update][0][result][text]"] == "Done"
    assert note["leads[note][0][note][note_type]"] == "4"
    assert product["catalogs[update][0][name]"] == "Stool"


def test_own_writes_come_back_as_hooks_by_the_robot_unless_switched_off(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", "update_lead")
    deal = kommo.account.add_deal("Desk")
    kommo.patch(f"leads/{deal.id}", {"name": "Chair"})
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[update][0][modified_user_id]"] == "0"
    kommo.sandbox.kommo.switches.own_writes_fire_hooks = False
    kommo.patch(f"leads/{deal.id}", {"name": "Stool"})
    assert len(kommo.hook_pairs()) == 1
    kommo.account.update_deal(deal.id, name="Bench")
    assert kommo.hook_pairs()[1]["leads[update][0][modified_user_id]"] != "0"


def test_by_a_switch_api_writes_bear_the_tokens_user(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.api_writes_as_robot = False
    subscribe(kommo, "https://hooks.example.test", "update_lead")
    deal = kommo.account.add_deal("Desk")
    kommo.patch(f"leads/{deal.id}", {"name": "Chair"})
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[update][0][modified_user_id]"] == str(kommo.account.admin.id)
