"""What the tests of the vendors share: a caller for each, and what it recorded."""

from collections.abc import Callable, Iterator

import pytest

from server.core.errors import TryLater
from server.sandbox import Sandbox, SandboxClock
from server.vendors.connection import Connections
from server.vendors.http import Caller, CallMade
from tests.fixed_clock import FixedClock

MakeCaller = Callable[..., Caller]


@pytest.fixture
def sandbox(clock: FixedClock) -> Iterator[Sandbox]:
    """Both vendors at the test's time; Kommo's rate limit is off, for a test asks faster."""
    with Sandbox(clock=SandboxClock(clock.now(), frozen=True)) as sandbox:
        sandbox.kommo.switches.requests_per_second = 0
        yield sandbox
        assert sandbox.kommo.unknown_calls == []
        assert sandbox.kommo.unknown_keys == []
        assert sandbox.freshbooks.unknown_calls == []


@pytest.fixture
def calls() -> list[CallMade]:
    return []


@pytest.fixture
def connections() -> Iterator[Connections]:
    connections = Connections()
    yield connections
    connections.close()


@pytest.fixture
def caller_of(calls: list[CallMade], clock: FixedClock, connections: Connections) -> MakeCaller:
    """Makes a caller of a vendor; its connections end with the test."""

    def make(vendor: str, **options: float) -> Caller:
        return Caller(
            vendor,
            clock=clock,
            record=calls.append,
            connect_timeout=1.0,
            connections=connections,
            **options,
        )

    return make


@pytest.fixture
def caller(caller_of: MakeCaller) -> Caller:
    return caller_of("freshbooks", deadline=0.6)


def fails(caller: Caller, host: str, method: str = "POST", path: str = "/things") -> TryLater:
    with pytest.raises(TryLater) as caught:
        caller.send(method, f"http://{host}{path}", json={"a": 1})
    return caught.value
