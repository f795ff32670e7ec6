"""Hooks of the digital pipeline: a stage's own, with their bodies and retries (kommo.md §3)."""

import json
from datetime import timedelta

import pytest

from tests.sandbox.kommo.calls import Kommo
from tests.sandbox.kommo.hook_receiver import Receiver, tries

pytestmark = pytest.mark.quirk


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
