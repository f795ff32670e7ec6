"""What a new account has done and what is missing, in the order in which it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from server.core.settings import default_settings
from server.flows.settings_of import settings_of
from server.flows.standing import Standing
from server.flows.world import World
from server.store import calls, inbox, settings

# Cursors: when a person last looked the mapping through, and last saw a real deal's invoice.
MAPPED, TRIED = "mapped", "previewed"
VENDORS = ("kommo", "freshbooks")


@dataclass(frozen=True)
class Steps:
    """Whether each step is done. ``rules`` are (slug, name, on)."""

    kommo: bool
    freshbooks: bool
    stage: bool
    mapping: bool
    tried: bool
    on: bool
    rules: tuple[tuple[str, str, bool], ...]
    last_success: Mapping[str, datetime | None]  # by vendor

    @property
    def next(self) -> str:
        """The first that is not done; "" when all are."""
        order = ("kommo", "freshbooks", "stage", "mapping", "tried", "on")
        return next((step for step in order if not getattr(self, step)), "")


def steps(world: World, account_id: int, standing: Standing) -> Steps:
    with world.database.read() as session:
        document = settings_of(session, account_id)
        on = settings.switched_on(session, account_id)
        well = {vendor: calls.last_success(session, account_id, vendor) for vendor in VENDORS}
        seen = {mark: inbox.cursor(session, account_id, mark) for mark in (MAPPED, TRIED)}
    return Steps(
        kommo=bool(standing.kommo and standing.kommo.live),
        freshbooks=bool(standing.freshbooks and standing.freshbooks.live),
        stage=bool(document.rules),
        mapping=seen[MAPPED] is not None or document.mapping != default_settings().mapping,
        tried=seen[TRIED] is not None,
        on=bool(on),
        rules=tuple((rule.slug, rule.name, rule.slug in on) for rule in document.rules),
        last_success=well,
    )


def mark(world: World, account_id: int, what: str) -> None:
    """A person did this step now: MAPPED or TRIED."""
    now = world.clock.now()
    with world.database.write() as session:
        inbox.move_cursor(session, account_id, what, now)
