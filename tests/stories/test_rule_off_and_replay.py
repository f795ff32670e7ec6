"""A rule that is off bills nothing, also later; a person replays what it left out."""

from datetime import timedelta

import pytest

from server.flows import replay as flows_replay
from server.flows.replay import Wanted, replay
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


def test_off_three_deals_pass_on_nothing_and_replay_bills_the_three_once(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(3)]
    for deal in deals:
        shop.issue(deal)
    rig.clock.advance(timedelta(minutes=5))
    rig.rule_on(RULE)
    rig.later(minutes=1)
    rig.sweep()
    assert shop.invoices == []

    would = replay(rig.world, Wanted(rig.account_id), dry_run=True)
    assert {one.subject for one in would} >= {f"deal:{deal.id}" for deal in deals}
    rig.pump()
    assert shop.invoices == []

    for _ in range(2):
        replay(rig.world, Wanted(rig.account_id))
        rig.pump()
    assert len(shop.invoices) == 3
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 3


def test_replay_while_the_rule_is_off_bills_nothing(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    shop.issue(shop.deal())
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert shop.invoices == []


def test_replay_keeps_to_its_bounds_of_time(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    shop.issue(shop.deal())
    rig.clock.advance(timedelta(hours=1))
    border = rig.clock.now()
    late = shop.deal(contact=shop.contact("late@acme.test"))
    shop.issue(late)
    rig.rule_on(RULE)
    replay(rig.world, Wanted(rig.account_id, since=border))
    rig.pump()
    assert len(shop.invoices) == 1
    assert shop.shown(late) == "Sent"


def test_a_replay_of_more_than_one_batch_bills_each_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows_replay, "BATCH", 3)
    shop = Shop(rig, on=False)
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(4)]
    for deal in deals:
        shop.issue(deal)
    rig.rule_on(RULE)
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 4
    assert len(shop.invoices) == 4


def test_a_stage_that_a_rule_gets_later_bills_from_then_on_and_nothing_older(rig: Rig) -> None:
    shop = Shop(rig)
    old = shop.deal(stage="Offer")
    waiting = shop.deal(contact=shop.contact("waiting@acme.test"))
    rig.later(hours=5)
    shop.move(waiting)  # on its way by the stage that the rule has had all along
    rig.sandbox.deliveries.deliver_due()
    document = shop.document("mark_sent", {})
    place = {"pipeline_id": shop.pipeline.id, "stage_id": shop.stage("Offer")}
    document["rules"][0]["when"].append(place)
    rig.settings(document)
    rig.pump()
    assert shop.shown(waiting) == "Sent"

    rig.kommo.update_deal(old.id, name="Renamed")
    rig.later(minutes=1)
    assert len(shop.invoices) == 1
    assert "before the rule “Issue” named it" in shop.job_of(old).said

    rig.later(minutes=5)
    young = shop.deal(contact=shop.contact("young@acme.test"))
    shop.move(young, "Offer")
    rig.pump()
    assert shop.shown(young) == "Sent"
