"""``/{entity}/custom_fields``: definitions; pages of 50 hide the rest (§4.7)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging, shapes
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.fields import CATALOG_ONLY, TYPES
from server.sandbox.kommo.book.records import Choice, Field

fields = Blueprint("fields", __name__, url_prefix="/api/v4")

CARDS = "/<any(leads, contacts, companies):entity>/custom_fields"
LISTS = "/catalogs/<int:catalog_id>/custom_fields"
FIELD_KEYS = frozenset({
    "id", "name", "type", "code", "sort", "group_id", "is_api_only", "enums", "nested",
    "required_statuses", "hidden_statuses", "is_visible", "is_required", "remind", "currency",
    "settings", "request_id",
})  # fmt: skip


def _of(entity: str, catalog_id: int | None) -> list[Field]:
    if catalog_id is not None and catalog_id not in here.account().catalogs:
        raise Problem(404)
    return here.account().fields_of(entity, catalog_id)


@fields.get(CARDS)
@fields.get(LISTS, defaults={"entity": "catalogs"})
def read_list(entity: str, catalog_id: int | None = None) -> Response:
    kinds = paging.listed(paging.filters().get("type"))
    found = [row for row in _of(entity, catalog_id) if not kinds or row.type in kinds]
    cap = here.account().switches.fields_page_cap
    found = paging.ordered(found, {"id": lambda row: row.id, "sort": lambda row: row.sort})
    return paging.page(found, "custom_fields", shapes.field, cap=cap, totals=True)


@fields.get(f"{CARDS}/<int:field_id>")
@fields.get(f"{LISTS}/<int:field_id>", defaults={"entity": "catalogs"})
def read_one(entity: str, field_id: int, catalog_id: int | None = None) -> Response:
    return here.reply(shapes.field(_one(entity, field_id, catalog_id)))


def _one(entity: str, field_id: int, catalog_id: int | None) -> Field:
    for field in _of(entity, catalog_id):
        if field.id == field_id:
            return field
    raise Problem(404)


@fields.post(CARDS)
@fields.post(LISTS, defaults={"entity": "catalogs"})
def create(entity: str, catalog_id: int | None = None) -> Response:
    here.need_admin()
    _of(entity, catalog_id)
    bodies = here.rows(FIELD_KEYS)
    here.check_all(bodies, lambda row: _check_new(entity, row))
    made = []
    for index, row in enumerate(bodies):
        field = _make(entity, catalog_id, row)
        made.append({**shapes.field(field), "request_id": here.request_id(row, index)})
    body = {"_total_items": len(made), "_embedded": {"custom_fields": made}}
    return here.reply(body, 201)


def _make(entity: str, catalog_id: int | None, row: Mapping[str, Any]) -> Field:
    extra = {
        key: row[key]
        for key in ("sort", "group_id", "is_api_only", "nested", "currency", "is_required",
                    "is_visible", "required_statuses")
        if row.get(key) is not None
    }  # fmt: skip
    return here.account().add_field(
        entity, row["type"], row["name"], row.get("code"),
        enums=row.get("enums"), catalog_id=catalog_id, **extra,
    )  # fmt: skip


def _check_new(entity: str, row: Mapping[str, Any]) -> None:
    here.check_types(row, name=str, type=str, code=str, sort=int, is_api_only=bool, enums=list)
    for key in ("name", "type"):
        if not row.get(key):
            raise Refused("FieldMissing", key, "This field is missing.")
    kind = row["type"]
    foreign = (kind in CATALOG_ONLY) != (entity == "catalogs") and kind in CATALOG_ONLY
    if kind not in TYPES or foreign or (kind == "multitext" and entity != "contacts"):
        raise Refused("NotSupportedChoice", "type", NOT_A_CHOICE)
    if kind in ("select", "multiselect", "radiobutton"):
        _check_enums(row.get("enums"))
    if kind == "monetary" and not row.get("currency"):
        raise Refused("FieldMissing", "currency", "This field is missing.")


def _check_enums(enums: Any) -> None:
    if not enums:
        raise Refused("FieldMissing", "enums", "This field is missing.")
    for index, row in enumerate(enums):
        for key in ("value", "sort"):
            if not isinstance(row, Mapping) or row.get(key) is None:
                raise Refused("FieldMissing", f"enums.{index}.{key}", "This field is missing.")


@fields.patch(CARDS)
@fields.patch(LISTS, defaults={"entity": "catalogs"})
def change_many(entity: str, catalog_id: int | None = None) -> Response:
    here.need_admin()
    known = {field.id: field for field in _of(entity, catalog_id)}
    bodies = here.rows(FIELD_KEYS)
    here.check_all(bodies, lambda row: _check_known(known, row))
    made = []
    for index, row in enumerate(bodies):
        field = _change(known[row["id"]], row)
        made.append({**shapes.field(field), "request_id": here.request_id(row, index)})
    return here.reply({"_total_items": len(made), "_embedded": {"custom_fields": made}})


def _check_known(known: Mapping[int, Field], row: Mapping[str, Any]) -> None:
    if row.get("id") not in known:
        raise Refused("NotSupportedChoice", "id", NOT_A_CHOICE)


@fields.patch(f"{CARDS}/<int:field_id>")
@fields.patch(f"{LISTS}/<int:field_id>", defaults={"entity": "catalogs"})
def change_one(entity: str, field_id: int, catalog_id: int | None = None) -> Response:
    here.need_admin()
    field = _one(entity, field_id, catalog_id)
    return here.reply(shapes.field(_change(field, here.one(FIELD_KEYS))))


def _change(field: Field, row: Mapping[str, Any]) -> Field:
    for key in ("name", "code", "sort", "group_id", "is_api_only", "is_visible", "is_required",
                "nested", "required_statuses"):  # fmt: skip
        if key in row:
            setattr(field, key, row[key])
    if row.get("enums") is not None:
        field.enums = [_choice(field, one) for one in row["enums"]]
    return field


def _choice(field: Field, row: Mapping[str, Any]) -> Choice:
    """The list is replaced: whoever is not repeated with his id is gone."""
    old = next((one for one in field.enums or [] if one.id == row.get("id")), None)
    if old is None:
        old = Choice(here.account().new_id(), "", 0, row.get("code"))
    return Choice(old.id, str(row.get("value", old.value)), row.get("sort", old.sort), old.code)


@fields.delete(f"{CARDS}/<int:field_id>")
@fields.delete(f"{LISTS}/<int:field_id>", defaults={"entity": "catalogs"})
def delete(entity: str, field_id: int, catalog_id: int | None = None) -> Response:
    here.need_admin()
    if not _one(entity, field_id, catalog_id).is_deletable:
        raise Problem(403)
    here.account().delete_field(field_id)
    return Response(status=204)


@fields.get(f"{CARDS}/groups")
def read_groups(entity: str) -> Response:
    groups = [("default", "Main", 0), ("statistic", "Statistics", 1)]
    rows = [_group(entity, *group) for group in groups]
    return here.reply({"_total_items": len(rows), "_embedded": {"custom_field_groups": rows}})


def _group(entity: str, group_id: str, name: str, sort: int) -> dict[str, Any]:
    return {
        "id": group_id,
        "name": name,
        "is_predefined": True,
        "type": "custom_field_group",
        "entity_type": entity,
        "sort": sort,
        "_links": here.self_link(entity, "custom_fields", "groups", group_id),
    }
