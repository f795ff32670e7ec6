"""What can go wrong between us and a vendor, on order: the fault desk's list.

A fault is put on a call by vendor, method and path; ``edge`` applies what ``take`` hands out.
"""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from .clock import SandboxClock

KINDS = {
    "lose_reply": "do it, then cut the connection without a byte",
    "error_after": "do it, answer `status` in the vendor's shape",
    "error_before": "do nothing, answer `status` in the vendor's shape",
    "html": "do nothing, answer an HTML page with `status`",
    "html_after": "do it, answer an HTML page with `status`",
    "truncate": "do it, cut the body half way",
    "throttle": "answer 429 in the vendor's shape, Retry-After = `seconds`",
    "slow": "really wait `seconds`, then go on",
    "slow_after": "do it, then really wait `seconds` before the answer",
    "late_commit": "cut the connection; do it `seconds` of sandbox time later",
    "conflict": "do nothing, answer 409",
    "unauthorized": "do nothing, answer 401",
    "forbidden_html": "do nothing, answer the proxy's HTML 403",
}


@dataclass
class Fault:
    """``match`` is an fnmatch on "METHOD path-without-query"; ``times`` None: until removed."""

    kind: str
    match: str = "*"
    vendor: str = ""
    times: int | None = 1
    until: datetime | None = None
    seconds: float = 0
    status: int = 500
    id: int = field(default=0)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")

    def meets(self, vendor: str, call: str) -> bool:
        return self.vendor in ("", vendor) and fnmatchcase(call, self.match)

    def as_dict(self) -> dict[str, Any]:
        row = asdict(self)
        row["until"] = self.until.isoformat() if self.until else None
        return row


class Faults:
    """Thread-safe list of the faults that wait for their call."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next_id = 1

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            fault.id = self._next_id
            self._next_id += 1
            self._faults.append(fault)
        return fault

    def remove(self, fault_id: int) -> bool:
        with self._lock:
            before = len(self._faults)
            self._faults = [fault for fault in self._faults if fault.id != fault_id]
            return len(self._faults) < before

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def list(self) -> list[Fault]:
        with self._lock:
            self._forget_past()
            return [*self._faults]

    def take(self, vendor: str, method: str, path: str) -> Sequence[Fault]:
        """The faults that this call meets, in the order of adding, each counted down by one.

        Delays add up; of the others only the first one acts, the rest wait for the next calls.
        """
        if not self._faults:
            return []
        call = f"{method} {path}"
        with self._lock:
            self._forget_past()
            meeting = [fault for fault in self._faults if fault.meets(vendor, call)]
            delays = [fault for fault in meeting if fault.kind == "slow"]
            met = delays + [fault for fault in meeting if fault.kind != "slow"][:1]
            for fault in met:
                if fault.times is not None:
                    fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times != 0]
        return met

    def _forget_past(self) -> None:
        now = self._clock.now()
        self._faults = [fault for fault in self._faults if fault.until is None or now < fault.until]
