"""A deal as a page tries settings on it: read once, then taken as it is for a minute.

Kept in this process's memory, on purpose: it holds persons' data that no table of ours needs, it
is worth little after a minute (ten, where Kommo does not answer), and a process that does not have
it only reads the deal again.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from server.core.errors import TryLater
from server.core.sale import Sale
from server.flows.glance import Deadline, Glance, look
from server.flows.world import World
from server.store.db import Database
from server.vendors.kommo.read import read_sale

T = TypeVar("T")

KEPT = timedelta(seconds=60)
FORGOTTEN = timedelta(minutes=10)
REST = timedelta(seconds=20)  # a vendor that did not answer is not asked for every key typed
MOST = 200  # things in memory; the oldest go


@dataclass(frozen=True)
class DealRead:
    """``sale`` None: the deal is deleted, or was never there. ``host`` is the account's."""

    sale: Sale | None
    host: str
    read_at: datetime


class Memory:
    """What pages have seen of vendors a moment ago, of each database's accounts; oldest first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._seen: WeakKeyDictionary[Database, OrderedDict[Hashable, tuple[datetime, Any]]]
        self._seen = WeakKeyDictionary()

    def get(self, world: World, key: Hashable, *, younger_than: timedelta = KEPT) -> Any:
        """None where it is not known, or older."""
        now = world.clock.now()
        with self._guard:
            seen = self._seen.get(world.database)
            at, value = seen.get(key, (None, None)) if seen else (None, None)
        return value if at is not None and timedelta(0) <= now - at < younger_than else None

    def put(self, world: World, key: Hashable, value: Any) -> None:
        with self._guard:
            seen = self._seen.setdefault(world.database, OrderedDict())
            seen.pop(key, None)
            seen[key] = (world.clock.now(), value)
            long_ago = world.clock.now() - FORGOTTEN
            while len(seen) > MOST or next(iter(seen.values()))[0] < long_ago:
                seen.popitem(last=False)


MEMORY = Memory()


def read_deal(
    world: World,
    account_id: int,
    deal_id: int,
    catalogs: tuple[int, ...],
    *,
    fresh: bool,
    within: Deadline,
) -> DealRead:
    """From memory while it is young, unless ``fresh``. ``catalogs`` hold what is sold. Raises the
    outcomes; then ``last_read`` may still know it."""
    key = _key(account_id, deal_id, catalogs)
    kept: DealRead | None = None if fresh else MEMORY.get(world, key)
    if kept is not None:
        return kept

    def work(glance: Glance) -> DealRead:
        home = glance.kommo_connection
        sale = read_sale(
            glance.kommo,
            deal_id,
            currency=home.currency,
            timezone=home.timezone,
            product_catalogs=catalogs,
        )
        read = DealRead(sale, home.realm, world.clock.now())
        MEMORY.put(world, key, read)
        return read

    what = f"kommo:deal:{deal_id}:{','.join(map(str, catalogs))}"
    return patiently(world, key, fresh, lambda: look(world, account_id, what, work, within=within))


def patiently(world: World, key: Hashable, fresh: bool, ask: Callable[[], T]) -> T:
    """What ``ask`` gives. Where it raised TryLater a moment ago, that again without asking."""
    failed = ("failed", key)
    before: TryLater | None = None if fresh else MEMORY.get(world, failed, younger_than=REST)
    if before is not None:
        raise TryLater(before.cause, before.sentence)
    try:
        return ask()
    except TryLater as later:
        MEMORY.put(world, failed, later)
        raise


def last_read(
    world: World, account_id: int, deal_id: int, catalogs: tuple[int, ...]
) -> DealRead | None:
    """As it was when it was read last, while this process remembers it."""
    read: DealRead | None = MEMORY.get(
        world, _key(account_id, deal_id, catalogs), younger_than=FORGOTTEN
    )
    return read


def _key(account_id: int, deal_id: int, catalogs: tuple[int, ...]) -> Hashable:
    return ("deal", account_id, deal_id, catalogs)
