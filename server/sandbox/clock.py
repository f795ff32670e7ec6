"""The one clock of the emulated world, so that "30 minutes later" takes no time in a test.

Every lifetime, retry and timestamp of the sandbox is read here; tests move it, the demo lets it
run.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Listener = Callable[[], None]


class SandboxClock:
    """Thread-safe. Frozen: stands still until moved; else runs with real time plus an offset."""

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        base = start if start is not None else datetime.now(UTC)
        if base.tzinfo is None:
            raise ValueError("the sandbox clock needs an aware datetime")
        self._frozen = frozen
        self._at = base.astimezone(UTC)
        self._offset = self._at - datetime.now(UTC)

    @property
    def frozen(self) -> bool:
        return self._frozen

    def now(self) -> datetime:
        """The sandbox's present, aware UTC."""
        with self._lock:
            return self._now()

    def timestamp(self) -> int:
        """Whole unix seconds, the way both vendors write times."""
        return int(self.now().timestamp())

    def advance(self, by: timedelta) -> None:
        """Move on by ``by``; listeners are called after the move, outside the lock."""
        with self._lock:
            self._move_to(self._now() + by)
        self._tell()

    def set(self, to: datetime) -> None:
        """Jump to ``to`` (aware); going back is allowed, vendors' clocks do."""
        if to.tzinfo is None:
            raise ValueError("the sandbox clock needs an aware datetime")
        with self._lock:
            self._move_to(to.astimezone(UTC))
        self._tell()

    def freeze(self, frozen: bool = True) -> None:
        """Stop the clock where it is, or let it run on from there."""
        with self._lock:
            at = self._now()
            self._frozen = frozen
            self._move_to(at)

    def on_move(self, listener: Listener) -> None:
        """Call ``listener`` after each ``advance`` and ``set``, in the mover's thread."""
        with self._lock:
            self._listeners.append(listener)

    def _now(self) -> datetime:
        return self._at if self._frozen else datetime.now(UTC) + self._offset

    def _move_to(self, at: datetime) -> None:
        self._at = at
        self._offset = at - datetime.now(UTC)

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
