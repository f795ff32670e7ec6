"""Kommo's events as proven entries.

A move names its new place. A creation names none: the deal was created where its first move began,
or, if it never moved, where it stands now.
"""

from collections.abc import Iterable, Mapping, Sequence

from server.core.sale import Place
from server.store.inbox import Entered
from server.vendors.kommo.records import StageEvent


def entered(told: Sequence[StageEvent], places: Mapping[int, Place]) -> list[Entered]:
    """``told`` oldest first; ``places`` says where deals stand now. What cannot be placed is left
    out: it proves nothing."""
    proven = []
    for event in told:
        place = _place(event) or _created_at(event, told, places)
        if place is not None:
            proven.append(
                Entered(
                    event.deal_id,
                    place.pipeline_id,
                    place.stage_id,
                    event.at,
                    upstream_id=event.event_id,
                )
            )
    return proven


def unplaced(told: Sequence[StageEvent]) -> list[int]:
    """Deals whose creation can be placed only by where they stand now."""
    return sorted(
        {
            event.deal_id
            for event in told
            if _place(event) is None and _first_move(event, told) is None
        }
    )


def _place(event: StageEvent) -> Place | None:
    if event.pipeline_id is None or event.stage_id is None:
        return None
    return Place(event.pipeline_id, event.stage_id)


def _first_move(created: StageEvent, told: Iterable[StageEvent]) -> StageEvent | None:
    """Within one second Kommo's order of events says nothing, so all of them are looked at."""
    return next((e for e in told if e.deal_id == created.deal_id and not e.is_creation), None)


def _created_at(
    created: StageEvent, told: Sequence[StageEvent], places: Mapping[int, Place]
) -> Place | None:
    move = _first_move(created, told)
    if move is None:
        return places.get(created.deal_id)
    if move.old_pipeline_id is None or move.old_stage_id is None:
        return None
    return Place(move.old_pipeline_id, move.old_stage_id)
