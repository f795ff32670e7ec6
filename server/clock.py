"""A clock that follows a sandbox's, so that "three hours later" takes no time in demo and tests.

Wired by ``app`` where BILLHOOK_CLOCK_URL is set, which config allows on this machine only.
"""

import threading
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from server.core.clock import SystemClock
from server.core.errors import TryLater
from server.vendors.http import Caller

GLANCE = 0.2  # real seconds between two looks at the sandbox's clock


class NoClock(RuntimeError):
    """The sandbox that is to give the time was never there."""


class FollowedClock:
    """A ``core.clock.Clock``. Between two looks it runs on by itself, unless the sandbox's stands
    still; a sandbox that has gone leaves it running."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._caller = Caller(
            "sandbox", clock=SystemClock(), record=_nobody, connect_timeout=1.0, deadline=2.0
        )
        self._lock = threading.Lock()
        self._at: datetime | None = None
        self._frozen = False
        self._looked = 0.0

    def now(self) -> datetime:
        """Raises NoClock when the sandbox has never answered."""
        with self._lock:
            if self._at is None or monotonic() - self._looked >= GLANCE:
                self._look()
            if self._at is None:
                raise NoClock(f"no sandbox gives the time at {self._url} (BILLHOOK_CLOCK_URL)")
            passed = 0.0 if self._frozen else monotonic() - self._looked
            return self._at + timedelta(seconds=passed)

    def _look(self) -> None:
        try:
            told = self._caller.send("GET", self._url).json()
            at, frozen = datetime.fromisoformat(told["now"]), bool(told["frozen"])
        except (TryLater, ValueError, KeyError, TypeError):
            return
        self._at, self._frozen, self._looked = at, frozen, monotonic()


def _nobody(_made: Any) -> None:
    """The clock's calls are not kept."""
