"""A rule that is off bills nothing, also later; a person replays what it left out."""

from datetime import timedelta

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
