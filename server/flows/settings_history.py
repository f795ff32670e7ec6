"""The history of an account's settings, as a person reads it: who changed what, and when.

A version that this Billhook can no longer read (an older one took what this one refuses) keeps its
place; what differs in it cannot be said, and it cannot be restored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from server.core.settings import InvalidSettings, SettingsDocument, default_settings
from server.core.settings_diff import Difference, differences
from server.flows.settings_of import read_back
from server.flows.world import World
from server.store import settings, settings_history
from server.store.db import Session
from server.store.settings_history import OFF, ON, SAVED, Happening

__all__ = [
    "OFF",
    "ON",
    "SAVED",
    "Current",
    "Happening",
    "Moment",
    "Saved",
    "current",
    "saved",
    "timeline",
]

A_PAGE = 20


@dataclass(frozen=True)
class Moment:
    """One line of the history. ``differs``: from the version before; None where it cannot be read.
    ``rule``: the name of the rule that was switched, as far as it is known here."""

    what: Happening
    differs: tuple[Difference, ...] | None = ()
    rule: str = ""


@dataclass(frozen=True)
class Current:
    """What counts now: its version's number (0: nothing was saved yet), and which rules are on."""

    number: int
    document: SettingsDocument
    on: frozenset[str]


@dataclass(frozen=True)
class Saved:
    """One version and the one before it; None where this Billhook cannot read them."""

    number: int
    author: str
    at: datetime
    document: SettingsDocument | None
    before: SettingsDocument | None


def timeline(
    world: World, account_id: int, before: Happening | None = None
) -> tuple[list[Moment], Happening | None]:
    """A page of it, newest first, and after which the next one begins (None: that was all)."""
    with world.database.read() as session:
        found = settings_history.happenings(session, account_id, A_PAGE + 1, before)
        numbers = [one.id for one in found[:A_PAGE] if one.kind == SAVED]
        documents = _documents(session, account_id, [*numbers, *(n - 1 for n in numbers)])
        newest = settings_history.newest_number(session, account_id)
        documents |= _documents(session, account_id, [newest])
    page = [_moment(one, documents) for one in found[:A_PAGE]]
    return page, found[A_PAGE - 1] if len(found) > A_PAGE else None


def saved(world: World, account_id: int, number: int) -> Saved | None:
    """None where the account has no such version."""
    with world.database.read() as session:
        told = settings_history.version(session, account_id, number)
        if told is None:
            return None
        documents = _documents(session, account_id, [number, number - 1])
    return Saved(
        number=number,
        author=told[0],
        at=told[1],
        document=documents[number],
        before=documents.get(number - 1),
    )


def current(world: World, account_id: int) -> Current:
    with world.database.read() as session:
        number = settings_history.newest_number(session, account_id)
        document = _documents(session, account_id, [number])[number]
        on = settings.switched_on(session, account_id)
    return Current(number, document or default_settings(), frozenset(on))


def _documents(
    session: Session, account_id: int, numbers: Iterable[int]
) -> dict[int, SettingsDocument | None]:
    """By number; before the first version the default counted."""
    texts = settings_history.texts(session, account_id, numbers)
    found = {number: _readable(text) for number, text in texts.items()}
    return {0: default_settings(), **found}


def _readable(text: str) -> SettingsDocument | None:
    try:
        return read_back(text)
    except InvalidSettings:
        return None


def _moment(what: Happening, documents: dict[int, SettingsDocument | None]) -> Moment:
    if what.kind != SAVED:
        return Moment(what, rule=_name(what.slug, documents))
    after, before = documents.get(what.id), documents.get(what.id - 1)
    if after is None or before is None:
        return Moment(what, differs=None)
    return Moment(what, tuple(differences(before, after)))


def _name(slug: str, documents: dict[int, SettingsDocument | None]) -> str:
    """As the rule is called in the newest of these versions that has it."""
    for number in sorted(documents, reverse=True):
        document = documents[number]
        for rule in document.rules if document else ():
            if rule.slug == slug:
                return rule.name
    return slug
