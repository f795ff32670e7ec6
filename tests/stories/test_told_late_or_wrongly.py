"""A deal's entering that Kommo told late, not at all, or of another account."""

import requests

from server.flows.replay import Wanted, replay
from server.sandbox.kommo.book.records import Deal
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


def left_before_the_rule_was_on(rig: Rig) -> tuple[Shop, Deal]:
    """A deal that was in the stage a minute ago, and is not now."""
    shop = Shop(rig, on=False)
    deal = shop.deal()
    shop.issue(deal)
    shop.move(deal, "Talks")
    rig.later(seconds=30)
    rig.rule_on(RULE)
    rig.later(seconds=30)
    return shop, deal


def test_entered_again_within_two_minutes_after_the_rule_was_switched_on(rig: Rig) -> None:
    shop, deal = left_before_the_rule_was_on(rig)
    shop.issue(deal)
    rig.sweep()
    assert shop.shown(deal) == "Sent"


def test_entered_again_within_two_minutes_and_its_hook_was_lost(rig: Rig) -> None:
    shop, deal = left_before_the_rule_was_on(rig)
    rig.sandbox.deliveries.drop_next(50)
    shop.move(deal)
    rig.sandbox.deliveries.behave()
    rig.pump()
    rig.sweep()
    assert shop.shown(deal) == "Sent"


def test_a_replay_takes_no_hook_of_another_account(shop: Shop, rig: Rig) -> None:
    rig.kommo.hooks.clear()
    deal = shop.deal(stage="Issue invoice")
    body = {
        "leads[status][0][id]": deal.id,
        "leads[status][0][status_id]": shop.stage("Issue invoice"),
        "leads[status][0][pipeline_id]": shop.pipeline.id,
        "account[id]": "999",
    }
    with requests.post(rig.hook_url(), data=body, timeout=10) as reply:
        assert reply.status_code == 204
    rig.pump()
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert shop.invoices == []


def test_events_that_kommo_lists_late_are_not_passed_over(shop: Shop, rig: Rig) -> None:
    for _ in range(3):
        rig.sweep()
    rig.sandbox.kommo.switches.events_lag_seconds = 1200
    deal = shop.deal()
    rig.pump()
    rig.sandbox.deliveries.drop_next(50)
    shop.move(deal)
    rig.sandbox.deliveries.behave()
    for _ in range(8):
        rig.sweep()
    assert shop.shown(deal) == "Sent"
