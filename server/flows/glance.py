"""A page's look at a vendor: it waits for seconds, the look itself as long as calls may take.

So the look goes on in a thread of its own. Cutting its calls short would be easier, and wrong: a
renewal of tokens that is cut half-way loses the account's access (refresh tokens work once). What
comes too late for one page is there for the next; who asks the same meanwhile waits with the first.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import cached_property
from time import monotonic
from typing import Any, TypeVar

import structlog

from server.core.errors import CannotBill, Outcome, Reconnect, TryLater
from server.core.keys import AccountId
from server.core.said import joined, say
from server.flows import world as outside
from server.flows.world import World
from server.store import calls
from server.store.accounts import ConnectionRow
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.http import VENDOR_NAMES, CallMade
from server.vendors.kommo.client import KommoClient

log = structlog.get_logger()
T = TypeVar("T")

# Looks of this process, and of one account, whose vendor alone may be dead: it holds each of them
# for half a minute.
AT_ONCE, OF_ONE = 24, 6
# Pages and hooks share a few threads, and a hook must be answered within two seconds: beyond the
# first second only so many pages wait on, so that a hanging vendor keeps no hook waiting.
IMPATIENT = 1.0
PATIENT, PATIENT_OF_ONE = 3, 2


class Glance:
    """The account's clients for one look (made on first use); its calls are noted when it ends."""

    def __init__(self, world: World, account_id: int) -> None:
        self.world = world
        self.account_id = AccountId(account_id)
        self._calls: list[CallMade] = []

    @cached_property
    def kommo_connection(self) -> ConnectionRow:
        return outside.connection_of(self.world, self.account_id, "kommo")

    @cached_property
    def freshbooks_connection(self) -> ConnectionRow:
        return outside.connection_of(self.world, self.account_id, "freshbooks")

    @cached_property
    def kommo(self) -> KommoClient:
        return outside.kommo_client(self.world, self.kommo_connection, self._calls.append)

    @cached_property
    def freshbooks(self) -> FreshbooksClient:
        return outside.freshbooks_client(self.world, self.freshbooks_connection, self._calls.append)

    def note_calls(self) -> None:
        made, self._calls = self._calls, []
        if made:
            whose = {"account_id": self.account_id, "job_id": None}
            with self.world.database.write() as session:
                calls.note(session, [{**whose, **vars(call)} for call in made])


class Deadline:
    """What is left, in real seconds, of the time that one page may take for all its looks."""

    def __init__(self, seconds: float) -> None:
        self._ends = monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._ends - monotonic())


_GUARD = threading.Lock()
_UNDER_WAY: dict[tuple[int, int, str], Future[Any]] = {}
_WAITING: list[int] = []  # the account of each page that waits beyond the first second


def look(
    world: World, account_id: int, what: str, work: Callable[[Glance], T], *, within: Deadline
) -> T:
    """What ``work`` returns, or raises. TryLater where it takes longer; it goes on then.

    ``what`` names the look, its vendor first ("kommo:lists", "kommo:deal:17"): of one name one is
    made at a time, and all who ask get its answer.
    """
    future: Future[T] = _begun(world, account_id, what, work)
    _wait(future, account_id, within)
    if not future.done():
        vendor = what.partition(":")[0]
        raise TryLater(
            f"{vendor}:slow",
            say("%(vendor)s does not answer in time.", vendor=VENDOR_NAMES[vendor]),
        )
    return future.result()


def _wait(future: Future[Any], account_id: int, within: Deadline) -> None:
    wait([future], timeout=min(within.left(), IMPATIENT))
    if future.done():
        return
    with _GUARD:
        if len(_WAITING) >= PATIENT or _WAITING.count(account_id) >= PATIENT_OF_ONE:
            return
        _WAITING.append(account_id)
    try:
        wait([future], timeout=within.left())
    finally:
        with _GUARD:
            _WAITING.remove(account_id)


def settle(seconds: float = 60.0) -> bool:
    """Wait for every look that goes on behind its page; whether all have ended."""
    with _GUARD:
        going = list(_UNDER_WAY.values())
    return not wait(going, timeout=seconds).not_done


def in_words(outcome: Outcome) -> str:
    """What came of a look, in a sentence for whoever sees the page."""
    match outcome:
        case TryLater():
            return outcome.sentence
        case Reconnect():
            vendor = VENDOR_NAMES[outcome.vendor]
            said = outcome.sentence or say(
                "Billhook has no access to %(vendor)s now.", vendor=vendor
            )
            said = said if said.endswith(".") else f"{said}."
            return joined([said, say("Connect %(vendor)s again.", vendor=vendor)])
        case CannotBill():
            return joined(problem.sentence for problem in outcome.problems)
        case _:
            return outcome.said


def _begun(world: World, account_id: int, what: str, work: Callable[[Glance], T]) -> Future[T]:
    key = (id(world.database), account_id, what)
    with _GUARD:
        if key in _UNDER_WAY:
            return _UNDER_WAY[key]
        of_one = sum(one[:2] == key[:2] for one in _UNDER_WAY)
        if len(_UNDER_WAY) >= AT_ONCE or of_one >= OF_ONE:
            vendor = what.partition(":")[0]
            raise TryLater(f"{vendor}:slow", say("Too many pages wait for an answer now."))
        future: Future[T] = Future()
        _UNDER_WAY[key] = future
    glance = Glance(world, account_id)
    run = threading.Thread(
        target=_run, args=(key, glance, work, future), name=f"look {what}", daemon=True
    )
    run.start()
    return future


def _run(
    key: tuple[int, int, str], glance: Glance, work: Callable[[Glance], T], future: Future[T]
) -> None:
    try:
        try:
            answer = work(glance)
        finally:
            glance.note_calls()
    except BaseException as error:  # whoever waits for the answer raises it
        if not isinstance(error, Outcome):
            log.exception("a look failed", look=key[2])
        _ended(key)
        future.set_exception(error)
    else:
        _ended(key)
        future.set_result(answer)


def _ended(key: tuple[int, int, str]) -> None:
    """Before the answer is given: who asks from now on makes a new look."""
    with _GUARD:
        _UNDER_WAY.pop(key, None)
