"""What happened to an account's deals, newest first, as a person asks for it.

One entry a deal, in one group; the plumbing shows only when it needs attention; a hook that was
turned away as a whole is an entry of its own. Nothing is kept for it: jobs, documents and events
are read where they stand, by keyset, each walk down its own index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.states import Group
from server.store import activity_entries, deal_names
from server.store import activity_groups as groups
from server.store.activity_entries import Entry, Ignored, Made
from server.store.activity_groups import DOCUMENT, EVENT, JOB, Source
from server.store.activity_walks import walk
from server.store.job_rows import MEANINGFUL, JobKind

__all__ = ["Entry", "Ignored", "Made"]

APART = "/"  # in a cause's key: "problems/client.email"
ALL_SOURCES = (*groups.SOURCES, groups.OF_KIND)
_ABOVE = 2**62
FOUND = 200  # deals that one search gives


@dataclass(frozen=True)
class Filter:
    """None and "": no bound. ``cause`` as ``causes`` gives it; ``until`` is not included. ``text``:
    words of the deal's or the client's name, the deal's number, an invoice's number."""

    group: Group | None = None
    deal_id: int | None = None
    kind: JobKind | None = None
    cause: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


class Place(NamedTuple):
    """Behind which entry a page begins. Its text goes into links."""

    at: datetime
    rank: int
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.rank}_{self.id}"


def read_place(text: str) -> Place:
    """Raises ValueError for what no page gave."""
    at, rank, row_id = text.split("_")
    place = Place(datetime.fromisoformat(at), int(rank), int(row_id))
    if place.at.tzinfo is None or not 0 <= place.rank < len(ALL_SOURCES) or abs(place.id) > _ABOVE:
        raise ValueError(f"no place: {text[:50]}")
    return place


@dataclass(frozen=True)
class Page:
    entries: tuple[Entry, ...]
    older: Place | None  # where the next page begins
    cut: bool = False  # the text fits more deals than one search gives; these are the newest


def page(
    session: Session, account_id: int, wanted: Filter, *, before: Place | None = None, most: int
) -> Page:
    """At most ``most`` entries, newest first. Costs the same however many there are."""
    places: list[Place] = []
    deals = _deals(session, account_id, wanted)
    for source in sources(wanted, deals):
        statement, bound = _asked(source, wanted, deals, before)
        bound |= {"account_id": account_id, "most": most + 1}
        rank = ALL_SOURCES.index(source)
        rows = session.connection().execute(statement, bound)
        places += [Place(at, rank, row_id) for at, row_id in rows]
    shown = sorted(places, reverse=True)[:most]
    entries = _entries(session, account_id, shown)
    older = shown[-1] if len(places) > most else None
    return Page(entries, older, bool(wanted.text) and len(deals or ()) >= FOUND)


def _deals(session: Session, account_id: int, wanted: Filter) -> list[int] | None:
    """The only ones that are asked for; None: every deal, and what is of none."""
    if not wanted.text.strip():
        return None if wanted.deal_id is None else [wanted.deal_id]
    found = deal_names.fitting(session, account_id, wanted.text, FOUND)
    return [deal for deal in found if wanted.deal_id in (None, deal)]


def sources(wanted: Filter, deals: Sequence[int] | None = None) -> Iterable[Source]:
    """Those that can hold what is wanted."""
    if deals is not None and not deals:
        return ()
    if wanted.kind in MEANINGFUL and not wanted.cause:
        return (groups.OF_KIND,)
    return [
        source
        for source in groups.SOURCES
        if narrowed(source, wanted, deals)[0] <= {*source.by, "since", "until"}
        and wanted.group in (None, source.group)
    ]


def _asked(
    source: Source, wanted: Filter, deals: Sequence[int] | None, before: Place | None
) -> tuple[sa.Select[Any], dict[str, Any]]:
    """The walk and its parameters. Places of two sources are compared by time, rank, id."""
    names, bound = narrowed(source, wanted, deals)
    if before is not None:
        rank = ALL_SOURCES.index(source)
        tie = before.id if rank == before.rank else _ABOVE if rank < before.rank else -_ABOVE
        names.add("older")
        bound |= {"older_at": before.at, "older_id": tie}
    return walk(source, frozenset(names)), bound


def narrowed(
    source: Source, wanted: Filter, deals: Sequence[int] | None = None
) -> tuple[set[str], dict[str, Any]]:
    """The names of the conditions that are asked for, and their values."""
    names = {name for name in ("since", "until") if getattr(wanted, name) is not None}
    bound: dict[str, Any] = {name: getattr(wanted, name) for name in names}
    if deals is not None:
        names.add("deals")
        bound |= {"deals": [f"deal:{one}" for one in deals], "source_ids": [*map(str, deals)]}
    if wanted.kind is not None:
        names |= {"kind"}
        bound["kind"] = wanted.kind
    if source is groups.OF_KIND and wanted.group is not None:
        names.add(wanted.group)
    if wanted.cause:
        cause, _, field = wanted.cause.partition(APART)
        names |= {"cause", "field"} if field else {"cause"}
        bound |= {"cause": cause, "field": _like(field)}
    return names, bound


def _like(field: str) -> str:
    """As the JSON of a job's problems spells it."""
    plain = field.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f'%"field": "{plain.replace("*", "%")}"%'


def _entries(session: Session, account_id: int, places: Sequence[Place]) -> tuple[Entry, ...]:
    found: dict[tuple[int, int], Entry] = {}
    for table, made in (
        (JOB, activity_entries.of_jobs),
        (DOCUMENT, activity_entries.of_documents),
        (EVENT, activity_entries.of_events),
    ):
        there = [place for place in places if ALL_SOURCES[place.rank].table is table]
        if there:
            rows = made(session, [place.id for place in there])
            found |= {(p.rank, p.id): rows[p.id] for p in there if p.id in rows}
    entries: dict[str, Entry] = {}
    for place in places:  # one that moved between two of our looks is shown once, where it is newer
        entry = found.get((place.rank, place.id))
        if entry is not None:
            group = ALL_SOURCES[place.rank].group or entry.group
            entries.setdefault(entry.subject, replace(entry, group=group))
    return activity_entries.completed(session, account_id, list(entries.values()))
