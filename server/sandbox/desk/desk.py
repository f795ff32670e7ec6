"""What the page shows, in sections that are sent only when they changed.

The page asks every second, so an answer that brings nothing new has to be small: each section is
hashed, and travels again only when its hash differs from what the asker has seen.
"""

import json
import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import board, books, mischief, switchboard
from .journal import Journal

if TYPE_CHECKING:
    from server.sandbox import Sandbox


class Desk:
    """One sandbox and what was sent of it. ``since`` may be asked by any number of pages."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self.journal = Journal(sandbox)
        self.orders = mischief.Orders(sandbox)
        # Another run of the sandbox counts from the start: its versions are not to be confused.
        self._run = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._version = 0
        self._seen: dict[str, tuple[int, str]] = {}
        self._sections: dict[str, Callable[[], Any]] = {
            "board": lambda: board.board(sandbox, self.journal),
            "books": lambda: books.books(sandbox),
            "faults": self.orders.active,
            "switches": lambda: switchboard.switches(sandbox),
            "log": self.journal.rows,
        }

    def since(self, version: str) -> dict[str, Any]:
        """``{"version", "clock", changed sections…}``; all of them for an unknown version."""
        run, _, number = version.partition("-")
        known = int(number) if run == self._run and number.isdigit() else -1
        with self._lock:
            for name, read in self._sections.items():
                self._note(name, json.dumps(read(), sort_keys=True))
            changed = {
                name: json.loads(text) for name, (at, text) in self._seen.items() if at > known
            }
            answer = {"version": f"{self._run}-{self._version}", **changed}
        clock = self.sandbox.clock
        answer["clock"] = {"now": clock.now().isoformat(), "frozen": clock.frozen}
        return answer

    def _note(self, name: str, text: str) -> None:
        if name not in self._seen or self._seen[name][1] != text:
            self._version += 1
            self._seen[name] = (self._version, text)
