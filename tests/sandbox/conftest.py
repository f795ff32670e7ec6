"""The emulated vendors, started for a test with a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.sandbox import Sandbox, SandboxClock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Frozen at 2 March 2026, noon UTC; Kommo's rate limit is off, for a test asks faster."""
    with Sandbox(clock=SandboxClock(NOON, frozen=True)) as sandbox:
        sandbox.kommo.switches.requests_per_second = 0
        yield sandbox
