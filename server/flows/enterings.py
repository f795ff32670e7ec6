"""Which deals entered a rule's stages since a day, by few calls over all deals.

A move into a stage is an event of Kommo's. A creation there is not (its event names no stage), but
shows: the deal still stands where it was created, or its move out of the stage has no move into it
before, and the deal itself is young.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from server.core.rules import Entry
from server.core.sale import Place
from server.core.settings import Rule
from server.flows.run import Run
from server.vendors.kommo.records import Row, moment


@dataclass(frozen=True)
class Entering:
    """``moved_at``: the first move into the place since ``since``. ``may_be_created``: if the deal
    is that young, it was created there, before all its moves."""

    deal_id: int
    place: Place
    moved_at: datetime | None
    may_be_created: bool
    at: datetime  # by what is known before the deal is read; the order of looking
    since: datetime

    def entry(self, deal: Row) -> Entry | None:
        """None: it stood there before already."""
        created = moment(deal["created_at"])
        at = created if self.may_be_created and created >= self.since else self.moved_at
        if at is None:
            return None
        return Entry(self.place.pipeline_id, self.place.stage_id, at, self.deal_id)


@dataclass(frozen=True)
class Found:
    """``cut``: there were more; these are the latest."""

    enterings: tuple[Entering, ...]
    cut: bool


def enterings(run: Run, rule: Rule, since: datetime, most: int, alive: Callable[[], None]) -> Found:
    """The latest first, one a deal: its first entering of the first of the rule's stages that has
    any. ``alive`` is called now and then. Raises the outcomes."""
    found: dict[int, Entering] = {}
    cut = False
    for trigger in rule.when:
        place = Place(trigger.pipeline_id, trigger.stage_id)
        of_place, more = _of_place(run, place, since, most, alive)
        cut = cut or more
        found = {one.deal_id: one for one in of_place} | found
    latest = sorted(found.values(), key=lambda one: (one.at, one.deal_id), reverse=True)
    return Found(tuple(latest[:most]), cut or len(latest) > most)


def _of_place(
    run: Run, place: Place, since: datetime, most: int, alive: Callable[[], None]
) -> tuple[list[Entering], bool]:
    """Every entering of one place; whether that is not all."""
    into, cut = _first_moves(run, place, since, most, alive)
    if cut:  # then the older part of the time is not looked at at all
        since = min(into.values())
    left, more = _first_moves(run, place, since, most, alive, out=True)
    standing = list(islice(run.kommo.deals_in(*_pair(place), since), most + 1))
    alive()
    born = {
        deal_id: at for deal_id, at in left.items() if deal_id not in into or at < into[deal_id]
    }
    for row in standing[:most]:
        if row["id"] not in into and row["id"] not in left:
            born[row["id"]] = moment(row["created_at"])
    found = [
        Entering(
            deal_id=deal_id,
            place=place,
            moved_at=into.get(deal_id),
            may_be_created=deal_id in born,
            at=min(times[deal_id] for times in (into, born) if deal_id in times),
            since=since,
        )
        for deal_id in {*into, *born}
    ]
    return found, cut or more or len(standing) > most


def _first_moves(  # one question to Kommo, and how far to go with it
    run: Run,
    place: Place,
    since: datetime,
    most: int,
    alive: Callable[[], None],
    *,
    out: bool = False,
) -> tuple[dict[int, datetime], bool]:
    """Deal to its first move into (or out of) the place; whether that is not all."""
    first: dict[int, datetime] = {}
    for number, event in enumerate(run.kommo.moves(_pair(place), since=since, out=out)):
        if event.deal_id not in first and len(first) >= most:
            return first, True
        first[event.deal_id] = min(event.at, first.get(event.deal_id, event.at))
        if number % 500 == 499:
            alive()
    return first, False


def _pair(place: Place) -> tuple[int, int]:
    return place.pipeline_id, place.stage_id
