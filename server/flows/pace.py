"""An account's budget of calls at a vendor, kept by all threads of this process.

Kommo counts seven calls a second and blocks who breaks the rule again and again; FreshBooks was
seen with 600 calls and 250 creates a minute. The pace is kept in real time, also beside a sandbox
whose clock stands still; a pause that a vendor asks for is counted by the clock that it lives in.
"""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from server.core.errors import Certainty, TryLater
from server.core.said import say
from server.vendors.http import Caller, Reply, throttled

LONGEST_WAIT = 10.0  # seconds; whoever would wait longer gives its thread back


@dataclass(frozen=True)
class Limit:
    """At most ``calls`` in any stretch of ``seconds``."""

    calls: int
    seconds: float


LIMITS: Mapping[str, Limit] = {
    "kommo": Limit(6, 1.05),  # of 7: clocks and networks blur a second's edges
    "freshbooks": Limit(200, 60.0),  # of 250 creates; other calls count along
}


class Budgets:
    def __init__(self, limits: Mapping[str, Limit] = LIMITS) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._made: dict[tuple[int, str], deque[float]] = defaultdict(deque)
        self._paused: dict[tuple[int, str], datetime] = {}

    def wait(self, account_id: int, vendor: str, now: datetime) -> None:
        """Until the next call is within the budget. Raises TryLater, burning no attempt, where
        that is long, or while the vendor asked for a pause."""
        pause = self._paused.get((account_id, vendor), now) - now
        delay = 0.0 if pause > timedelta(0) else self._reserve(account_id, vendor)
        if pause > timedelta(0) or delay > LONGEST_WAIT:
            raise TryLater(
                f"{vendor}:throttled",
                say("Too many calls at once; waiting for our turn."),
                after=max(pause, timedelta(seconds=delay)),
                burns=False,
                certainty=Certainty.NOT_SENT,
            )
        if delay > 0:
            threading.Event().wait(delay)

    def pause(self, account_id: int, vendor: str, until: datetime) -> None:
        """The vendor said slow down: nobody calls it for this account before then."""
        with self._lock:
            key = (account_id, vendor)
            self._paused[key] = max(self._paused.get(key, until), until)

    def _reserve(self, account_id: int, vendor: str) -> float:
        """Seconds to wait; the place in the line is taken unless the wait is too long."""
        limit = self._limits.get(vendor)
        if limit is None:
            return 0.0
        with self._lock:
            made, now = self._made[account_id, vendor], monotonic()
            at = max(now, made[0] + limit.seconds) if len(made) == limit.calls else now
            if at - now <= LONGEST_WAIT:
                made.append(at)
            while len(made) > limit.calls:
                made.popleft()
            return at - now


class PacedCaller(Caller):
    """A seam that keeps to an account's budget."""

    def __init__(self, vendor: str, *, account_id: int, budgets: Budgets, **seam: Any) -> None:
        super().__init__(vendor, **seam)
        self._account_id = account_id
        self._budgets = budgets

    def send(self, method: str, url: str, **parts: Any) -> Reply:
        self._budgets.wait(self._account_id, self.vendor, self.clock.now())
        reply = super().send(method, url, **parts)
        if reply.status == 429:
            pause = throttled(self.vendor, reply).after or timedelta(seconds=1)
            self._budgets.pause(self._account_id, self.vendor, self.clock.now() + pause)
        return reply
