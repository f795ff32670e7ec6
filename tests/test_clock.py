"""The clock that follows a sandbox's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from server import clock as followed
from server.clock import FollowedClock, NoClock
from server.sandbox import Sandbox, SandboxClock
from server.vendors.connection import SHARED

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=SandboxClock(NOON, frozen=True)) as sandbox:
        yield sandbox
    SHARED.close()


@pytest.fixture
def clock(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> FollowedClock:
    """One that looks at every question."""
    monkeypatch.setattr(followed, "GLANCE", 0.0)
    return FollowedClock(f"{sandbox.control_url}/_clock")


def test_it_stands_still_and_jumps_with_the_sandbox(sandbox: Sandbox, clock: FollowedClock) -> None:
    assert clock.now() == clock.now() == NOON
    sandbox.clock.advance(timedelta(hours=3))
    assert clock.now() == NOON + timedelta(hours=3)


def test_it_runs_on_between_two_looks(sandbox: Sandbox) -> None:
    sandbox.clock.freeze(False)
    clock = FollowedClock(f"{sandbox.control_url}/_clock")
    first = clock.now()
    sandbox.clock.advance(timedelta(hours=3))
    soon = clock.now()  # within the glance: the move is not seen yet, time goes on
    assert first < soon < first + timedelta(minutes=1)


def test_a_sandbox_that_has_gone_leaves_it_as_it_was(
    sandbox: Sandbox, clock: FollowedClock
) -> None:
    before = clock.now()
    sandbox.stop()
    assert clock.now() == before


def test_a_sandbox_that_never_was_is_an_error() -> None:
    with pytest.raises(NoClock, match="BILLHOOK_CLOCK_URL"):
        FollowedClock("http://127.0.0.1:1/_clock").now()
