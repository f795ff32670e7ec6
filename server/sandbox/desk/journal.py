"""What was said over HTTP, told in plain words: calls to the vendors and hooks from them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from server.sandbox.delivery import TIMED_OUT, UNREACHABLE, Delivery

from .story import told

if TYPE_CHECKING:
    from server.sandbox import Sandbox

#: As many rows as somebody reads; the page asks for them every second.
ROWS = 80
# Both spellings of the vendor: leads[status][0][id] of a webhook, event[data][id] of a widget.
_DEAL_KEY = re.compile(r"leads\[\w+\]\[\d+\]\[id\]|event\[data\]\[id\]")
_ACTIONS = {
    "status": "stage changed",
    "update": "deal changed",
    "add": "deal added",
    "delete": "deal deleted",
    "restore": "deal restored",
    "responsible": "new responsible",
    "note": "note",
}
_VERBS = {"create": "made", "update": "changed", "delete": "deleted", "sendByEmail": "mailed"}


@dataclass(frozen=True)
class Row:
    """One line; ``count`` equal ones in a row are told once."""

    key: str
    at: datetime
    vendor: str
    kind: str
    text: str
    detail: str
    answer: str
    tone: str
    count: int = 1

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "at": self.at.isoformat()}


class Journal:
    """Reads the worlds' call lists and the history of hooks; keeps nothing but parsed bodies."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._deals: dict[int, frozenset[int]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Newest first."""
        found = [*self._calls(), *self._hooks()]
        found.sort(key=lambda row: row.at, reverse=True)
        return [row.as_dict() for row in _folded(found[: 2 * ROWS])][:ROWS]

    def hooks_of(self, deal_id: int) -> list[dict[str, Any]]:
        """The hooks that named this deal, newest first."""
        named = [d for d in self._sandbox.deliveries.history if deal_id in self._deals_in(d)]
        return [_hook_view(delivery) for delivery in reversed(named[-12:])]

    def _calls(self) -> Iterator[Row]:
        for vendor, world in (
            ("kommo", self._sandbox.kommo),
            ("freshbooks", self._sandbox.freshbooks),
        ):
            start = max(0, len(world.calls) - ROWS)
            for place, call in enumerate(world.calls[start:], start):
                method, path, status = call
                at = getattr(call, "at", None)
                if at is not None and path != "/favicon.ico":  # a browser's, unasked
                    head = (vendor, "call", told(vendor, method, path), f"{method} {path}")
                    answer = str(status or "no reply")
                    yield Row(f"{vendor}-{place}", at, *head, answer, _tone(status))

    def _hooks(self) -> Iterator[Row]:
        for hook in self._sandbox.deliveries.history[-ROWS:]:
            head = (
                hook.vendor,
                "hook",
                words(hook.label),
                f"{hook.method} {urlsplit(hook.url).path}",
            )
            for place, attempt in enumerate(hook.attempts):
                answer = answered(attempt.status)
                key = f"hook-{hook.id}-{place}"
                yield Row(key, attempt.at, *head, answer, _tone(attempt.status))
            if not hook.attempts and hook.state in ("dropped", "waiting"):
                lost = hook.state == "dropped"
                said = ("lost on the way", "bad") if lost else ("waiting", "quiet")
                yield Row(f"hook-{hook.id}", hook.due, *head, *said)

    def _deals_in(self, hook: Delivery) -> frozenset[int]:
        if hook.id not in self._deals:
            self._deals[hook.id] = frozenset(_deals_in(hook.body))
        return self._deals[hook.id]


def words(label: str) -> str:
    """ "leads[status]" as "Stage changed", "invoice.create" as "Invoice made"."""
    found = re.findall(r"leads\[(\w+)\]", label)
    text = ", ".join(_ACTIONS.get(one, one) for one in found)
    noun, dot, verb = label.partition(".")
    if dot:
        text = "confirm this callback" if verb == "verify" else f"{noun} {_VERBS.get(verb, verb)}"
    text = (text or label).replace("_", " ")
    return text[:1].upper() + text[1:]


def answered(status: int) -> str:
    return {UNREACHABLE: "nobody there", TIMED_OUT: "timed out"}.get(status, str(status))


def _tone(status: int) -> str:
    return "good" if 200 <= status < 400 else "bad"


def _hook_view(hook: Delivery) -> dict[str, Any]:
    return {
        "id": hook.id,
        "at": (hook.attempts[-1].at if hook.attempts else hook.due).isoformat(),
        "text": words(hook.label),
        "state": hook.state,
        "answer": "" if hook.status is None else answered(hook.status),
        "tries": len(hook.attempts),
        "to": hook.url,
    }


def _deals_in(body: bytes) -> Iterator[int]:
    text = body.decode("utf-8", "replace")
    if text.startswith("{"):
        rows = json.loads(text).get("leads") or {}
        yield from (int(row["id"]) for many in rows.values() for row in many)
        return
    for key, value in parse_qsl(text):
        if _DEAL_KEY.fullmatch(key) and value.isdigit():
            yield int(value)


def _folded(rows: list[Row]) -> list[Row]:
    """Neighbours that say the same become one line with a count; the oldest keeps its key."""
    folded: list[Row] = []
    for row in rows:
        last = folded[-1] if folded else None
        same = last and (last.text, last.answer, last.detail) == (row.text, row.answer, row.detail)
        if last and same:
            folded[-1] = Row(**{**last.__dict__, "key": row.key, "count": last.count + 1})
        else:
            folded.append(row)
    return folded
