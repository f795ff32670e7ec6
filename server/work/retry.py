"""What becomes of a job after a try: a pure function of the outcome and the tries so far.

First try, then retries after 1, 5 and 30 minutes: four calls. Then a person is told, and the job
waits for its cause to go away. A bug is parked at once: retried blindly it would do harm.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.core.errors import CannotBill, NotOurs, Problem, Reconnect, TryLater
from server.core.states import JobState

FREE_DELAY = timedelta(seconds=2)  # before the next look, where the try does not count
BUG = "bug"
PROBLEMS = "problems"


@dataclass(frozen=True)
class Verdict:
    """The job's next state. ``tell``: a person must hear of it."""

    state: JobState
    said: str
    attempts: int = 0
    due_at: datetime | None = None
    cause: str = ""
    problems: tuple[Problem, ...] = field(default=())
    tell: bool = False


def judge(outcome: Exception, attempts: int, delays: Sequence[timedelta], now: datetime) -> Verdict:
    """``attempts`` counts the tries before this one that counted."""
    match outcome:
        case TryLater():
            return _later(outcome, attempts, delays, now)
        case Reconnect():
            cause = reconnect_cause(outcome.vendor)
            return Verdict(JobState.PARKED, outcome.said, attempts, cause=cause)
        case CannotBill():
            return Verdict(
                JobState.PARKED,
                outcome.said,
                attempts,
                cause=PROBLEMS,
                problems=outcome.problems,
                tell=True,
            )
        case NotOurs():
            return Verdict(JobState.LEFT_OUT, outcome.reason, attempts)
        case _:
            trace = "".join(traceback.format_exception(outcome))
            return Verdict(JobState.PARKED, trace, attempts, cause=BUG, tell=True)


def reconnect_cause(vendor: str) -> str:
    return f"{vendor}:reconnect"


def _later(outcome: TryLater, attempts: int, delays: Sequence[timedelta], now: datetime) -> Verdict:
    if not outcome.burns:
        due = now + (outcome.after or FREE_DELAY)
        return Verdict(JobState.RETRYING, outcome.sentence, attempts, due, outcome.cause)
    tried = attempts + 1
    if tried > len(delays):
        return Verdict(JobState.PARKED, outcome.sentence, tried, cause=outcome.cause, tell=True)
    wait = max(delays[attempts], outcome.after or timedelta(0))
    return Verdict(JobState.RETRYING, outcome.sentence, tried, now + wait, outcome.cause)
