"""An account's pipelines, fields and lists, for whoever chooses from them.

Built-in attributes stand first, then custom fields in Kommo's own order. A field is named by its
code where Kommo itself gave it one (e-mail, SKU), else by its id: users rename fields, and an
integration's code may have a twin. Source: reference kommo §4.5-§4.7.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from server.core.field_keys import PREDEFINED, what_is_wrong
from server.core.vendor_lists import (
    OWNERS,
    Catalog,
    Entity,
    KnownField,
    Lists,
    Option,
    Pipeline,
    Stage,
    StageKind,
)
from server.vendors.http import shaped
from server.vendors.kommo import records
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.read import LOST, SOURCE, WON
from server.vendors.kommo.records import Row

# (key, name, type), in the order in which they are offered
BUILT_IN: tuple[tuple[str, str, str], ...] = (
    ("deal.name", "Deal name", "text"),
    ("deal.price", "Deal amount", "numeric"),
    ("deal.created_at", "Created on", "date"),
    ("deal.tags", "Tags", "tags"),
    ("deal.id", "Deal ID", "numeric"),
    ("deal.responsible_user_id", "Responsible user (ID)", "numeric"),
    ("contact.name", "Contact name", "text"),
    ("contact.first_name", "First name", "text"),
    ("contact.last_name", "Last name", "text"),
    ("contact.id", "Contact ID", "numeric"),
    ("company.name", "Company name", "text"),
    ("company.id", "Company ID", "numeric"),
    ("product.name", "Product name", "text"),
    ("product.quantity", "Quantity", "numeric"),
    ("product.price", "Price", "numeric"),
    ("product.id", "Product ID", "numeric"),
)
ENTITIES: tuple[tuple[Entity, str], ...] = (
    ("deal", "leads"),
    ("contact", "contacts"),
    ("company", "companies"),
)
LINKED = ("products", "regular")  # lists that stand on a deal; not Kommo's own invoices
_UNREADABLE = frozenset({"items", "payer", "supplier", "chained_list"})  # values of another shape
_PARTS = {
    "smart_address": {
        "address_line_1": "line 1",
        "address_line_2": "line 2",
        "city": "city",
        "state": "state",
        "zip": "postal code",
        "country": "country",
    },
    "legal_entity": {"name": "name", "vat_id": "VAT ID", "address": "address"},
}


def read_lists(client: KommoClient, now: datetime) -> Lists:
    """Everything in 5 calls, one more a list, one more for each further 50 fields. Raises the
    outcomes."""
    pipelines = [_pipeline(pipeline) for pipeline in client.pipelines()]
    catalogs = shaped(SOURCE, lambda rows: [_catalog(row) for row in rows], client.catalogs())
    catalogs.sort(key=lambda one: one.kind != "products")
    rows: dict[tuple[Entity, int | None], list[Row]] = {
        (entity, None): client.custom_fields(where) for entity, where in ENTITIES
    }
    for catalog in catalogs:
        if catalog.kind in LINKED:
            where = f"catalogs/{catalog.id}"
            rows["product", catalog.id] = client.custom_fields(where)
    found = shaped(SOURCE, lambda rows: list(_known_fields(rows)), rows)
    return Lists(
        pipelines=tuple(pipelines),
        fields=tuple(_once(found)),
        catalogs=tuple(catalogs),
        fetched_at=now,
    )


def read_fields(client: KommoClient, entity: Entity) -> tuple[KnownField, ...]:
    """Of deals, contacts or companies alone, in a call for each 50 fields. Raises the outcomes."""
    rows = {(entity, None): client.custom_fields(dict(ENTITIES)[entity])}
    return shaped(SOURCE, lambda rows: tuple(_known_fields(rows, (entity,))), rows)


def _once(found: Iterable[KnownField]) -> Iterator[KnownField]:
    """Two lists have fields of one code; the products' own stands first."""
    seen: set[str] = set()
    for field in found:
        if field.key not in seen:
            seen.add(field.key)
            yield field


def _pipeline(row: records.Pipeline) -> Pipeline:
    stages = tuple(
        Stage(stage.id, stage.name, stage.color, _kind(stage))
        for stage in sorted(row.stages, key=lambda stage: stage.sort)
    )
    return Pipeline(row.id, row.name, stages)


def _kind(stage: records.Stage) -> StageKind:
    if stage.is_incoming:
        return "unsorted"
    return "won" if stage.id == WON else "lost" if stage.id == LOST else "open"


def _catalog(row: Row) -> Catalog:
    return Catalog(int(row["id"]), str(row["name"]), str(row.get("type") or "regular"))


def _known_fields(
    rows: Mapping[tuple[Entity, int | None], list[Row]], entities: Sequence[Entity] = OWNERS
) -> Iterator[KnownField]:
    for entity in entities:
        for key, name, kind in BUILT_IN:
            if key.startswith(f"{entity}."):
                yield KnownField(key, name, entity, kind)
        for (owner, catalog_id), found in rows.items():
            if owner == entity:
                for row in sorted(found, key=lambda row: (int(row.get("sort") or 0), row["id"])):
                    yield from _custom(row, entity, catalog_id)


def _custom(row: Row, entity: Entity, catalog_id: int | None) -> Iterator[KnownField]:
    kind = str(row.get("type") or "text")
    if kind in _UNREADABLE:
        return
    code = str(row.get("code") or "")
    by_id, by_code = f"{entity}.cf.{int(row['id'])}", f"{entity}.code.{code}"
    if not code or what_is_wrong(by_code):
        key, other = by_id, ""
    elif by_code in PREDEFINED or entity == "product":
        key, other = by_code, by_id
    else:
        key, other = by_id, by_code
    options = tuple(
        Option(int(enum["id"]), str(enum["value"]), str(enum.get("code") or ""))
        for enum in row.get("enums") or ()
    )
    field = KnownField(key, str(row["name"]), entity, kind, options, code, other, catalog_id)
    yield field
    for part, word in _PARTS.get(kind, {}).items():
        yield KnownField(
            f"{key}.{part}",
            f"{field.name}: {word}",
            entity,
            "text",
            other_key=f"{other}.{part}" if other else "",
            catalog_id=catalog_id,
        )
