"""An account's pace at a vendor: never more calls in any stretch than the limit, and pauses."""

import threading
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from server.core.errors import Certainty, TryLater
from server.flows.pace import LONGEST_WAIT, Budgets, Limit

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_no_stretch_holds_more_calls_than_the_limit_over_all_threads() -> None:
    budgets = Budgets({"kommo": Limit(5, 0.2)})
    made: list[float] = []

    def work() -> None:
        for _ in range(5):
            budgets.wait(1, "kommo", NOW)
            made.append(monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    made.sort()
    assert len(made) == 20
    # A thread may be woken late, never early: any five calls further on is a whole stretch later,
    # but for what the scheduler took between the waking and the note.
    assert made[-1] - made[0] >= 3 * 0.2 * 0.95


def test_another_account_has_a_budget_of_its_own() -> None:
    budgets = Budgets({"kommo": Limit(1, 60.0)})
    budgets.wait(1, "kommo", NOW)
    budgets.wait(2, "kommo", NOW)
    with pytest.raises(TryLater):
        budgets.wait(1, "kommo", NOW)


def test_who_would_wait_long_gives_its_thread_back_and_burns_nothing() -> None:
    budgets = Budgets({"kommo": Limit(1, LONGEST_WAIT + 5)})
    budgets.wait(1, "kommo", NOW)
    with pytest.raises(TryLater) as later:
        budgets.wait(1, "kommo", NOW)
    assert not later.value.burns
    assert later.value.certainty is Certainty.NOT_SENT


def test_a_pause_that_the_vendor_asked_for_is_kept_by_the_clock_and_then_over() -> None:
    budgets = Budgets({})
    budgets.pause(1, "freshbooks", NOW + timedelta(seconds=30))
    with pytest.raises(TryLater) as later:
        budgets.wait(1, "freshbooks", NOW)
    assert later.value.after == timedelta(seconds=30)
    budgets.wait(1, "freshbooks", NOW + timedelta(seconds=30))


def test_a_vendor_without_a_limit_is_not_waited_for() -> None:
    budgets = Budgets({})
    began = monotonic()
    for _ in range(1000):
        budgets.wait(1, "kommo", NOW)
    assert monotonic() - began < 5
