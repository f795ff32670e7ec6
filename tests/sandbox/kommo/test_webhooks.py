"""Subscribing to webhooks, their retries, and what disables or takes them (kommo.md §3)."""

import pytest

from tests.sandbox.kommo.calls import CLIENT_ID, Kommo, errors
from tests.sandbox.kommo.hook_receiver import Receiver, subscribe, tries

pytestmark = pytest.mark.quirk


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
