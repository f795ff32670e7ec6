"""Seven requests a second, and what happens to who does not listen (§5).

Counted in real time: a frozen sandbox clock would otherwise never let the eighth call through.
"""

import threading
import time
from collections import deque

from server.sandbox.kommo.switches import KommoSwitches


class Limits:
    """One window an integration and account, one an account; violations block the address."""

    def __init__(self, switches: KommoSwitches) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, int], deque[float]] = {}
        self._violations: deque[float] = deque()
        self.blocked = False

    def admit(self, client_id: str, account_id: int) -> bool:
        """Whether the call may pass; a refusal counts as a violation."""
        now = time.monotonic()
        with self._lock:
            rates = (
                (client_id, self._switches.requests_per_second),
                ("", self._switches.account_requests_per_second),
            )
            if not self._switches.requests_per_second:
                return True
            windows = [(self._window((who, account_id), now), rate) for who, rate in rates]
            if all(len(window) < rate for window, rate in windows):
                for window, _ in windows:
                    window.append(now)
                return True
            self._violate(now)
            return False

    def _window(self, key: tuple[str, int], now: float) -> deque[float]:
        window = self._windows.setdefault(key, deque())
        while window and window[0] <= now - 1:
            window.popleft()
        return window

    def _violate(self, now: float) -> None:
        self._violations.append(now)
        while self._violations[0] <= now - 60:
            self._violations.popleft()
        if len(self._violations) > self._switches.block_after_violations:
            self.blocked = True

    def lift(self) -> None:
        """What support does when asked."""
        with self._lock:
            self.blocked = False
            self._violations.clear()
