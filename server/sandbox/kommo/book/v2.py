"""Webhook bodies: the legacy v2 shape, form-encoded with PHP's brackets, every value a string.

Not the v4 model: ``custom_fields`` instead of ``custom_fields_values``, twice the same dates.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

from server.sandbox.kommo.book.records import (
    Card,
    Company,
    Contact,
    Deal,
    Element,
    Field,
    Note,
    Record,
    Task,
)

ELEMENT_TYPES = {"contacts": 1, "leads": 2, "companies": 3, "customers": 12}


def form(tree: dict[str, Any]) -> bytes:
    """``{"leads": {"add": [{"id": 1}]}}`` as ``leads[add][0][id]=1``, quoted; None is left out."""
    pairs = (f"{quote_plus(key)}={quote_plus(value)}" for key, value in _flat("", tree))
    return "&".join(pairs).encode()


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{key}[{name}]" if key else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flat(f"{key}[{index}]", inner)
    elif isinstance(value, bool):
        yield key, "1" if value else "0"
    elif value is not None:
        yield key, str(value)


def deal_row(
    deal: Deal, fields: dict[int, Field], account_id: int, **old: int | None
) -> dict[str, Any]:
    """``old``: old_status_id, old_responsible_user_id. A deal without amount has no price key."""
    return {
        "id": deal.id,
        "name": deal.name,
        "status_id": deal.status_id,
        **old,
        "price": None if deal.price is None else int(deal.price),
        "responsible_user_id": deal.responsible_user_id,
        "last_modified": deal.updated_at,
        "modified_user_id": deal.updated_by,
        "created_user_id": deal.created_by,
        "date_create": deal.created_at,
        "pipeline_id": deal.pipeline_id,
        "tags": _tags(deal),
        "account_id": account_id,
        "custom_fields": custom_fields(deal, fields),
        "created_at": deal.created_at,
        "updated_at": deal.updated_at,
    }


def deleted_deal_row(deal: Deal) -> dict[str, Any]:
    return {"id": deal.id, "status_id": deal.status_id, "pipeline_id": deal.pipeline_id}


def party_row(
    card: Contact | Company,
    fields: dict[int, Field],
    account_id: int,
    company: Company | None,
    deal_ids: list[int],
) -> dict[str, Any]:
    """A contact or a company: both travel under ``contacts``, told apart by ``type``."""
    return {
        "id": card.id,
        "name": card.name,
        "responsible_user_id": card.responsible_user_id,
        "date_create": card.created_at,
        "last_modified": card.updated_at,
        "created_user_id": card.created_by,
        "modified_user_id": card.updated_by,
        "company_name": company.name if company else None,
        "linked_company_id": company.id if company else None,
        "account_id": account_id,
        "custom_fields": custom_fields(card, fields),
        "linked_leads_id": {deal_id: {"ID": deal_id} for deal_id in deal_ids},
        "tags": _tags(card),
        "created_at": card.created_at,
        "updated_at": card.updated_at,
        "type": "contact" if isinstance(card, Contact) else "company",
    }


def deleted_party_row(card: Contact | Company) -> dict[str, Any]:
    return {"id": card.id, "type": "contact" if isinstance(card, Contact) else "company"}


def element_row(element: Element, fields: dict[int, Field]) -> dict[str, Any]:
    return {
        "id": element.id,
        "catalog_id": element.catalog_id,
        "name": element.name,
        "deleted": element.is_deleted,
        "custom_fields": custom_fields(element, fields),
        "type": "catalog",
    }


def task_row(task: Task, account_id: int, timezone: str) -> dict[str, Any]:
    """Times are texts in the account's zone here, not unix seconds."""
    zone = ZoneInfo(timezone)

    def text(at: int) -> str:
        return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")

    return {
        "id": task.id,
        "element_id": task.entity_id,
        "element_type": ELEMENT_TYPES.get(task.entity_type or "", 0),
        "task_type": task.task_type_id,
        "date_create": text(task.created_at),
        "text": task.text,
        "status": task.is_completed,
        "account_id": account_id,
        "created_user_id": task.created_by,
        "last_modified": text(task.updated_at),
        "responsible_user_id": task.responsible_user_id,
        "complete_till": text(task.complete_till),
        "action_close": True if task.is_completed else None,
        "result": {"id": task.id, "text": task.result} if task.result else None,
    }


def note_row(note: Note, account_id: int) -> dict[str, Any]:
    return {
        "note": {
            "note_type": 5 if note.note_type == "attachment" else 4,
            "text": note.params.get("text"),
            "element_type": ELEMENT_TYPES.get(note.entity_type, 0),
            "element_id": note.entity_id,
            "created_by": note.created_by,
            "account_id": account_id,
        }
    }


def custom_fields(record: Record, fields: dict[int, Field]) -> list[dict[str, Any]]:
    rows = []
    for field_id, values in record.fields.items():
        field = fields[field_id]
        rows.append(
            {
                "id": field.id,
                "name": field.name,
                "code": field.code,
                "values": _values(field, values),
            }
        )
    return rows


def _values(field: Field, values: list[dict[str, Any]]) -> Any:
    if field.type in ("date", "date_time", "birthday", "checkbox"):
        return [value["value"] for value in values]
    rows = [_value(field, value) for value in values]
    return rows[0] if field.type == "radiobutton" else rows


def _value(field: Field, value: dict[str, Any]) -> dict[str, Any]:
    if field.type == "smart_address":
        return {"value": value["value"], "subtype": value["enum_code"]}
    row: dict[str, Any] = {"value": value.get("value")}
    if "enum_id" in value:
        row["enum"] = value["enum_id"]
    return row


def _tags(card: Card) -> list[dict[str, Any]]:
    return [{"id": tag.id, "name": tag.name} for tag in card.tags]
