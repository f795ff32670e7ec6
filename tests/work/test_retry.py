"""The table of retries, whole: every outcome after every number of tries."""

from datetime import timedelta

import pytest

from server.core.errors import (
    AlreadyThere,
    CannotBill,
    NotOurs,
    Outcome,
    Problem,
    Reconnect,
    TryLater,
)
from server.core.states import JobState
from server.work.retry import FREE_DELAY, judge
from tests.fixed_clock import START
from tests.work.worlds import RETRY_DELAYS

MINUTE = timedelta(minutes=1)
PROBLEM = Problem("client.email", "The contact has no e-mail.", "Enter one in Kommo.")


def _down(after: timedelta | None = None, *, burns: bool = True) -> TryLater:
    return TryLater("freshbooks:down", "FreshBooks did not answer.", after=after, burns=burns)


@pytest.mark.parametrize(("tried", "wait"), [(0, 1), (1, 5), (2, 30)])
def test_a_vendor_that_is_down_is_tried_again_after_1_5_and_30_minutes(tried: int, wait: int):
    verdict = judge(_down(), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.attempts) == (JobState.RETRYING, tried + 1)
    assert verdict.due_at == START + wait * MINUTE
    assert (verdict.cause, verdict.said) == ("freshbooks:down", "FreshBooks did not answer.")
    assert not verdict.tell


@pytest.mark.parametrize("tried", [3, 4])
def test_after_the_fourth_call_a_person_is_told_and_the_job_waits_for_the_cause(tried: int):
    verdict = judge(_down(), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.cause, verdict.tell) == (
        JobState.PARKED,
        "freshbooks:down",
        True,
    )
    assert verdict.due_at is None


@pytest.mark.parametrize("tried", range(5))
def test_four_calls_are_made_whatever_they_wait(tried: int):
    state = judge(_down(2 * MINUTE), tried, RETRY_DELAYS, START).state
    assert state == (JobState.RETRYING if tried < 3 else JobState.PARKED)


@pytest.mark.parametrize(
    ("tried", "asked", "wait"), [(0, 2, 2), (1, 2, 5), (2, 45, 45), (2, 0, 30)]
)
def test_the_longer_of_our_delay_and_the_vendors_counts(tried: int, asked: int, wait: int):
    verdict = judge(_down(asked * MINUTE), tried, RETRY_DELAYS, START)
    assert verdict.due_at == START + wait * MINUTE


@pytest.mark.parametrize("tried", range(5))
def test_a_try_that_does_not_burn_is_not_counted_and_never_parks(tried: int):
    verdict = judge(_down(timedelta(seconds=7), burns=False), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.attempts) == (JobState.RETRYING, tried)
    assert verdict.due_at == START + timedelta(seconds=7)
    assert not verdict.tell


@pytest.mark.parametrize("after", [None, timedelta(0)])
def test_a_free_try_never_spins(after: timedelta | None):
    """A vendor's "Retry-After: 0" and a missing one are the same: a short wait."""
    verdict = judge(_down(after, burns=False), 0, RETRY_DELAYS, START)
    assert verdict.due_at == START + FREE_DELAY
    assert timedelta(0) < FREE_DELAY


def test_without_delays_the_first_call_is_the_only_one():
    assert judge(_down(), 0, (), START).state == JobState.PARKED


@pytest.mark.parametrize("tried", range(5))
def test_lost_access_waits_for_a_person_to_connect_again(tried: int):
    verdict = judge(Reconnect("freshbooks"), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.cause) == (JobState.PARKED, "freshbooks:reconnect")
    assert verdict.attempts == tried
    assert not verdict.tell  # the page and the card say it, once; not a task a deal


@pytest.mark.parametrize("tried", range(5))
def test_a_sale_that_cannot_be_billed_is_parked_with_its_problems(tried: int):
    verdict = judge(CannotBill([PROBLEM]), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.cause, verdict.tell) == (JobState.PARKED, "problems", True)
    assert verdict.problems == (PROBLEM,)
    assert "no e-mail" in verdict.said


@pytest.mark.parametrize("tried", range(5))
def test_what_is_not_ours_is_left_out_with_the_reason(tried: int):
    verdict = judge(NotOurs("the rule is off"), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.said) == (JobState.LEFT_OUT, "the rule is off")
    assert not verdict.tell


def _raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize("tried", range(5))
@pytest.mark.parametrize(
    "bug", [ZeroDivisionError("here"), AlreadyThere("0000042"), Outcome("a sixth kind")]
)
def test_anything_else_is_a_bug_parked_at_once_with_its_traceback(bug: Exception, tried: int):
    verdict = judge(_raised(bug), tried, RETRY_DELAYS, START)
    assert (verdict.state, verdict.cause, verdict.tell) == (JobState.PARKED, "bug", True)
    assert "Traceback" in verdict.said
    assert "test_retry.py" in verdict.said
    assert str(bug) in verdict.said
