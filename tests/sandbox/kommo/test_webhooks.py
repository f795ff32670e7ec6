"""Subscriptions, bodies, retries and disabling (kommo.md §3)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from flask import Flask, Response, request

from server.sandbox.kommo.book.records import WON
from server.sandbox.serve import serve
from tests.sandbox.kommo.calls import CLIENT_ID, Kommo, errors

pytestmark = pytest.mark.quirk

ALL_LEAD = ["add_lead", "status_lead", "update_lead", "delete_lead", "restore_lead"]


class Receiver:
    """Our end of the webhook: keeps what arrives, answers ``status``."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []
        app = Flask("receiver")
        app.add_url_rule("/hook", view_func=self.take, methods=["POST"])
        self.served = serve(app)
        self.url = f"{self.served.url}/hook"

    def take(self) -> Response:
        self.got.append((dict(request.headers), request.get_data()))
        return Response(status=self.status)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.served.stop()


def subscribe(kommo: Kommo, url: str, *settings: str) -> dict[str, object]:
    reply = kommo.post("webhooks", {"destination": url, "settings": list(settings), "sort": 10})
    assert reply.status_code == 201, reply.text
    body: dict[str, object] = reply.json()
    return body


def test_a_subscription_is_upserted_by_destination(kommo: Kommo) -> None:
    first = subscribe(kommo, "https://hooks.example.test/a", "status_lead")
    second = subscribe(kommo, "https://hooks.example.test/a", "update_lead", "add_lead")
    assert first["id"] == second["id"]
    assert second["settings"] == ["update_lead", "add_lead"]
    other = "https://hooks.example.test/b"
    subscribe(kommo, other, "add_lead")
    reply = kommo.get("webhooks", **{"filter[destination]": other}).json()
    assert reply["_total_items"] == 1
    assert reply["_embedded"]["webhooks"][0]["destination"] == other


def test_a_subscription_is_deleted_by_a_json_body(kommo: Kommo) -> None:
    url = "https://hooks.example.test/a"
    subscribe(kommo, url, "add_lead")
    body = {"destination": url}
    assert kommo.send("DELETE", "/api/v4/webhooks", json=body).status_code == 204
    assert kommo.send("DELETE", "/api/v4/webhooks", json=body).status_code == 404
    assert kommo.get("webhooks").status_code == 204


def test_an_unknown_event_code_and_a_cyrillic_host_are_refused(kommo: Kommo) -> None:
    row = {"destination": "https://hooks.example.test", "settings": ["lead_status"]}
    assert errors(kommo.post("webhooks", row)) == [("0", "NotSupportedChoice", "settings.0")]
    row = {"destination": "https://пример.example", "settings": ["add_lead"]}
    assert errors(kommo.post("webhooks", row)) == [("0", "InvalidUrl", "destination")]


def test_an_account_has_a_hundred_webhooks_at_most(kommo: Kommo) -> None:
    for number in range(100):
        subscribe(kommo, f"https://hooks.example.test/{number}", "add_lead")
    row = {"destination": "https://hooks.example.test/x", "settings": ["add_lead"]}
    assert errors(kommo.post("webhooks", row)) == [("0", "TooMany", "destination")]
    subscribe(kommo, "https://hooks.example.test/7", "update_lead")


def test_only_admins_manage_webhooks(kommo: Kommo) -> None:
    kommo.connect(kommo.account.add_user("Mark Reed").id)
    row = {"destination": "https://hooks.example.test", "settings": ["add_lead"]}
    assert kommo.post("webhooks", row).status_code == 403


def test_a_plan_without_webhooks_refuses_and_sends_none(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test/a", "add_lead")
    kommo.sandbox.kommo.switches.plan_has_webhooks = False
    kommo.sandbox.kommo.switches.no_webhooks_status = 402
    assert kommo.get("webhooks").status_code == 402
    kommo.account.add_deal("Desk")
    assert kommo.hook_pairs() == []


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


def tries(kommo: Kommo, receiver: Receiver) -> list[int]:
    """Minutes after the first try at which the hook came again."""
    minutes = []
    for minute in range(0, 240, 5):
        before = len(receiver.got)
        kommo.sandbox.deliveries.deliver_due()
        minutes += [minute] * (len(receiver.got) - before)
        kommo.sandbox.clock.advance(timedelta(minutes=5))
    return minutes


@pytest.mark.parametrize(
    ("status", "minutes"),
    [
        (204, [0]),
        (302, [0, 5, 20]),
        (404, [0, 5, 20]),
        (500, [0, 5, 20, 35, 95]),
        (503, [0, 5, 20, 35, 95]),
    ],
)
def test_a_refused_hook_comes_again_by_the_table(
    kommo: Kommo, receiver: Receiver, status: int, minutes: list[int]
) -> None:
    subscribe(kommo, receiver.url, "add_lead")
    receiver.status = status
    kommo.account.add_deal("Desk")
    assert tries(kommo, receiver) == minutes
    assert len({body for _, body in receiver.got}) == 1


def test_a_hook_is_disabled_after_more_than_a_hundred_invalid_answers_in_two_hours(
    kommo: Kommo, receiver: Receiver
) -> None:
    subscribe(kommo, receiver.url, "add_lead")
    receiver.status = 404

    def disabled() -> bool:
        return bool(kommo.get("webhooks").json()["_embedded"]["webhooks"][0]["disabled"])

    for number in range(100):
        kommo.account.add_deal(f"Deal {number}")
    kommo.sandbox.deliveries.deliver_due()
    assert not disabled()
    kommo.account.add_deal("One more")
    kommo.sandbox.deliveries.deliver_due()
    assert disabled()
    count = len(kommo.hook_pairs())
    kommo.account.add_deal("Unheard")
    assert len(kommo.hook_pairs()) == count
    subscribe(kommo, receiver.url, "add_lead")
    assert not disabled()


def test_by_a_switch_posting_again_leaves_a_hook_disabled(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.post_enables_hook = False
    url = "https://hooks.example.test"
    subscribe(kommo, url, "add_lead")
    (hook,) = kommo.account.hooks.values()
    hook.disabled = True
    assert subscribe(kommo, url, "add_lead")["disabled"] is True
    kommo.account.enable_hook(hook.id)
    assert subscribe(kommo, url, "add_lead")["disabled"] is False


def test_a_stage_hook_carries_ids_alone(kommo: Kommo) -> None:
    sales, service = kommo.account.pipelines.values()
    stage = sales.stage("Issue invoice")
    kommo.account.add_dp_hook(sales.id, stage.id, "http://127.0.0.1:1/dp")
    deal = kommo.account.add_deal("Desk", "5", pipeline_id=service.id)
    old = deal.status_id
    kommo.account.move_deal(deal.id, stage.id, sales.id)
    (pairs,) = kommo.hook_pairs()
    assert pairs == {
        "leads[status][0][id]": str(deal.id),
        "leads[status][0][status_id]": str(stage.id),
        "leads[status][0][pipeline_id]": str(sales.id),
        "leads[status][0][old_status_id]": str(old),
        "leads[status][0][old_pipeline_id]": str(service.id),
        "account[id]": str(kommo.account.account_id),
        "account[subdomain]": "demo",
    }


def test_a_stage_hook_for_a_new_deal_says_add(kommo: Kommo) -> None:
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(stage.pipeline_id, stage.id, "http://127.0.0.1:1/dp")
    deal = kommo.account.add_deal("Desk", stage_id=stage.id)
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[add][0][id]"] == str(deal.id)
    assert "leads[add][0][old_status_id]" not in pairs


def test_a_stage_hook_can_be_json_without_account(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.dp_json = True
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(stage.pipeline_id, stage.id, "http://127.0.0.1:1/dp")
    kommo.account.add_deal("Desk", stage_id=stage.id)
    (hook,) = kommo.sandbox.deliveries.history
    assert hook.headers["Content-Type"] == "application/json"
    assert json.loads(hook.body).keys() == {"leads"}


def test_a_widgets_stage_action_sends_its_settings(kommo: Kommo) -> None:
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(
        stage.pipeline_id, stage.id, "http://127.0.0.1:1/dp", widget_settings={"key": "K"}
    )
    deal = kommo.account.add_deal("Desk")
    kommo.account.move_deal(deal.id, stage.id)
    (pairs,) = kommo.hook_pairs()
    assert pairs["event[type_code]"] == "lead_status_changed"
    assert pairs["event[data][id]"] == str(deal.id)
    assert pairs["action[settings][widget][settings][key]"] == "K"
    assert (pairs["subdomain"], pairs["account_id"]) == ("demo", str(kommo.account.account_id))


@pytest.mark.parametrize(("retries", "count"), [("four", 5), ("once", 1)])
def test_a_stage_hook_is_tried_again_within_the_hour_or_never(
    kommo: Kommo, receiver: Receiver, retries: str, count: int
) -> None:
    kommo.sandbox.kommo.switches.dp_retries = retries  # type: ignore[assignment]
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(stage.pipeline_id, stage.id, receiver.url)
    receiver.status = 500
    kommo.account.add_deal("Desk", stage_id=stage.id)
    minutes = tries(kommo, receiver)
    assert len(minutes) == count
    assert max(minutes) <= 60


def test_a_stage_hook_is_suspended_for_five_minutes_after_a_hundred_failures(
    kommo: Kommo, receiver: Receiver
) -> None:
    kommo.sandbox.kommo.switches.dp_retries = "once"
    stage = kommo.account.main_pipeline.stage("Issue invoice")
    kommo.account.add_dp_hook(stage.pipeline_id, stage.id, receiver.url)
    receiver.status = 500
    for number in range(101):
        kommo.account.add_deal(f"Deal {number}", stage_id=stage.id)
    kommo.sandbox.deliveries.deliver_due()
    kommo.account.add_deal("Unheard", stage_id=stage.id)
    kommo.sandbox.clock.advance(timedelta(minutes=5))
    kommo.account.add_deal("Heard", stage_id=stage.id)
    kommo.sandbox.deliveries.deliver_due()
    assert len(receiver.got) == 102


def test_disabling_the_integration_takes_its_webhooks(kommo: Kommo) -> None:
    subscribe(kommo, "https://hooks.example.test", "add_lead")
    kommo.account.disable_integration(CLIENT_ID)
    kommo.account.add_deal("Desk")
    assert kommo.hook_pairs() == []


def test_by_a_switch_webhooks_outlive_their_integration(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.disabling_removes_hooks = False
    subscribe(kommo, "https://hooks.example.test", "add_lead")
    kommo.account.disable_integration(CLIENT_ID)
    kommo.account.add_deal("Desk")
    assert len(kommo.hook_pairs()) == 1


def test_by_a_switch_api_writes_bear_the_tokens_user(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.api_writes_as_robot = False
    subscribe(kommo, "https://hooks.example.test", "update_lead")
    deal = kommo.account.add_deal("Desk")
    kommo.patch(f"leads/{deal.id}", {"name": "Chair"})
    (pairs,) = kommo.hook_pairs()
    assert pairs["leads[update][0][modified_user_id]"] == str(kommo.account.admin.id)
