"""How cards look in API v4."""

from typing import Any

from server.sandbox.kommo.api import here
from server.sandbox.kommo.book.links import product_metadata
from server.sandbox.kommo.book.records import Card, Choice, Contact, Deal, Element, Field, Record

DEAL_WITH = {
    "contacts", "catalog_elements", "loss_reason", "is_price_modified_by_robot", "only_deleted",
    "source_id", "source",
}  # fmt: skip


def field_values(record: Record) -> list[dict[str, Any]] | None:
    """``custom_fields_values``: null, not an empty list, where nothing is filled."""
    fields = here.account().fields
    rows = [
        {
            "field_id": field_id,
            "field_name": fields[field_id].name,
            "field_code": fields[field_id].code,
            "field_type": fields[field_id].type,
            "is_computed": False,
            "values": values,
        }
        for field_id, values in record.fields.items()
    ]
    return rows or None


def deal(row: Deal) -> dict[str, Any]:
    """One deal, with what ``with=`` asks for."""
    wanted, account = here.with_(), here.account()
    body: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "price": int(row.price or 0) if row.shown_price is None else row.shown_price,
        "responsible_user_id": row.responsible_user_id,
        "group_id": row.group_id,
        "status_id": row.status_id,
        "pipeline_id": row.pipeline_id,
        "loss_reason_id": row.loss_reason_id,
        "created_by": row.created_by,
        "updated_by": row.updated_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "closest_task_at": account.closest_task_at("leads", row.id),
        "is_deleted": row.is_deleted,
        "custom_fields_values": field_values(row),
        "score": None,
        "account_id": account.account_id,
        "labor_cost": None,
    }
    if account.switches.price_with_minor_units:
        body["price_with_minor_units"] = _number(row.price or 0)
    extras = {"source_id": row.source_id, "is_price_modified_by_robot": row.price_by_robot}
    body |= {key: value for key, value in extras.items() if key in wanted}
    links = here.self_link("leads", row.id)
    return {**body, "_links": links, "_embedded": _deal_embedded(row, wanted)}


def _deal_embedded(row: Deal, wanted: set[str]) -> dict[str, Any]:
    embedded: dict[str, Any] = {"tags": tags(row)}
    if "catalog_elements" in wanted:
        embedded["catalog_elements"] = [
            {"id": one.element_id, "metadata": product_metadata(one)} for one in row.products
        ]
    if "loss_reason" in wanted:
        reasons = here.account().loss_reasons
        embedded["loss_reason"] = [loss_reason(one) for one in reasons if one == row.loss_reason_id]
    embedded["companies"] = [] if row.company_id is None else [ref("companies", row.company_id)]
    if "contacts" in wanted:
        embedded["contacts"] = [
            {"id": one, "is_main": one == row.main_contact_id, **ref("contacts", one)}
            for one in row.contacts
        ]
    return embedded


def loss_reason(reason_id: int) -> dict[str, Any]:
    return {
        "id": reason_id,
        "name": here.account().loss_reasons[reason_id],
        "sort": 100000,
        "created_at": here.account().created_at,
        "updated_at": here.account().created_at,
        "_links": here.self_link("leads", "loss_reasons", reason_id),
    }


def trashed(row: Deal) -> dict[str, Any]:
    """``with=only_deleted`` tells no more than this."""
    return {
        "id": row.id,
        "updated_at": row.updated_at,
        "updated_by": row.updated_by,
        "is_deleted": True,
        "_links": here.self_link("leads", row.id),
    }


def party(entity: str, row: Card) -> dict[str, Any]:
    """A contact or a company."""
    names = {}
    if isinstance(row, Contact):
        names = {"first_name": row.first_name, "last_name": row.last_name}
    return {
        "id": row.id,
        "name": row.name,
        **names,
        "responsible_user_id": row.responsible_user_id,
        "group_id": row.group_id,
        "created_by": row.created_by,
        "updated_by": row.updated_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closest_task_at": here.account().closest_task_at(entity, row.id),
        "is_deleted": row.is_deleted,
        "custom_fields_values": field_values(row),
        "account_id": here.account().account_id,
        "_links": here.self_link(entity, row.id),
        "_embedded": _party_embedded(entity, row),
    }


def _party_embedded(entity: str, row: Card) -> dict[str, Any]:
    wanted, account = here.with_(), here.account()
    embedded: dict[str, Any] = {"tags": tags(row)}
    if "leads" in wanted:
        found = account.party(entity, row.id)
        deal_ids = account.deals_of(found) if found else []
        embedded["leads"] = [ref("leads", deal_id) for deal_id in deal_ids]
    if "contacts" in wanted and entity == "companies":
        staff = [one.id for one in account.contacts.values() if one.company_id == row.id]
        embedded["contacts"] = [ref("contacts", contact_id) for contact_id in staff]
    for name in ("customers", "catalog_elements"):
        if name in wanted:
            embedded[name] = []
    if isinstance(row, Contact):
        at = row.company_id
        embedded["companies"] = [] if at is None else [ref("companies", at)]
    return embedded


def element(row: Element) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created_by": row.created_by,
        "updated_by": row.updated_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "is_deleted": row.is_deleted or None,
        "custom_fields_values": field_values(row) or [],
        "catalog_id": row.catalog_id,
        "account_id": here.account().account_id,
        "currency_id": None,
        "_links": here.self_link("catalogs", row.catalog_id, "elements", row.id),
    }


def field(row: Field) -> dict[str, Any]:
    """A custom field's definition; lists have keys that cards have not."""
    body: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "type": row.type,
        "account_id": here.account().account_id,
        "code": row.code,
        "sort": row.sort,
        "is_api_only": row.is_api_only,
        "enums": None if row.enums is None else [_choice(one) for one in row.enums],
        "group_id": row.group_id,
        "required_statuses": row.required_statuses,
        "hidden_statuses": [],
        "chained_lists": None,
        "is_deletable": row.is_deletable,
        "is_predefined": row.is_predefined,
        "is_computed": False,
        "entity_type": row.entity,
        "tracking_callback": None,
        "remind": None,
        "settings": None,
        "currency": row.currency,
    }
    if row.entity != "catalogs":
        return {**body, "_links": here.self_link(row.entity, "custom_fields", row.id)}
    path = ("catalogs", row.catalog_id, "custom_fields", row.id)
    return {**body, **_of_a_list(row), "_links": here.self_link(*path)}


def _of_a_list(row: Field) -> dict[str, Any]:
    return {
        "catalog_id": row.catalog_id,
        "is_visible": row.is_visible,
        "is_required": row.is_required,
        "nested": row.nested,
        "search_in": None,
    }


def _choice(row: Choice) -> dict[str, Any]:
    return {"id": row.id, "value": row.value, "sort": row.sort, "code": row.code}


def tags(row: Card) -> list[dict[str, Any]]:
    return [{"id": tag.id, "name": tag.name, "color": tag.color} for tag in row.tags]


def ref(entity: str, entity_id: int) -> dict[str, Any]:
    return {"id": entity_id, "_links": here.self_link(entity, entity_id)}


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
