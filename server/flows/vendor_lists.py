"""What Kommo has, for pickers: pipelines with their stages, fields, lists.

Kept for ten minutes for all processes. A page shows what was last known, of whatever age, where
Kommo is slow or dead or wants to be connected again, and says so: it never fails and never waits
for more than seconds. The stages and product lists that jobs use are kept along with them.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from weakref import WeakKeyDictionary

from server.core.errors import Outcome, TryLater
from server.core.said import joined, say
from server.core.vendor_lists import (
    Catalog,
    Entity,
    KnownField,
    Lists,
    Option,
    Pipeline,
    Stage,
    missing_in,
)
from server.flows import pipelines, product_lists
from server.flows.glance import Deadline, Glance, in_words, look
from server.flows.world import World
from server.store import calls
from server.store.db import Database, Session
from server.vendors.kommo.lists import read_lists

__all__ = [
    "Catalog",
    "KnownField",
    "Lists",
    "Option",
    "Pipeline",
    "Stage",
    "keep_fields",
    "last_known",
    "lists_of",
    "missing_in",
]

FRESH = timedelta(minutes=10)
CACHE = "kommo:lists"
SECONDS = 5.0  # that a page waits for all calls together
REST = timedelta(seconds=30)  # after a failure, before the next page tries again
REMEMBERED = 64  # accounts' lists; found by their text, so newer ones are others

_OLD = say("What you see here is what Kommo told last.")
_NOTHING = say("Its pipelines and fields cannot be shown yet. Try again in a minute.")

# By account, until when pages show what is known, and why. In this process alone: another one
# loses five seconds to find out for itself.
_failed: WeakKeyDictionary[Database, dict[int, tuple[datetime, str]]] = WeakKeyDictionary()
_guard = threading.Lock()


def lists_of(
    world: World, account_id: int, *, fresh: bool = False, seconds: float = SECONDS
) -> Lists:
    """The lists, from the cache while they are young; ``fresh`` reads them again.

    ``notice`` says why they are old; ``is_known`` is False where there are none at all.
    """
    known, now = last_known(world, account_id), world.clock.now()
    if known.fetched_at and known.fetched_at > now - FRESH and not fresh:
        return known
    why = "" if fresh else _why_not_now(world, account_id, now)
    if not why:
        try:
            found = look(world, account_id, CACHE, _read, within=Deadline(seconds))
        except Outcome as outcome:
            why = in_words(outcome)
            if isinstance(outcome, TryLater):
                _note(world, account_id, (now + REST, why))
        else:
            _note(world, account_id, None)
            return found
    return replace(known, notice=joined([why, _OLD if known.is_known else _NOTHING]))


def last_known(world: World, account_id: int) -> Lists:
    """What was told last, of whatever age: the vendor is not asked."""
    with world.database.read() as session:
        return _kept(session, account_id)


def _kept(session: Session, account_id: int) -> Lists:
    text = calls.cached_text(session, account_id, CACHE)
    return _parsed(text) if text else Lists()


@lru_cache(REMEMBERED)
def _parsed(text: str) -> Lists:
    """Lists are frozen, so all who read them may share them."""
    try:
        return Lists.from_json(json.loads(text))
    except (KeyError, TypeError, ValueError):  # written by another version
        return Lists()


def _read(glance: Glance) -> Lists:
    """An entity that has no fields any more keeps those that it had: no account is without."""
    account_id, now = glance.account_id, glance.world.clock.now()
    found = read_lists(glance.kommo, now)
    with glance.world.database.write() as session:
        lists = found.trusting(_kept(session, account_id))
        _keep(session, account_id, lists, now)
    return lists


def keep_fields(
    session: Session, account_id: int, entity: Entity, fields: Sequence[KnownField], now: datetime
) -> Lists:
    """The lists with these, as Kommo told them just now; the rest is as old as it was."""
    lists = _kept(session, account_id).with_fields(entity, fields, now)
    calls.cache(session, account_id, CACHE, lists.to_json(), now)
    return lists


def _keep(session: Session, account_id: int, lists: Lists, now: datetime) -> None:
    """Jobs look for stages and product lists under their own names."""
    calls.cache(session, account_id, CACHE, lists.to_json(), now)
    stages = {str(p.pipeline_id): [stage.stage_id for stage in p.stages] for p in lists.pipelines}
    calls.cache(session, account_id, pipelines.CACHE, stages, now)
    sold = {"ids": lists.product_catalogs()}
    calls.cache(session, account_id, product_lists.CACHE, sold, now)


def _why_not_now(world: World, account_id: int, now: datetime) -> str:
    """The last failure, while it is young: a dead vendor must not cost every page its seconds."""
    with _guard:
        until, why = _failed.get(world.database, {}).get(account_id, (now, ""))
    return why if until > now else ""


def _note(world: World, account_id: int, failure: tuple[datetime, str] | None) -> None:
    with _guard:
        of_accounts = _failed.setdefault(world.database, {})
        of_accounts.pop(account_id, None)
        if failure is not None:
            of_accounts[account_id] = failure
