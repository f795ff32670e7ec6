"""A plan without webhooks, and a hook that Kommo disabled: deals are billed all the same."""

from datetime import timedelta

from server.flows import periodic
from tests.rig import Rig
from tests.stories.shop import Shop


def test_a_plan_without_webhooks_is_billed_from_its_events_within_a_minute(bare_rig: Rig) -> None:
    bare_rig.sandbox.kommo.switches.plan_has_webhooks = False
    shop = Shop(bare_rig.connect())
    deal = shop.deal()
    bare_rig.clock.advance(timedelta(seconds=5))
    shop.issue(deal)
    assert shop.invoices == []
    bare_rig.clock.advance(timedelta(minutes=1))
    periodic.defer_due(bare_rig.world)
    bare_rig.pump()
    assert shop.shown(deal) == "Sent"


def test_a_disabled_hook_is_enabled_within_the_hour_and_what_was_missed_is_billed(
    shop: Shop, rig: Rig
) -> None:
    (hook,) = rig.kommo.hooks.values()
    hook.disabled = True
    deal = shop.deal()
    rig.clock.advance(timedelta(seconds=5))
    shop.issue(deal)
    assert shop.invoices == []
    rig.clock.advance(timedelta(hours=1))
    periodic.defer_due(rig.world)
    rig.pump()
    assert not next(iter(rig.kommo.hooks.values())).disabled
    assert shop.shown(deal) == "Sent"
