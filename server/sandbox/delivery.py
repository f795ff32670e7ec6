"""Outgoing hooks of the emulated vendors: one queue, each vendor's retry table, and mischief.

How one is posted stands in ``post``.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests

from .clock import SandboxClock
from .post import TIMED_OUT, UNREACHABLE, post

__all__ = ["ONCE", "TIMED_OUT", "UNREACHABLE", "Attempt", "Deliveries", "Delivery", "Policy"]


@dataclass(frozen=True)
class Policy:
    """A vendor's contract: how long it waits, what counts as taken, when it tries again.

    ``again(attempts, status)`` is the delay after ``attempts`` failed tries, None to give up.
    """

    timeout: float
    taken: Callable[[int], bool]
    again: Callable[[int, int], timedelta | None]


ONCE = Policy(3.0, lambda status: 100 <= status < 300, lambda attempts, status: None)


@dataclass
class Attempt:
    at: datetime
    status: int


@dataclass
class Delivery:
    """One hook. ``state``: waiting, taken, given_up or dropped."""

    id: int
    vendor: str
    url: str
    body: bytes
    headers: dict[str, str]
    due: datetime
    policy: Policy
    method: str = "POST"
    label: str = ""
    state: str = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    on_answer: "Callable[[Delivery, int], None] | None" = None

    @property
    def status(self) -> int | None:
        return self.attempts[-1].status if self.attempts else None

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "vendor": self.vendor,
            "method": self.method,
            "url": self.url,
            "label": self.label,
            "headers": self.headers,
            "body": self.body.decode("utf-8", "replace"),
            "due": self.due.isoformat(),
            "state": self.state,
            "attempts": [{"at": a.at.isoformat(), "status": a.status} for a in self.attempts],
        }


class Deliveries:
    """``auto``: a thread posts what is due at once (demo); else ``deliver_due`` does (tests)."""

    def __init__(self, clock: SandboxClock, *, auto: bool = False) -> None:
        self.clock = clock
        self.history: list[Delivery] = []
        self._waiting: list[Delivery] = []
        self._reordered: list[Delivery] = []
        self._drop = self._duplicate = self._reorder = 0
        self._held = False
        self._sending = 0
        self._next_id = 1
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        clock.on_move(self._wake)
        if auto:
            self.start_auto()

    def queue(
        self,
        vendor: str,
        url: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        policy: Policy = ONCE,
        label: str = "",
        on_answer: Callable[[Delivery, int], None] | None = None,
    ) -> Delivery:
        """Take a hook for delivery: a POST, without a body a GET. Ordered mischief happens here."""
        with self._changed:
            hook = self._made(vendor, url, body or b"", headers or {}, policy)
            hook.method = "GET" if body is None else "POST"
            hook.label, hook.on_answer = label, on_answer
            for one in self._twisted(hook):
                self._put(one)
            self._changed.notify_all()
        return hook

    def drop_next(self, n: int = 1) -> None:
        """The next ``n`` hooks are lost."""
        with self._changed:
            self._drop += n

    def duplicate_next(self, n: int = 1) -> None:
        """The next ``n`` hooks are sent twice."""
        with self._changed:
            self._duplicate += n

    def reorder_next(self, n: int = 2) -> None:
        """The next ``n`` hooks are kept until all are there, then sent in reverse."""
        with self._changed:
            self._reorder = n

    def mischief(self) -> dict[str, int]:
        """What is ordered and not used up yet: drop, duplicate, reorder, hold."""
        with self._changed:
            return {
                "drop": self._drop,
                "duplicate": self._duplicate,
                "reorder": self._reorder,
                "hold": int(self._held),
            }

    def behave(self) -> None:
        """End of all mischief; what was held back goes out."""
        with self._changed:
            self._drop = self._duplicate = 0
        self.release()

    def hold(self) -> None:
        """Send nothing until ``release``."""
        with self._changed:
            self._held = True

    def release(self) -> None:
        """End of ``hold``; hooks kept for reordering go too."""
        with self._changed:
            self._held = False
            self._waiting.extend(reversed(self._reordered))
            self._reordered.clear()
            self._reorder = 0
            self._changed.notify_all()

    def pending(self) -> list[Delivery]:
        """What waits, due or not."""
        with self._changed:
            return [*self._waiting, *self._reordered]

    def deliver_due(self) -> list[Delivery]:
        """Send all that is due by sandbox time, also what that causes; returns what was tried."""
        tried: list[Delivery] = []
        with requests.Session() as session:
            session.trust_env = False
            while (hook := self._claim()) is not None:
                self._settle(hook, post(session, hook))
                tried.append(hook)
        return tried

    def wait_idle(self, timeout: float = 10.0) -> bool:
        """With ``auto``: block until nothing is due and nothing is on its way."""
        until = time.monotonic() + timeout
        with self._changed:
            while self._due() is not None or self._sending:
                if not self._changed.wait(until - time.monotonic()):
                    return False
        return True

    def start_auto(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
        self._stopping = False

    def _made(
        self, vendor: str, url: str, body: bytes, headers: dict[str, str], policy: Policy
    ) -> Delivery:
        hook = Delivery(self._next_id, vendor, url, body, headers, self.clock.now(), policy)
        self._next_id += 1
        self.history.append(hook)
        return hook

    def _twisted(self, hook: Delivery) -> list[Delivery]:
        if self._drop:
            self._drop -= 1
            hook.state = "dropped"
            return []
        if self._duplicate:
            self._duplicate -= 1
            twin = self._made(hook.vendor, hook.url, hook.body, hook.headers, hook.policy)
            twin.method, twin.label, twin.on_answer = hook.method, hook.label, hook.on_answer
            return [hook, twin]
        return [hook]

    def _put(self, hook: Delivery) -> None:
        if not self._reorder:
            self._waiting.append(hook)
            return
        self._reordered.append(hook)
        self._reorder -= 1
        if not self._reorder:
            self._waiting.extend(reversed(self._reordered))
            self._reordered.clear()

    def _due(self) -> Delivery | None:
        if self._held:
            return None
        now = self.clock.now()
        return next((hook for hook in self._waiting if hook.due <= now), None)

    def _claim(self) -> Delivery | None:
        with self._changed:
            hook = self._due()
            if hook is not None:
                self._waiting.remove(hook)
                self._sending += 1
            return hook

    def _settle(self, hook: Delivery, status: int) -> None:
        with self._changed:
            hook.attempts.append(Attempt(self.clock.now(), status))
            wait = None
            if hook.policy.taken(status):
                hook.state = "taken"
            else:
                wait = hook.policy.again(len(hook.attempts), status)
                hook.state = "waiting" if wait is not None else "given_up"
            if wait is not None:
                hook.due = self.clock.now() + wait
                self._waiting.append(hook)
        if hook.on_answer is not None:
            hook.on_answer(hook, status)
        with self._changed:
            self._sending -= 1
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopping and self._due() is None:
                    self._changed.wait(self._until_next())
                if self._stopping:
                    return
            self.deliver_due()

    def _until_next(self) -> float | None:
        if self.clock.frozen or self._held or not self._waiting:
            return None
        soonest = min(hook.due for hook in self._waiting)
        return max(0.01, (soonest - self.clock.now()).total_seconds())

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
