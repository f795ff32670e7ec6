"""Once per deal, once in each series, and again on re-entry: as the rules say, and never more."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.core.settings import InvalidSettings
from server.core.states import JobState
from server.flows import activity, replay
from server.flows.replay import Wanted
from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE, RULE, Shop
from tests.stories.test_never_twice import post
from tests.stories.test_review_kill_anywhere import MOST_COMMITS, KilledError, killed_at

DEPOSIT, FINAL = "deposit", "final"
WHILE = timedelta(minutes=30)
SHORT_WHILE = timedelta(minutes=3)  # tokens live for hours; their renewal has tests of its own


def rule(shop: Shop, slug: str, stage: str, **more: Any) -> dict[str, Any]:
    when = [{"pipeline_id": shop.pipeline.id, "stage_id": shop.stage(stage)}]
    return {"slug": slug, "name": slug.title(), "when": when, "action": "mark_sent", **more}


def save(shop: Shop, *rules: dict[str, Any], **mapping: Any) -> None:
    shop.rig.settings({"rules": list(rules), "mapping": mapping})


def two_series(rig: Rig) -> Shop:
    """A deposit at "Offer", the rest at "Issue invoice", each in its own series."""
    shop = Shop(rig, on=False)
    save(
        shop,
        rule(shop, DEPOSIT, "Offer", series=DEPOSIT),
        rule(shop, FINAL, "Issue invoice", series=FINAL),
    )
    for slug in (DEPOSIT, FINAL):
        rig.rule_on(slug)
    rig.pump()
    return shop


def again(rig: Rig, **more: Any) -> Shop:
    """One rule, which bills each time that a deal enters "Issue invoice"."""
    shop = Shop(rig)
    save(shop, rule(shop, RULE, "Issue invoice", again=True, **more))
    rig.later(minutes=5)
    return shop


def enters_again(shop: Shop, deal: Any) -> None:
    shop.rig.clock.advance(WHILE)
    shop.move(deal, "Talks")
    shop.rig.pump()
    shop.rig.clock.advance(WHILE)
    shop.issue(deal)


def told_of(rig: Rig, stage_id: int) -> str:
    """The body of the last hook that told of a move into this stage."""
    hooks = [d for d in rig.sandbox.deliveries.history if d.label == "leads[status]"]
    return next(d.body.decode() for d in reversed(hooks) if str(stage_id) in d.body.decode())


def replayed(rig: Rig) -> None:
    replay.replay(rig.world, Wanted(rig.account_id))
    rig.pump()


def test_two_rules_of_two_series_bill_the_same_deal_once_each(rig: Rig) -> None:
    shop = two_series(rig)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    assert len(shop.invoices) == 1
    shop.issue(deal)
    assert len(shop.invoices) == 2
    for stage in ("Offer", "Issue invoice"):
        for _ in range(5):
            assert post(rig, told_of(rig, shop.stage(stage))) == 204
    rig.pump()
    rig.sweep()
    replayed(rig)
    assert len(shop.invoices) == 2
    first, second = shop.invoices
    assert first["po_number"] != second["po_number"]  # each is found by a reference of its own
    assert shop.shown(deal, "NUMBER") == second["invoice_number"]


def test_without_series_the_same_two_rules_bill_it_once(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    save(shop, rule(shop, DEPOSIT, "Offer"), rule(shop, FINAL, "Issue invoice"))
    for slug in (DEPOSIT, FINAL):
        rig.rule_on(slug)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    replayed(rig)
    assert len(shop.invoices) == 1


def test_what_is_missing_for_one_series_keeps_no_other(rig: Rig) -> None:
    shop = two_series(rig)
    final = rule(shop, FINAL, "Issue invoice", series=FINAL)
    save(shop, rule(shop, DEPOSIT, "Offer", series=DEPOSIT, action="email"), final)
    deal = shop.deal(contact=shop.contact(None), company=rig.kommo.add_company("Acme"))
    shop.move(deal, "Offer")
    rig.pump()
    assert shop.job_of(deal).state == JobState.PARKED
    save(
        shop,
        rule(shop, DEPOSIT, "Offer", series=DEPOSIT, action="email"),
        final,
        client={"match_by": "company"},
    )
    rig.pump()
    shop.issue(deal)
    assert len(shop.invoices) == 1
    assert shop.job_of(deal).state == JobState.PARKED  # the deposit still lacks its address


def test_a_deal_that_enters_again_is_billed_again_once(rig: Rig) -> None:
    shop = again(rig)
    deal = shop.deal()
    shop.issue(deal)
    assert len(shop.invoices) == 1
    enters_again(shop, deal)
    assert len(shop.invoices) == 2
    for _ in range(5):
        assert post(rig, told_of(rig, shop.stage("Issue invoice"))) == 204
    rig.pump()
    rig.sweep()
    replayed(rig)
    assert len(shop.invoices) == 2
    assert shop.shown(deal, "NUMBER") == shop.invoices[-1]["invoice_number"]
    enters_again(shop, deal)
    assert len(shop.invoices) == 3


def test_without_being_told_to_a_rule_never_bills_again(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    enters_again(shop, deal)
    rig.sweep()
    replayed(rig)
    assert len(shop.invoices) == 1


@pytest.mark.parametrize("kind", ["lose_reply", "error_after", "html_after"])
def test_a_lost_reply_on_re_entry_makes_no_third_invoice(rig: Rig, kind: str) -> None:
    shop = again(rig)
    deal = shop.deal()
    shop.issue(deal)
    rig.sandbox.faults.add(Fault(kind, match=CREATE))
    enters_again(shop, deal)
    assert shop.shown(deal, "NUMBER") == shop.invoices[0]["invoice_number"]
    for _ in range(5):
        assert post(rig, told_of(rig, shop.stage("Issue invoice"))) == 204
    for _ in range(6):
        rig.later(minutes=1)
    assert len(shop.invoices) == 2
    assert shop.shown(deal, "NUMBER") == shop.invoices[1]["invoice_number"]


def test_it_enters_again_while_the_first_answer_is_lost(rig: Rig) -> None:
    """The first is finished before the second is begun; each stays one."""
    shop = again(rig)
    deal = shop.deal()
    rig.sandbox.faults.add(Fault("lose_reply", match=CREATE))
    shop.issue(deal)
    rig.clock.advance(timedelta(seconds=30))
    shop.move(deal, "Talks")
    rig.clock.advance(timedelta(seconds=30))
    shop.issue(deal)
    for _ in range(6):
        rig.later(minutes=1)
    assert len(shop.invoices) == 2
    assert shop.job_of(deal).state == JobState.DONE


def test_kommos_late_list_delays_the_invoice_and_loses_none(rig: Rig) -> None:
    shop = again(rig)
    rig.sandbox.kommo.switches.events_lag_seconds = 60
    deal = shop.deal()
    rig.clock.advance(timedelta(seconds=1))
    shop.issue(deal)
    assert shop.invoices == []
    for _ in range(2):
        rig.later(seconds=61)
    assert len(shop.invoices) == 1


def test_a_list_that_is_later_than_we_wait_is_met_by_the_sweep(rig: Rig) -> None:
    shop = again(rig)
    rig.sandbox.kommo.switches.events_lag_seconds = 900
    deal = shop.deal()
    rig.clock.advance(timedelta(seconds=1))
    shop.issue(deal)
    for _ in range(20):
        rig.later(minutes=1)
        rig.sweep()
        if shop.invoices:
            break
    assert len(shop.invoices) == 1


def test_a_repeated_hook_without_a_time_is_no_other_entering(rig: Rig) -> None:
    """A digital pipeline's hook says no time: heard again later, it seems to be of now."""
    shop = again(rig)
    rig.kommo.hooks.clear()
    rig.kommo.add_dp_hook(shop.pipeline.id, shop.stage("Issue invoice"), rig.hook_url("kommo-dp"))
    deal = shop.deal()
    shop.issue(deal)
    assert len(shop.invoices) == 1
    told = rig.sandbox.deliveries.history[-1].body.decode()
    rig.clock.advance(WHILE)
    assert post(rig, told, "kommo-dp") == 204
    for _ in range(30):
        rig.later(minutes=1)
    assert len(shop.invoices) == 1
    assert shop.job_of(deal).state in (JobState.DONE, JobState.LEFT_OUT)


def test_what_entered_again_before_the_rule_billed_again_is_left_alone(
    shop: Shop, rig: Rig
) -> None:
    deal = shop.deal()
    shop.issue(deal)
    enters_again(shop, deal)
    rig.clock.advance(WHILE)
    save(shop, rule(shop, RULE, "Issue invoice", again=True))
    rig.pump()
    rig.sweep()
    replayed(rig)
    assert len(shop.invoices) == 1
    enters_again(shop, deal)
    assert len(shop.invoices) == 2


def test_who_bills_no_more_again_has_billed_the_deal(rig: Rig) -> None:
    shop = again(rig)
    deal = shop.deal()
    shop.issue(deal)
    enters_again(shop, deal)
    save(shop, rule(shop, RULE, "Issue invoice"))
    enters_again(shop, deal)
    replayed(rig)
    assert len(shop.invoices) == 2


def test_a_deal_that_another_rule_billed_is_billed_again_only_in_another_series(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    save(shop, rule(shop, DEPOSIT, "Offer"), rule(shop, FINAL, "Issue invoice", again=True))
    rig.rule_on(FINAL)
    rig.rule_on(DEPOSIT)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    enters_again(shop, deal)
    assert len(shop.invoices) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_commit_a_re_entry_is_billed_once(rig: Rig, after: bool) -> None:
    shop = again(rig)
    for nth in range(1, MOST_COMMITS):
        deal = shop.deal(contact=shop.contact(f"p{nth}@acme.test"))
        shop.issue(deal)
        rig.clock.advance(SHORT_WHILE)
        shop.move(deal, "Talks")
        rig.pump()
        rig.clock.advance(SHORT_WHILE)
        shop.move(deal)
        rig.sandbox.deliveries.deliver_due()
        killed = False
        with killed_at(rig, nth, after=after):
            try:
                rig.runner.drain()
            except KilledError:
                killed = True
        rig.restart()
        for _ in range(4):
            rig.later(seconds=125)
        assert len(shop.invoices) == 2 * nth, f"killed at commit {nth}"
        assert shop.shown(deal, "NUMBER") == shop.invoices[-1]["invoice_number"]
        if not killed:
            break
    assert not killed
    assert nth > 8


def test_trying_again_says_that_another_entering_may_be_billed_and_finishes_what_was_begun(
    rig: Rig,
) -> None:
    shop = again(rig)
    contact = shop.contact()
    deal = shop.deal(contact=contact)
    shop.issue(deal)
    rig.kommo.update_deal(deal.id, price=None)
    enters_again(shop, deal)
    assert shop.job_of(deal).state == JobState.PARKED
    told = activity.what_again_will_do(rig.world, rig.account_id, f"deal:{deal.id}")
    assert "each entering of the stage, that has none yet" in " ".join(map(str, told))
    activity.again(rig.world, rig.account_id, [f"deal:{deal.id}"])
    rig.pump()
    assert len(shop.invoices) == 1
    rig.kommo.update_deal(deal.id, price=Decimal("80"))  # mended: that alone bills it
    rig.pump()
    assert len(shop.invoices) == 2


def test_a_series_does_not_change_once_the_rule_has_billed(rig: Rig) -> None:
    shop = two_series(rig)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    final = rule(shop, FINAL, "Issue invoice", series="other")  # has billed nothing yet
    save(shop, rule(shop, DEPOSIT, "Offer", series=DEPOSIT), final)
    for series in (None, "other"):
        with pytest.raises(InvalidSettings) as refused:
            save(shop, final, rule(shop, DEPOSIT, "Offer", series=series))
        assert [path for path, _words in refused.value.errors] == ["rules.1.series"]
    save(shop, final)
    with pytest.raises(InvalidSettings):  # nor by removing it in between
        save(shop, rule(shop, DEPOSIT, "Offer", series="other"))


def test_a_rule_that_bills_again_has_one_stage(rig: Rig) -> None:
    shop = Shop(rig)
    wrong = rule(shop, RULE, "Offer", again=True)
    wrong["when"] += rule(shop, RULE, "Issue invoice")["when"]
    with pytest.raises(InvalidSettings) as refused:
        save(shop, wrong)
    assert [path for path, _words in refused.value.errors] == ["rules.0.again"]
