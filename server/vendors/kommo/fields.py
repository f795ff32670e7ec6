"""The deal's own fields that Billhook writes: what they are, found by code or made.

Users rename and move fields, so a field is found by its code, over all pages (a page shows 50).
Creating twice makes twins; the lowest id of a code is the field. Source: reference kommo §4.7.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.vendors.kommo.api import KommoApi
from server.vendors.kommo.records import Row

FIELDS = "/api/v4/leads/custom_fields"
_FIRST_SORT = 510  # behind what users have


@dataclass(frozen=True)
class FieldSpec:
    """``choices`` are (enum code, what users read) of a select, in their order."""

    code: str
    name: str
    type: str
    choices: tuple[tuple[str, str], ...] = ()


STATUSES = (
    ("draft", "Draft"),
    ("sent", "Sent"),
    ("viewed", "Viewed"),
    ("partial", "Partly paid"),
    ("paid", "Paid"),
    ("overdue", "Overdue"),
    ("disputed", "Disputed"),
    ("credited", "Credited"),
    ("mismatch", "Total differs"),
    ("deleted", "Deleted"),
)

DEAL_FIELDS = (
    FieldSpec("BILLHOOK_LINK", "Invoice", "url"),
    FieldSpec("BILLHOOK_NUMBER", "Invoice number", "text"),
    FieldSpec("BILLHOOK_AMOUNT", "Invoice amount", "numeric"),
    FieldSpec("BILLHOOK_STATUS", "Invoice status", "select", STATUSES),
)


@dataclass(frozen=True)
class Choice:
    """A value of a select field, by its enum code: users may rename what they read."""

    code: str


FieldInput = str | bool | Decimal | int | datetime | Choice | None


def ensure(api: KommoApi, specs: Iterable[FieldSpec]) -> dict[str, int]:
    """Code to field id for every spec; what is missing is made, API-only."""
    specs = tuple(specs)
    rows = api.rows(FIELDS, "custom_fields")
    found = _by_code(api, rows)
    missing = [spec for spec in specs if spec.code not in found]
    if missing:
        bodies = [_body(spec, index) for index, spec in enumerate(missing)]
        answer = api.write("POST", FIELDS, bodies)
        found |= _by_code(
            api, api.read(lambda body: list(body["_embedded"]["custom_fields"]), answer)
        )
    for spec in specs:
        if spec.choices and spec not in missing:
            _add_choices(api, spec, found[spec.code])
    return {spec.code: int(found[spec.code]["id"]) for spec in specs}


def values(fields: dict[int, FieldInput]) -> list[Row]:
    """``custom_fields_values`` for a write; None clears the field."""
    return [
        {"field_id": field_id, "values": None if value is None else [_value(value)]}
        for field_id, value in fields.items()
    ]


def _value(value: FieldInput) -> dict[str, Any]:
    if isinstance(value, Choice):
        return {"enum_code": value.code}
    if isinstance(value, datetime):
        return {"value": int(value.timestamp())}
    if isinstance(value, bool):
        return {"value": value}
    if isinstance(value, Decimal):
        return {"value": f"{value:f}"}
    return {"value": str(value)}


def _by_code(api: KommoApi, rows: Sequence[Row]) -> dict[str, Row]:
    coded = api.read(
        lambda rows: [(int(row["id"]), str(row.get("code") or ""), row) for row in rows], rows
    )
    return {code: row for _, code, row in sorted(coded, key=lambda item: -item[0]) if code}


def _body(spec: FieldSpec, index: int) -> Row:
    body: Row = {
        "type": spec.type,
        "name": spec.name,
        "code": spec.code,
        "sort": _FIRST_SORT + index,
        "is_api_only": True,
    }
    if spec.choices:
        body["enums"] = _enums(spec.choices, 1)
    return body


def _enums(choices: Iterable[tuple[str, str]], first: int) -> list[Row]:
    return [
        {"value": value, "sort": first + index, "code": code}
        for index, (code, value) in enumerate(choices)
    ]


def _add_choices(api: KommoApi, spec: FieldSpec, row: Row) -> None:
    """A newer Billhook knows more statuses. Existing enums are repeated: what is left out of the
    list is deleted upstream.
    """
    there = list(row.get("enums") or ())
    codes = {enum.get("code") for enum in there}
    added = [choice for choice in spec.choices if choice[0] not in codes]
    if added:
        kept = [
            {key: enum[key] for key in ("id", "value", "sort", "code") if key in enum}
            for enum in there
        ]
        body = {"enums": kept + _enums(added, len(there) + 1)}
        api.write("PATCH", f"{FIELDS}/{row['id']}", body)
