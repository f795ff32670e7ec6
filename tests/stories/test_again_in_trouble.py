"""Billing again while replies are lost, Kommo's list is late, or the process dies: once each."""

from datetime import timedelta

import pytest

from server.core.states import JobState
from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.stories.killing import MOST_COMMITS, dies_at
from tests.stories.shop import CREATE
from tests.stories.stage_rules import WHILE, again, enters_again, told_of
from tests.stories.test_never_twice import post


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


SHORT_WHILE = timedelta(minutes=3)  # tokens live for hours; their renewal has tests of its own


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
        killed = dies_at(rig, nth, after=after)
        assert len(shop.invoices) == 2 * nth, f"killed at commit {nth}"
        assert shop.shown(deal, "NUMBER") == shop.invoices[-1]["invoice_number"]
        if not killed:
            break
    assert not killed
    assert nth > 8
