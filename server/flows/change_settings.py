"""An account's rules and mapping change: saved as a new version, rules switched on and off.

When a rule was switched on is Kommo's time, for Kommo's clock stamps the entries that it is
compared with. A saved version makes the fields that it names, and parked deals are looked at again.
"""

from datetime import datetime
from typing import Any

from server.core.keys import AccountId
from server.core.settings import SettingsDocument, validate
from server.core.states import JobClass
from server.flows import world as outside
from server.flows.connect import unrecorded
from server.flows.settings_of import settings_of
from server.flows.world import World
from server.store import calls, jobs, settings
from server.store.jobs import JobKind, NewJob

PARKED_ON_SETTINGS = ("problems",)


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
        settings.save(session, account_id, document.to_json(), author, now)
        kept = {rule.slug for rule in document.rules}
        for slug in set(settings.switched_on(session, account_id)) - kept:
            settings.switch_off(session, account_id, slug, now)
        calls.drop_cache(session, account_id)
        jobs.resume(session, account_id, PARKED_ON_SETTINGS, now)
        new = NewJob(account_id, JobKind.ENSURE, "account", JobClass.CLICK, {})
        jobs.defer(session, new, now)
    return document


def switch_on(world: World, account_id: int, slug: str) -> bool:
    """Whether it was off before. From now on it bills; older deals are left as they are.

    Raises NoSuchRule, and the outcomes where Kommo does not tell its time.
    """
    with world.database.read() as session:
        known = [rule.slug for rule in settings_of(session, account_id).rules]
    if slug not in known:
        raise NoSuchRule(slug, known)
    at = _kommo_time(world, account_id)
    with world.database.write() as session:
        return settings.switch_on(session, account_id, slug, at)


def switch_off(world: World, account_id: int, slug: str) -> bool:
    """Whether it was on before."""
    with world.database.write() as session:
        return settings.switch_off(session, account_id, slug, world.clock.now())


def _kommo_time(world: World, account_id: int) -> datetime:
    row = outside.connection_of(world, AccountId(account_id), "kommo")
    told = outside.kommo_client(world, row, unrecorded).account().server_time
    return told or world.clock.now()
