"""``/api/v4/events``: what happened, to reconcile lost webhooks by (§4.10)."""

from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Problem, invalid_query
from server.sandbox.kommo.book.records import Event

events = Blueprint("events", __name__, url_prefix="/api/v4/events")

MAX_LIMIT = 100
MAX_IDS = 10


@events.get("")
def read_list() -> Response:
    wanted = paging.filters()
    for key in ("entity_id", "created_by"):
        if len(paging.listed(wanted.get(key))) > MAX_IDS:
            raise invalid_query(f"filter.{key}", f"No more than {MAX_IDS} values.")
    if "entity_id" in wanted and len(paging.listed(wanted.get("entity"))) != 1:
        raise invalid_query("filter.entity", "Exactly one entity type is needed with entity_id.")
    now = here.account().clock.now().timestamp()
    told_until = now - here.account().switches.events_lag_seconds
    found = [
        event
        for event in reversed(here.account().events)
        if event.at <= told_until and _meets(event, wanted)
    ]
    return paging.page(found, "events", _shape, highest=MAX_LIMIT)


@events.get("/<event_id>")
def read_one(event_id: str) -> Response:
    for event in here.account().events:
        if event.id == event_id:
            return here.reply(_shape(event))
    raise Problem(404)


def _meets(event: Event, wanted: dict[str, Any]) -> bool:
    if not paging.within(wanted.get("created_at"), event.created_at):
        return False
    kinds, entities = _words(wanted.get("type")), _words(wanted.get("entity"))
    if kinds and event.type not in kinds and not _any_field(event, kinds):
        return False
    if entities and event.entity_type not in entities:
        return False
    if "id" in wanted and event.id not in _words(wanted["id"]):
        return False
    if "entity_id" in wanted and event.entity_id not in paging.ints(wanted["entity_id"]):
        return False
    if "created_by" in wanted and event.created_by not in paging.ints(wanted["created_by"]):
        return False
    return _stages(event.value_after, wanted.get("value_after")) and _stages(
        event.value_before, wanted.get("value_before")
    )


def _any_field(event: Event, kinds: list[str]) -> bool:
    return "custom_field_value_changed" in kinds and event.type.startswith("custom_field_")


def _words(node: Any) -> list[str]:
    """``type[]=a&type[]=b`` and the comma list ``type=a,b`` mean the same."""
    return [word for text in paging.listed(node) for word in text.split(",") if word]


def _stages(values: list[dict[str, Any]], node: Any) -> bool:
    rows = node.get("leads_statuses") if isinstance(node, dict) else None
    if not isinstance(rows, dict) or not here.account().switches.event_stage_filter:
        return True
    places = {
        (row.get("pipeline_id"), row.get("status_id"))
        for row in rows.values()
        if isinstance(row, dict)
    }
    have = [value["lead_status"] for value in values if "lead_status" in value]
    return any((str(one["pipeline_id"]), str(one["id"])) in places for one in have)


def _shape(row: Event) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": row.type,
        "entity_id": row.entity_id,
        "entity_type": row.entity_type,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "value_after": row.value_after,
        "value_before": row.value_before,
        "account_id": here.account().account_id,
        "_links": here.self_link("events", row.id),
        "_embedded": {
            "entity": {
                "id": row.entity_id,
                "_links": here.self_link(f"{row.entity_type}s", row.entity_id),
            }
        },
    }
