"""A rule that bills again: each entering of its stage once, however often it is told."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from server.core.settings import InvalidSettings
from server.core.states import JobState
from server.flows import activity
from server.sandbox import Fault
from server.store import inbox
from server.store.inbox import Entered
from tests.rig import Rig
from tests.stories.shop import RULE, Shop
from tests.stories.stage_rules import WHILE, again, enters_again, replayed, rule, save, told_of
from tests.stories.test_never_twice import post

WON = 142


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


def test_a_rule_that_bills_again_has_one_stage(rig: Rig) -> None:
    shop = Shop(rig)
    wrong = rule(shop, RULE, "Offer", again=True)
    wrong["when"] += rule(shop, RULE, "Issue invoice")["when"]
    with pytest.raises(InvalidSettings) as refused:
        save(shop, wrong)
    assert [path for path, _words in refused.value.errors] == ["rules.0.again"]


@pytest.fixture
def on_postgres(tmp_path: Path, postgres_database: str) -> Iterator[Rig]:
    with Rig(tmp_path, database_url=postgres_database) as rig:
        rig.connect()
        yield rig


@pytest.mark.postgres
def test_two_hooks_of_one_move_at_one_instant_bill_it_once_and_at_once(on_postgres: Rig) -> None:
    """Neither transaction sees the other's entry."""
    rig = on_postgres
    shop = again(rig)
    deal = shop.deal()
    place = (shop.pipeline.id, shop.stage("Issue invoice"))
    both = threading.Barrier(2)

    def hook(_number: int) -> bool:
        with rig.world.database.write() as session:
            entered = Entered(deal.id, *place, rig.clock.now())
            news = inbox.enter(session, rig.account_id, entered)
            both.wait(10)
            return news

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(hook, range(2))) == [True, True]
    shop.issue(deal)
    assert len(shop.invoices) == 1
    rig.sweep()
    rig.later(minutes=11)
    assert len(shop.invoices) == 1
    enters_again(shop, deal)
    assert len(shop.invoices) == 2


def comes_round(shop: Shop, deal: Any) -> None:
    """Won, and back into the stage another time."""
    shop.rig.later(minutes=30)
    shop.kommo.move_deal(deal.id, WON)
    shop.rig.later(minutes=30)
    shop.issue(deal)


@pytest.fixture
def down(rig: Rig) -> Shop:
    """FreshBooks, of a shop that bills again."""
    shop = again(rig)
    rig.sandbox.faults.add(Fault("error_before", "*", "freshbooks", times=None, status=503))
    return shop


def test_each_entering_is_billed_though_nothing_could_be_for_a_while(down: Shop, rig: Rig) -> None:
    deal = down.deal()
    down.issue(deal)
    comes_round(down, deal)
    comes_round(down, deal)
    assert down.invoices == []
    rig.sandbox.faults.clear()
    rig.later(hours=1)
    assert len(down.invoices) == 3
    rig.sweep()
    replayed(rig)
    assert len(down.invoices) == 3


def test_each_entering_is_billed_that_billhook_heard_of_late(rig: Rig) -> None:
    shop = again(rig)
    deal = shop.deal()
    rig.pump()
    rig.sandbox.deliveries.drop_next(20)
    shop.issue(deal)
    comes_round(shop, deal)
    assert shop.invoices == []
    rig.sandbox.deliveries.drop_next(0)
    rig.sweep()
    assert len(shop.invoices) == 2


def test_who_was_moved_back_before_it_was_billed_is_billed_for_the_last_entering(
    down: Shop, rig: Rig
) -> None:
    deal = down.deal()
    down.issue(deal)
    enters_again(down, deal)
    rig.sandbox.faults.clear()
    rig.later(hours=1)
    assert len(down.invoices) == 1


def test_an_entering_that_was_left_out_is_not_billed_with_the_next(rig: Rig) -> None:
    shop = again(rig, conditions=[{"field": "deal.price", "is": "greater", "value": "50"}])
    deal = shop.deal("10")
    shop.issue(deal)
    rig.later(minutes=30)
    shop.kommo.move_deal(deal.id, WON)
    rig.later(minutes=30)
    rig.sandbox.deliveries.drop_next(1)  # its hook would have the first entering looked at again
    rig.kommo.update_deal(deal.id, price=Decimal("80"))
    rig.pump()
    shop.issue(deal)
    assert len(shop.invoices) == 1


@pytest.mark.parametrize("is_ignored", [True, False])
def test_of_a_deal_that_nobody_mended_each_entering_waits_but_an_ignored_one(
    rig: Rig, is_ignored: bool
) -> None:
    shop = again(rig)
    deal = shop.deal(None)
    shop.issue(deal)
    if is_ignored:
        assert activity.ignore(rig.world, rig.account_id, f"deal:{deal.id}", "Ann")
    comes_round(shop, deal)
    rig.kommo.update_deal(deal.id, price=Decimal("80"))
    rig.pump()
    assert len(shop.invoices) == (1 if is_ignored else 2)
