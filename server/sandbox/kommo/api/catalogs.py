"""``/api/v4/catalogs`` and their elements (§4.5)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from server.sandbox.kommo.api import here, paging, shapes
from server.sandbox.kommo.api.leads import meets_fields
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.catalogs import MAX_CATALOGS
from server.sandbox.kommo.book.records import Catalog, Element

catalogs = Blueprint("catalogs", __name__, url_prefix="/api/v4/catalogs")

CATALOG_KEYS = frozenset(
    {"id", "name", "type", "sort", "can_add_elements", "can_link_multiple", "request_id"}
)
ELEMENT_KEYS = frozenset({"id", "name", "custom_fields_values", "request_id"})


@catalogs.get("")
def read_list() -> Response:
    return paging.page(list(here.account().catalogs.values()), "catalogs", _shape)


@catalogs.get("/<int:catalog_id>")
def read_one(catalog_id: int) -> Response:
    return here.reply(_shape(_catalog(catalog_id)))


@catalogs.post("")
def create() -> Response:
    here.need_admin()
    bodies = here.rows(CATALOG_KEYS)
    here.check_all(bodies, _check_catalog)
    made = []
    for index, row in enumerate(bodies):
        catalog = here.account().add_catalog(row["name"], row.get("type") or "regular")
        _fill(catalog, row)
        made.append({**_shape(catalog), "request_id": here.request_id(row, index)})
    return paging.made("catalogs", made)


@catalogs.patch("/<int:catalog_id>")
def change(catalog_id: int) -> Response:
    here.need_admin()
    catalog = _catalog(catalog_id)
    row = here.one(CATALOG_KEYS)
    catalog.name = row.get("name") or catalog.name
    catalog.updated_at = here.account().now()
    _fill(catalog, row)
    return here.reply({**_shape(catalog), "request_id": here.request_id(row, catalog_id)})


def _fill(catalog: Catalog, row: Mapping[str, Any]) -> None:
    for key in ("sort", "can_add_elements", "can_link_multiple"):
        if key in row:
            setattr(catalog, key, row[key])


def _check_catalog(row: Mapping[str, Any]) -> None:
    here.check_types(row, name=str, type=str)
    if not row.get("name"):
        raise Refused("FieldMissing", "name", "This field is missing.")
    kind = row.get("type") or "regular"
    taken = {catalog.type for catalog in here.account().catalogs.values()} - {"regular"}
    if kind not in ("regular", "products") or kind in taken:
        raise Refused("NotSupportedChoice", "type", NOT_A_CHOICE)
    if len(here.account().catalogs) >= MAX_CATALOGS:
        raise Refused("TooMany", "name", f"No more than {MAX_CATALOGS} lists.")


def _catalog(catalog_id: int) -> Catalog:
    catalog = here.account().catalogs.get(catalog_id)
    if catalog is None:
        raise Problem(404)
    return catalog


def _shape(row: Catalog) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created_by": row.created_by,
        "updated_by": row.created_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "sort": row.sort,
        "type": row.type,
        "can_add_elements": row.can_add_elements,
        "can_show_in_cards": False,
        "can_link_multiple": row.can_link_multiple,
        "can_be_deleted": row.type == "regular",
        "sdk_widget_code": None,
        "account_id": here.account().account_id,
        "_links": here.self_link("catalogs", row.id),
    }


@catalogs.get("/<int:catalog_id>/elements")
def read_elements(catalog_id: int) -> Response:
    _catalog(catalog_id)
    wanted, text = paging.filters(), request.args.get("query", "").lower()
    found = [
        row
        for row in here.account().elements.values()
        if row.catalog_id == catalog_id and not row.is_deleted
        and ("id" not in wanted or row.id in paging.ints(wanted["id"]))
        and meets_fields(row.fields, wanted.get("custom_fields"))
        and (not text or _says(row, text))
    ]  # fmt: skip
    return paging.page(found, "elements", shapes.element)


def _says(row: Element, text: str) -> bool:
    said = [row.name, *(str(v.get("value")) for vs in row.fields.values() for v in vs)]
    return any(text in one.lower() for one in said)


@catalogs.get("/<int:catalog_id>/elements/<int:element_id>")
def read_element(catalog_id: int, element_id: int) -> Response:
    return here.reply(shapes.element(_element(catalog_id, element_id)))


def _element(catalog_id: int, element_id: int) -> Element:
    row = here.account().elements.get(element_id)
    if row is None or row.catalog_id != catalog_id or row.is_deleted:
        raise Problem(404)
    return row


@catalogs.post("/<int:catalog_id>/elements")
def create_elements(catalog_id: int) -> Response:
    _catalog(catalog_id)
    bodies = here.rows(ELEMENT_KEYS)
    here.check_all(bodies, lambda row: _check_element(catalog_id, row, is_new=True))
    made = []
    for index, row in enumerate(bodies):
        element = here.account().make_element(catalog_id, row, here.actor())
        made.append(_written(element, here.request_id(row, index)))
    return paging.made("elements", made)


@catalogs.patch("/<int:catalog_id>/elements")
def change_elements(catalog_id: int) -> Response:
    _catalog(catalog_id)
    bodies = here.rows(ELEMENT_KEYS)
    here.check_all(bodies, lambda row: _check_element(catalog_id, row, is_new=False))
    made = []
    for row in bodies:
        element = here.account().elements[row["id"]]
        here.account().change_element(element, row, here.actor())
        made.append(_written(element, row.get("request_id", element.id)))
    return paging.made("elements", made)


@catalogs.patch("/<int:catalog_id>/elements/<int:element_id>")
def change_element(catalog_id: int, element_id: int) -> Response:
    element = _element(catalog_id, element_id)
    row = here.one(ELEMENT_KEYS)
    here.check_all(
        [{**row, "id": element_id}], lambda one: _check_element(catalog_id, one, is_new=False)
    )
    here.account().change_element(element, row, here.actor())
    return here.reply(_written(element, row.get("request_id", element.id)))


def _written(element: Element, request_id: Any) -> dict[str, Any]:
    extra = {"request_id": request_id, "invoice_link": None}
    return {**shapes.element(element), "is_deleted": element.is_deleted, **extra}


def _check_element(catalog_id: int, row: Mapping[str, Any], *, is_new: bool) -> None:
    here.check_types(row, name=str, custom_fields_values=list)
    if is_new and not row.get("name"):
        raise Refused("FieldMissing", "name", "This field is missing.")
    if not is_new:
        element = here.account().elements.get(row.get("id", 0))
        if element is None or element.catalog_id != catalog_id or element.is_deleted:
            raise Refused("NotSupportedChoice", "id", NOT_A_CHOICE)
    here.account().checked_values("catalogs", row.get("custom_fields_values") or [], catalog_id)
