"""An account's rules and mapping change: saved as a new version, rules switched on and off.

When a rule was switched on is Kommo's time, for Kommo's clock stamps the entries that it is
compared with. A saved version makes the fields that it names, and parked deals are looked at again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.core.said import say
from server.core.settings import (
    InvalidSettings,
    SettingsDocument,
    as_stored,
    default_settings,
    validate,
)
from server.core.states import JobClass
from server.flows import deal_fields, pipelines, product_lists
from server.flows.glance import Deadline, Glance, look
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import calls, jobs, numbered, settings
from server.store.db import Session
from server.store.jobs import JobKind, NewJob

PARKED_ON_SETTINGS = ("problems",)
CHANGED_SERIES = say("cannot change: the rule has billed deals. Make a new rule for another series")
PATIENCE = 35.0  # a call takes 30 seconds at most
MOST_TOLD = 20  # versions that who was overtaken is told of


@dataclass(frozen=True)
class Version:
    """One saved version; ``author`` is the name that the history shows."""

    number: int
    author: str
    at: datetime
    document: SettingsDocument


class Overtaken(Exception):
    """Somebody saved since. ``based_on`` is the document that the change was made from (the default
    where there was none), ``since`` the newest versions after it, oldest first."""

    def __init__(self, based_on: SettingsDocument, since: tuple[Version, ...]) -> None:
        super().__init__("Somebody else saved these settings meanwhile.")
        self.based_on = based_on
        self.since = since


class NoSuchRule(LookupError):
    """The account's settings have no rule of this slug."""

    def __init__(self, slug: str, known: list[str]) -> None:
        names = ", ".join(known) or "there are none yet"
        super().__init__(f"There is no rule “{slug}” ({names}).")


def save(world: World, account_id: int, data: Any, author: str) -> SettingsDocument:
    """Raises core's InvalidSettings; then nothing is stored. A rule that is gone is off."""
    document = validate(data)
    now = world.clock.now()
    with world.database.write() as session:
        _series_stand(session, account_id, document)
        settings.save(session, account_id, document.to_json(), author, now)
        _follow(session, account_id, document, author, now)
    return document


def newest(world: World, account_id: int) -> tuple[SettingsDocument, int]:
    """What counts now, and its version's number (0: nothing was saved yet), from one moment."""
    with world.database.read() as session:
        row = settings.current(session, account_id)
    if row is None:
        return default_settings(), 0
    return as_stored(row.document), row.number


def save_if(
    world: World, account_id: int, data: Any, author: str, *, based_on: int
) -> SettingsDocument:
    """``save``, where version ``based_on`` is still the newest; else raises Overtaken, and nothing
    is stored. Raises InvalidSettings first: there is no use in asking again with a mistake."""
    document = validate(data)
    now = world.clock.now()
    with world.database.write() as session:
        _series_stand(session, account_id, document)
        body = document.to_json()
        if settings.save_after(session, account_id, body, author, now, based_on=based_on):
            _follow(session, account_id, document, author, now)
            return document
    raise _overtaken(world, account_id, based_on)


def _series_stand(session: Session, account_id: int, document: SettingsDocument) -> None:
    """A rule that has billed keeps its series: in another one, its deals would be billed anew."""
    before = settings.current(session, account_id)
    known = before.document.get("rules", ()) if before else ()
    same = {(rule.get("slug"), rule.get("series")) for rule in known}
    changed = [
        (place, rule)
        for place, rule in enumerate(document.rules)
        if (rule.slug, rule.series) not in same
    ]
    used = numbered.purposes_used(session, account_id) if changed else {}
    wrong = [
        (f"rules.{place}.series", CHANGED_SERIES)
        for place, rule in changed
        if used.get(rule.slug, set()) - {rule.purpose}
    ]
    if wrong:
        raise InvalidSettings(wrong)


def _overtaken(world: World, account_id: int, based_on: int) -> Overtaken:
    with world.database.read() as session:
        mine = settings.numbered(session, account_id, based_on)
        rows = settings.since(session, account_id, based_on, at_most=MOST_TOLD)
    versions = (
        Version(row.number, row.author, row.created_at, as_stored(row.document)) for row in rows
    )
    return Overtaken(as_stored(mine.document) if mine else default_settings(), tuple(versions))


def _follow(
    session: Session, account_id: int, document: SettingsDocument, author: str, now: datetime
) -> None:
    """What a new version brings with it, in its own commit."""
    kept = {rule.slug for rule in document.rules}
    for slug in set(settings.switched_on(session, account_id)) - kept:
        settings.switch_off(session, account_id, slug, now, author)
    for name in (deal_fields.CACHE, pipelines.CACHE, product_lists.CACHE):
        calls.drop_cache(session, account_id, name)  # what jobs go by; pages keep their lists
    jobs.resume(session, account_id, PARKED_ON_SETTINGS, now)
    new = NewJob(account_id, JobKind.ENSURE, "account", JobClass.CLICK, {})
    jobs.defer(session, new, now)


def on_since(world: World, account_id: int) -> dict[str, datetime]:
    """The rules that are on, by slug."""
    with world.database.read() as session:
        return settings.switched_on(session, account_id)


def switch_on(
    world: World, account_id: int, slug: str, author: str, *, seconds: float = PATIENCE
) -> bool:
    """Whether it was off before. From now on it bills; older deals are left as they are.

    Raises NoSuchRule, and the outcomes where Kommo does not tell its time within ``seconds``.
    """
    with world.database.read() as session:
        _must_know(session, account_id, slug)
    at = _kommo_time(world, account_id, seconds)
    with world.database.write() as session:
        _must_know(session, account_id, slug)  # removed while Kommo told its time
        return settings.switch_on(session, account_id, slug, at, author)


def _must_know(session: Session, account_id: int, slug: str) -> None:
    known = [rule.slug for rule in settings_of(session, account_id).rules]
    if slug not in known:
        raise NoSuchRule(slug, known)


def switch_off(world: World, account_id: int, slug: str, author: str) -> bool:
    """Whether it was on before."""
    with world.database.write() as session:
        return settings.switch_off(session, account_id, slug, world.clock.now(), author)


def _kommo_time(world: World, account_id: int, seconds: float) -> datetime:
    told = look(world, account_id, "kommo:time", _told_time, within=Deadline(seconds))
    return told or world.clock.now()


def _told_time(glance: Glance) -> datetime | None:
    return glance.kommo.account().server_time
