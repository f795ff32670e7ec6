"""What a Kommo hook says happened: account webhooks, and both digital-pipeline kinds.

A hook is unsigned and its data is a snapshot, so it is a hint: who acts on it re-reads the deal.
Source: reference kommo §3.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from server.vendors.inbound import BadHook
from server.vendors.kommo.body import read_body

__all__ = ["BadHook", "Change", "KommoHook", "parse"]

MAX_ROWS = 500

# The rest (chats, tasks, notes, talks, incoming leads, list elements) makes no invoice.
_ENTITIES = ("leads", "contacts")
_ACTIONS = frozenset({"add", "update", "status", "responsible", "restore", "delete"})

# The widget's digital-pipeline events (reference §3.6), as the action that they amount to. Others
# (a call, a mail, a visit) say nothing of the stage: the deal is looked at like after an update.
_PIPELINE_ACTIONS = {
    "lead_added": "add",
    "lead_status_changed": "status",
    "lead_appeared_in_status": "status",
}
_ELEMENT_IS_DEAL = 2
_LABEL = re.compile(r"[A-Za-z0-9-]{1,63}")
_BIGGEST_ID = 2**63 - 1  # what the database holds
_LATEST = 4_102_444_800  # the year 2100: beyond it a stamp is a mistake


@dataclass(frozen=True)
class Change:
    """One row of a hook. ``entity`` is Kommo's plural ("leads", "contacts", "companies").

    ``field_values`` maps a custom field's id to its values as sent; dates are unix seconds there.
    """

    entity: str
    action: str
    id: int
    pipeline_id: int | None = None
    stage_id: int | None = None
    old_stage_id: int | None = None
    old_pipeline_id: int | None = None
    at: datetime | None = None
    modified_by: int | None = None
    field_values: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class KommoHook:
    """``settings`` are what the user typed into the widget's digital-pipeline action."""

    account_id: int | None
    subdomain: str | None
    changes: tuple[Change, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def parse(raw: bytes, content_type: str) -> KommoHook:
    """Raises BadHook for what is too big, too deep, too many or broken; skips what is not ours."""
    body = read_body(raw, content_type)
    changes = (*_account_changes(body), *_pipeline_changes(body))
    account = _dict(body.get("account"))
    return KommoHook(
        account_id=_id(account.get("id")) or _id(body.get("account_id")),
        subdomain=_label(account.get("subdomain")) or _label(body.get("subdomain")),
        changes=changes,
        settings=_widget_settings(body),
    )


def _account_changes(body: dict[str, Any]) -> tuple[Change, ...]:
    found: list[Change] = []
    for entity in _ENTITIES:
        for action, node in _dict(body.get(entity)).items():
            if action not in _ACTIONS:
                continue
            for row in _rows(node):
                change = _change(entity, action, row)
                if change:
                    found.append(change)
                if len(found) > MAX_ROWS:
                    raise BadHook(413, f"A hook has at most {MAX_ROWS} rows.")
    return tuple(found)


def _change(entity: str, action: str, row: Any) -> Change | None:
    if not isinstance(row, dict):  # the documented short form: leads[delete]=123
        row = {"id": row}
    row_id = _id(row.get("id"))
    if row_id is None:
        return None
    if entity == "contacts" and row.get("type") == "company":
        entity = "companies"
    return Change(
        entity=entity,
        action=action,
        id=row_id,
        pipeline_id=_id(row.get("pipeline_id")),
        stage_id=_id(row.get("status_id")),
        old_stage_id=_id(row.get("old_status_id")),
        old_pipeline_id=_id(row.get("old_pipeline_id")),
        at=_moment(row.get("updated_at")) or _moment(row.get("last_modified")),
        modified_by=_number(row.get("modified_user_id")),
        field_values=dict(_field_values(row)),
    )


def _pipeline_changes(body: dict[str, Any]) -> tuple[Change, ...]:
    event = _dict(body.get("event"))
    data = _dict(event.get("data"))
    deal_id = _id(data.get("id"))
    if deal_id is None or _number(data.get("element_type")) != _ELEMENT_IS_DEAL:
        return ()
    action = _PIPELINE_ACTIONS.get(str(event.get("type_code")), "update")
    return (
        Change(
            entity="leads",
            action=action,
            id=deal_id,
            pipeline_id=_id(data.get("pipeline_id")),
            stage_id=_id(data.get("status_id")),
            at=_moment(event.get("time")),
        ),
    )


def _widget_settings(body: dict[str, Any]) -> dict[str, str]:
    node = _dict(_dict(_dict(body.get("action")).get("settings")).get("widget"))
    settings = _dict(node.get("settings"))
    return {key: value for key, value in settings.items() if isinstance(value, str)}


def _field_values(row: dict[str, Any]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for custom in _rows(row.get("custom_fields")):
        field_id = _id(custom.get("id")) if isinstance(custom, dict) else None
        if field_id is None:
            continue
        values = (_value(value) for value in _rows(custom.get("values")))
        yield field_id, tuple(value for value in values if value is not None)


def _value(node: Any) -> str | None:
    """A list row {value[, enum]}, or a bare scalar (dates; reference §3.4, the trap)."""
    value = node.get("value") if isinstance(node, dict) else node
    return None if value is None or isinstance(value, dict | list) else str(value)


def _rows(node: Any) -> list[Any]:
    """{"0": …, "1": …} and [ …, … ] are lists; anything else is the only row."""
    if isinstance(node, list):
        return [row for item in node for row in (_rows(item) if _numbered(item) else [item])]
    if _numbered(node):
        return [node[key] for key in sorted(node, key=int)]
    return [] if node is None or node == {} else [node]


def _numbered(node: Any) -> bool:
    return isinstance(node, dict) and bool(node) and all(_is_number(key) for key in node)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value <= _BIGGEST_ID else None
    if isinstance(value, str) and _is_number(value):
        return _number(int(value))
    return None


def _id(value: Any) -> int | None:
    return _number(value) or None


def _moment(value: Any) -> datetime | None:
    seconds = _number(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < _LATEST else None


def _label(value: Any) -> str | None:
    return value if isinstance(value, str) and _LABEL.fullmatch(value) else None


def _dict(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}
