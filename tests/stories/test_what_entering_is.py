"""What entering a stage is: proven by a hook or by Kommo's own list, and undone by moving back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests

from server.core.states import JobState
from server.flows.vendor_lists import lists_of
from server.sandbox.faults import Fault
from server.store import inbox
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


def left_out(shop: Shop, deal: object) -> str:
    job = shop.job_of(deal)  # type: ignore[arg-type]
    assert job.state == JobState.LEFT_OUT, (job.state, job.said)
    assert shop.invoices == []
    return str(job.said)


def test_a_deal_created_straight_into_the_stage_is_billed(shop: Shop, rig: Rig) -> None:
    deal = shop.deal(stage="Issue invoice")
    rig.pump()
    assert shop.shown(deal) == "Sent"


def test_an_update_hook_alone_is_proven_by_kommos_events(shop: Shop, rig: Rig) -> None:
    for hook in rig.kommo.hooks.values():
        hook.settings = ["update_lead"]
    deal = shop.deal()
    rig.clock.advance(timedelta(seconds=5))
    shop.issue(deal)
    assert shop.shown(deal) == "Sent"


def test_a_digital_pipeline_hook_alone_bills(shop: Shop, rig: Rig) -> None:
    rig.kommo.hooks.clear()
    rig.kommo.add_dp_hook(shop.pipeline.id, shop.stage("Issue invoice"), rig.hook_url("kommo-dp"))
    deal = shop.deal()
    shop.issue(deal)
    assert shop.shown(deal) == "Sent"


def test_a_digital_pipeline_hook_in_json_bills(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.move(deal)
    body = {
        "leads": {
            "status": [
                {
                    "id": deal.id,
                    "status_id": shop.stage("Issue invoice"),
                    "pipeline_id": shop.pipeline.id,
                    "old_status_id": shop.stage("Talks"),
                    "old_pipeline_id": shop.pipeline.id,
                }
            ]
        }
    }
    with requests.post(rig.hook_url("kommo-dp"), json=body, timeout=10) as reply:
        assert reply.status_code == 204
    rig.runner.drain()
    assert shop.shown(deal) == "Sent"


def test_moved_on_before_we_read_it_is_still_billed(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.move(deal)
    rig.kommo.move_deal(deal.id, 142)
    rig.pump()
    assert shop.shown(deal) == "Sent"


def test_moved_back_before_we_read_it_is_left_out(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.move(deal)
    shop.move(deal, "Talks")
    rig.pump()
    assert "moved back" in left_out(shop, deal)


def test_lost_before_we_read_it_is_left_out(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.move(deal)
    rig.kommo.move_deal(deal.id, 143)
    rig.pump()
    assert "lost" in left_out(shop, deal)


def test_moved_to_another_pipeline_is_left_out(shop: Shop, rig: Rig) -> None:
    service = rig.kommo.add_pipeline("Service", ["Booked"])
    deal = shop.deal()
    shop.move(deal)
    rig.kommo.move_deal(deal.id, service.stage("Booked").id, service.id)
    rig.pump()
    assert "another pipeline" in left_out(shop, deal)


def test_a_deleted_deal_is_left_out(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.move(deal)
    rig.kommo.delete_deal(deal.id)
    rig.pump()
    assert "deleted" in left_out(shop, deal)


def test_a_merged_contact_is_billed_as_the_one_that_stays(shop: Shop, rig: Rig) -> None:
    stays, goes = shop.contact("stays@acme.test"), shop.contact("goes@acme.test")
    deal = shop.deal(contact=goes)
    shop.move(deal)
    rig.kommo.merge_contacts(stays, goes)
    rig.pump()
    assert [client["email"] for client in shop.clients] == ["stays@acme.test"]
    assert shop.shown(deal) == "Sent"


def test_a_rule_may_want_the_deal_still_in_the_stage(shop: Shop, rig: Rig) -> None:
    rig.settings(shop.document("draft", {}, still_in_stage=True))
    deal = shop.deal()
    shop.move(deal)
    rig.kommo.move_deal(deal.id, 142)
    rig.pump()
    assert "left the stage" in left_out(shop, deal)


def test_an_unmet_condition_is_said_in_words(shop: Shop, rig: Rig) -> None:
    condition = {"field": "deal.price", "is": "greater", "value": "500"}
    rig.settings(shop.document("draft", {}, conditions=[condition]))
    deal = shop.deal("100.00")
    shop.issue(deal)
    assert "bills only if" in left_out(shop, deal)


def box(rig: Rig, name: str) -> str:
    return f"deal.cf.{rig.kommo.add_field('leads', 'checkbox', name).id}"


def wants_unticked(shop: Shop, key: str) -> None:
    condition = {"field": key, "is": "equals", "value": False}
    shop.rig.settings(shop.document("draft", {}, conditions=[condition]))
    shop.rig.pump()


def issued(shop: Shop) -> Any:
    deal = shop.deal()
    shop.issue(deal)
    return deal


def test_a_box_never_ticked_is_not_ticked_but_one_that_was_deleted_waits_for_another(
    shop: Shop, rig: Rig
) -> None:
    gone, there = box(rig, "Wholesale"), box(rig, "Paid")
    lists_of(rig.world, rig.account_id)
    rig.kommo.delete_field(int(gone.removeprefix("deal.cf.")))
    rig.clock.advance(timedelta(minutes=10))
    wants_unticked(shop, gone)
    deal = issued(shop)
    asks = f"asks for the field {gone}, which does not exist any more in Kommo. Choose another"
    assert shop.job_of(deal).state == JobState.PARKED
    assert asks in shop.job_of(deal).said
    assert len(shop.open_tasks(deal)) == 1
    wants_unticked(shop, there)
    assert (shop.shown(deal), shop.open_tasks(deal)) == ("Draft", [])


def test_a_field_is_gone_only_where_kommo_lists_the_others_after_the_deal_has_entered(
    shop: Shop, rig: Rig
) -> None:
    lists_of(rig.world, rig.account_id)
    rig.clock.advance(timedelta(seconds=20))
    wants_unticked(shop, box(rig, "Made since"))
    assert shop.shown(issued(shop)) == "Draft"
    rig.clock.advance(timedelta(minutes=10))
    other_lists = "GET /api/v4/catalogs/*/custom_fields"
    rig.sandbox.faults.add(Fault("error_before", other_lists, "kommo", times=None))
    assert shop.shown(issued(shop)) == "Draft"
    rig.clock.advance(timedelta(minutes=10))
    none = Fault("error_before", "GET /api/v4/leads/custom_fields", "kommo", status=404)
    rig.sandbox.faults.add(replace(none))
    assert shop.shown(issued(shop)) == "Draft"
    wants_unticked(shop, box(rig, "Newest"))
    rig.sandbox.faults.add(none)
    deal = issued(shop)
    assert "does not list its fields" in shop.job_of(deal).said
    rig.later(minutes=1)
    assert shop.shown(deal) == "Draft"


def test_lost_hooks_are_found_by_the_sweep_of_events(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    created = shop.deal(stage="Issue invoice", contact=shop.contact("new@acme.test"))
    rig.clock.advance(timedelta(seconds=5))
    rig.sandbox.deliveries.drop_next(50)
    shop.move(deal)
    rig.sandbox.deliveries.behave()
    rig.pump()
    rig.sweep()
    assert [shop.shown(deal), shop.shown(created)] == ["Sent", "Sent"]


def test_a_sweep_meets_what_hooks_told_without_a_second_look(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    rig.clock.advance(timedelta(seconds=90))
    calls = rig.sandbox.kommo.calls
    calls.clear()
    rig.sweep()
    looked = {path for _, path, _ in calls} - {"/api/v4/webhooks"}  # the hourly look at the hook
    assert looked == {"/api/v4/events"}


def test_a_deal_that_stood_in_the_stage_before_the_rule_was_on_is_never_touched(
    rig: Rig,
) -> None:
    shop = Shop(rig, on=False)
    old = shop.deal(stage="Issue invoice")
    rig.pump()
    rig.clock.advance(timedelta(minutes=1))
    rig.rule_on(RULE)
    rig.kommo.update_deal(old.id, name="Renamed")
    rig.later(minutes=1)
    rig.sweep()
    assert shop.invoices == []


def test_a_task_that_asked_for_help_is_completed_when_the_deal_moves_back(
    shop: Shop, rig: Rig
) -> None:
    deal = shop.deal(contact=shop.contact(None))
    shop.issue(deal)
    (task,) = shop.open_tasks(deal)
    shop.move(deal, "Talks")
    rig.pump()
    assert shop.open_tasks(deal) == []
    assert "moved back" in task.result


def test_a_deal_that_stands_twice_in_one_hook_enters_once(shop: Shop, rig: Rig) -> None:
    deal, other = shop.deal(), shop.deal()
    shop.move(deal)
    row = {
        "id": deal.id,
        "status_id": shop.stage("Issue invoice"),
        "pipeline_id": shop.pipeline.id,
    }
    update = {**row, "id": other.id, "status_id": shop.stage("Talks")}
    body = {"leads": {"update": [update, row], "status": [row, row]}}
    with requests.post(rig.hook_url("kommo-dp"), json=body, timeout=10) as reply:
        assert reply.status_code == 204
    event = rig.in_database(
        lambda session: list(inbox.events(session, account_id=rig.account_id, kinds=["kommo-dp"]))
    )[-1]
    assert event.verdict == "3 of 4 to look at"
    entries = rig.in_database(lambda session: inbox.entries(session, rig.account_id, deal.id))
    assert [(e.stage_id, e.event_id) for e in entries] == [(row["status_id"], event.id)]
    rig.runner.drain()
    assert shop.shown(deal) == "Sent"
