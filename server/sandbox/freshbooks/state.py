"""What the emulated FreshBooks remembers: people, apps, and the books of each business.

Rows carry FreshBooks' own field names, with Decimals where the wire has Money objects.
"""

import itertools
import secrets
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from server.sandbox.clock import SandboxClock
from server.sandbox.delivery import Deliveries
from server.sandbox.freshbooks import stamps
from server.sandbox.freshbooks.switches import FreshbooksSwitches

Row = dict[str, Any]

#: Where ids start: far apart, so that an id of the wrong kind never happens to exist.
FIRST_IDS = {
    "identity": 1_110_001,
    "membership": 5_550_001,
    "business": 7_770_001,
    "system": 9_990_001,
    "role": 6_660_001,
    "client": 567_001,
    "invoice": 454_001,
    "payment": 312_001,
    "credit_note": 31_301,
    "tax": 7_801,
    "item": 4_301,
    "callback": 2_001,
    "mail": 1,
}


class Table(dict[int, Row]):
    """Rows of one resource by id, and what lists see of them when lists lag behind."""

    def __init__(self) -> None:
        super().__init__()
        self._versions: dict[int, list[tuple[datetime, Row]]] = defaultdict(list)

    def remember(self, row_id: int, at: datetime) -> None:
        """Keep the row as it is now for lists that lag; a day of history is plenty."""
        past = self._versions[row_id]
        past.append((at, dict(self[row_id])))
        while len(past) > 1 and past[1][0] < at - timedelta(days=1):
            past.pop(0)

    def listed(self, as_of: datetime | None) -> Iterator[Row]:
        """Rows as lists show them: now, or as they stood at ``as_of``."""
        if as_of is None:
            yield from self.values()
            return
        for past in self._versions.values():
            seen = [row for at, row in past if at <= as_of]
            if seen:
                yield seen[-1]


@dataclass(eq=False)
class Env:
    """What all parts of the emulator share."""

    clock: SandboxClock
    deliveries: Deliveries
    switches: FreshbooksSwitches
    lock: threading.RLock = field(default_factory=threading.RLock)
    base_url: str = ""
    auth_url: str = ""
    app_url: str = ""
    _ids: dict[str, Iterator[int]] = field(
        default_factory=lambda: {kind: itertools.count(n) for kind, n in FIRST_IDS.items()}
    )

    def next_id(self, kind: str) -> int:
        return next(self._ids[kind])


@dataclass(eq=False)
class Role:
    """A person's part in a business. ``account_role`` is what ``roles[]`` of /me says."""

    books: "Books"
    business_role: str
    account_role: str
    membership_id: int
    role_id: int
    user_id: int = 1


@dataclass(eq=False)
class Identity:
    """A person who signs in to FreshBooks."""

    id: int
    email: str
    name: str
    roles: list[Role] = field(default_factory=list, repr=False)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def role_at(self, account_id: str) -> Role | None:
        return next((r for r in self.roles if r.books.account_id == account_id), None)


@dataclass(frozen=True)
class App:
    """A registered developer app; only its ticked scopes may be asked for."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]


@dataclass(frozen=True)
class Mail:
    """An e-mail that FreshBooks sent to a client."""

    id: int
    invoice_id: int
    recipients: tuple[str, ...]
    subject: str
    body: str
    with_pdf: bool
    at: datetime


@dataclass(eq=False)
class Books:
    """One business: what its account holds."""

    env: Env = field(repr=False)
    owner: Identity
    name: str
    account_id: str
    business_id: int
    timezone: str
    currency: str
    country: str = "Lithuania"
    system_id: int = 0
    business_uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    clients: Table = field(default_factory=Table)
    invoices: Table = field(default_factory=Table)
    payments: Table = field(default_factory=Table)
    credit_notes: Table = field(default_factory=Table)
    taxes: Table = field(default_factory=Table)
    items: Table = field(default_factory=Table)
    callbacks: Table = field(default_factory=Table)
    mails: dict[int, Mail] = field(default_factory=dict)
    payment_options: dict[int, Row] = field(default_factory=dict)
    last_numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def switches(self) -> FreshbooksSwitches:
        return self.env.switches

    @property
    def now(self) -> datetime:
        return self.env.clock.now()

    @property
    def today(self) -> date:
        return stamps.day(self.now, self.timezone)

    def touch(self, table: Table, row: Row) -> None:
        """Stamp a row as changed now and let lists learn of it."""
        row["updated"] = stamps.eastern(self.now)
        row["version"] = stamps.eastern_micros(self.now)
        table.remember(row["id"], self.now)

    def add(self, kind: str, table: Table, row: Row) -> Row:
        """Give a new row its id and stamps, and keep it."""
        row["id"] = self.env.next_id(kind)
        row["uuid"] = str(uuid.uuid4())
        row["created_at"] = stamps.eastern(self.now)
        row.setdefault("vis_state", 0)
        table[row["id"]] = row
        self.touch(table, row)
        return row


def new_account_id() -> str:
    """Six letters and digits, like "aBc12D"."""
    alphabet = "abcdefghkmnpqrstuvwxyzABCDEFGHKLMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(alphabet) for _ in range(6))
