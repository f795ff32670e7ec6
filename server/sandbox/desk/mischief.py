"""The fault desk: what can go wrong, one click each, and what is ordered at the moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from server.sandbox.faults import KINDS, Fault

if TYPE_CHECKING:
    from server.sandbox import Sandbox

#: The one call that must never happen twice.
CREATE = "POST /accounting/*/invoices/invoices"
#: More hooks than anybody will watch: until it is called off.
ALL = 1_000_000


@dataclass(frozen=True)
class Order:
    """One button. ``order`` puts the fault on; ``what`` says what one will see."""

    group: str
    label: str
    what: str
    order: Callable[["Sandbox"], object]


def _fault(kind: str, vendor: str, match: str = "*", **more: Any) -> Callable[["Sandbox"], Fault]:
    """``lasts``: for that many seconds of sandbox time; ``times`` None: until cleared."""
    lasts = more.pop("lasts", None)

    def put(sandbox: "Sandbox") -> Fault:
        until = sandbox.clock.now() + timedelta(seconds=lasts) if lasts else None
        times = None if lasts else more.get("times", 1)
        rest = {key: value for key, value in more.items() if key != "times"}
        return sandbox.faults.add(
            Fault(kind, match=match, vendor=vendor, times=times, until=until, **rest)
        )

    return put


ORDERS: dict[str, Order] = {
    "lose_reply": Order(
        "FreshBooks",
        "Lose FreshBooks’ next reply",
        "The next invoice is made, but nobody hears of it.",
        _fault("lose_reply", "freshbooks", CREATE),
    ),
    "error_after": Order(
        "FreshBooks",
        "500 after the invoice was made",
        "FreshBooks makes it and answers with an error.",
        _fault("error_after", "freshbooks", CREATE),
    ),
    "late_commit": Order(
        "FreshBooks",
        "The invoice lands 20 s late",
        "The connection is cut first, the invoice appears afterwards.",
        _fault("late_commit", "freshbooks", CREATE, seconds=20),
    ),
    "truncate": Order(
        "FreshBooks",
        "Half a reply",
        "The next invoice is made; its reply breaks off.",
        _fault("truncate", "freshbooks", CREATE),
    ),
    "throttle": Order(
        "FreshBooks",
        "429 for a minute",
        "FreshBooks answers “too many requests”.",
        _fault("throttle", "freshbooks", lasts=60, seconds=60),
    ),
    "freshbooks_down": Order(
        "FreshBooks",
        "FreshBooks down",
        "Only error pages, until you clear it.",
        _fault("html", "freshbooks", times=None, status=503),
    ),
    "kommo_slow": Order(
        "Kommo",
        "Kommo slow",
        "Every call takes 3 seconds, until you clear it.",
        _fault("slow", "kommo", times=None, seconds=3),
    ),
    "kommo_down": Order(
        "Kommo",
        "Kommo down",
        "Every call fails with 503, until you clear it.",
        _fault("error_before", "kommo", times=None, status=503),
    ),
    "kommo_forgets": Order(
        "Kommo",
        "Token refused once",
        "The next call is answered 401: a fresh token is due.",
        _fault("unauthorized", "kommo", "* /api/*"),
    ),
    "kommo_blocks": Order(
        "Kommo",
        "Address blocked for 5 minutes",
        "Kommo’s proxy answers 403 to everything.",
        _fault("forbidden_html", "kommo", lasts=300),
    ),
    "drop": Order(
        "Hooks",
        "Drop the next hook",
        "It never arrives; the move is found later.",
        lambda sandbox: sandbox.deliveries.drop_next(1),
    ),
    "duplicate": Order(
        "Hooks",
        "Send each hook twice",
        "Until you clear it. Still one invoice.",
        lambda sandbox: sandbox.deliveries.duplicate_next(ALL),
    ),
    "reorder": Order(
        "Hooks",
        "Swap the next two hooks",
        "The second overtakes the first.",
        lambda sandbox: sandbox.deliveries.reorder_next(2),
    ),
    "hold": Order(
        "Hooks",
        "Hold all hooks",
        "They pile up, and go out together when you clear it.",
        lambda sandbox: sandbox.deliveries.hold(),
    ),
}


def groups() -> dict[str, list[tuple[str, Order]]]:
    """The buttons by the party that they trouble, in the order of the page."""
    found: dict[str, list[tuple[str, Order]]] = {}
    for key, order in ORDERS.items():
        found.setdefault(order.group, []).append((key, order))
    return found


class Orders:
    """Remembers by which button a fault came: the button shows that it is on, and clears it."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._buttons: dict[int, str] = {}

    def put(self, key: str) -> str:
        """Its label. Raises KeyError."""
        order = ORDERS[key]
        made = order.order(self._sandbox)
        if isinstance(made, Fault):
            self._buttons[made.id] = key
        return order.label

    def active(self) -> list[dict[str, Any]]:
        """What is on: ``key`` clears it, ``button`` (or "") is where it came from."""
        rows = [
            {
                "key": str(fault.id),
                "button": self._buttons.get(fault.id, ""),
                "text": f"{fault.match}: {KINDS[fault.kind]}",
                "until": fault.until.isoformat() if fault.until else None,
                "times": fault.times,
            }
            for fault in self._sandbox.faults.list()
        ]
        for name, left in self._sandbox.deliveries.mischief().items():
            if left:
                times = left if name in ("drop", "reorder") else None
                row = {"key": name, "button": name, "text": ORDERS[name].label}
                rows.append(row | {"until": None, "times": times})
        return rows

    def clear(self, key: str) -> None:
        """One fault by its id, mischief with hooks by its name, "" for everything."""
        deliveries = self._sandbox.deliveries
        if not key:
            self._sandbox.faults.clear()
            deliveries.behave()
        elif key.isdigit():
            self._sandbox.faults.remove(int(key))
        elif key == "drop":
            deliveries.drop_next(-deliveries.mischief()["drop"])
        elif key == "duplicate":
            deliveries.duplicate_next(-deliveries.mischief()["duplicate"])
        else:
            deliveries.release()
