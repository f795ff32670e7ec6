"""What an opened entry tells beyond its own rows: the names of the rules, and the stages that the
deal entered, by the names that Kommo told last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from server.flows.settings_of import settings_of
from server.flows.vendor_lists import last_known
from server.flows.world import World
from server.store import inbox
from server.store.activity_entries import deal_in

MOST = 20  # enterings, the newest


@dataclass(frozen=True)
class Entering:
    """``stage`` and ``pipeline`` are "" where Kommo's names are not known; ``event_id``: the event
    that proved it."""

    at: datetime
    stage: str
    pipeline: str
    event_id: int | None


@dataclass(frozen=True)
class Past:
    """``rules``: slug to name, of those that there are now."""

    rules: Mapping[str, str]
    entered: tuple[Entering, ...]


def past_of(world: World, account_id: int, subject: str) -> Past:
    """No vendor is asked."""
    lists, deal_id = last_known(world, account_id), deal_in(subject)
    with world.database.read() as session:
        rules = {rule.slug: rule.name for rule in settings_of(session, account_id).rules}
        rows = inbox.entries(session, account_id, deal_id) if deal_id is not None else []
    entered = []
    for row in rows[-MOST:]:
        pipeline = lists.pipeline(row.pipeline_id)
        stage = lists.stage(row.pipeline_id, row.stage_id)
        names = (stage.name if stage else "", pipeline.name if pipeline else "")
        entered.append(Entering(row.at, *names, row.event_id))
    return Past(rules, tuple(entered))
