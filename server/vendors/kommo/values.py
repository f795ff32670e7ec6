"""Custom fields as Kommo stores them, as field keys and values that a mapping can name.

Source: reference kommo §4.7 (types and their value shapes).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from server.core.money import decimal_of
from server.core.sale import FieldValue
from server.vendors.kommo.records import Row

_NUMBERS = frozenset({"numeric", "price", "monetary"})
_DATES = frozenset({"date", "date_time", "birthday"})
_NAMES = ("name", "file_name", "description", "entity_id")  # what a person reads of an object


def read_fields(row: Row, prefix: str, zone: ZoneInfo) -> dict[str, tuple[FieldValue, ...]]:
    """``<prefix>.cf.<id>`` and ``<prefix>.code.<CODE>`` of each custom field that has a value.

    Parts of an address or a legal entity are also there on their own
    (``company.code.ADDRESS.city``). ``zone`` tells on which day a date field's moment falls.
    """
    found: dict[str, tuple[FieldValue, ...]] = {}
    for custom in row.get("custom_fields_values") or ():
        values = list(_values(custom, zone))
        for key in _keys(custom, prefix):
            found[key] = tuple(value for _, value in values)
            for part, value in _parts(custom):
                found[f"{key}.{part}"] = (value,)
    return found


def _keys(custom: Row, prefix: str) -> Iterator[str]:
    yield f"{prefix}.cf.{int(custom['field_id'])}"
    if custom.get("field_code"):
        yield f"{prefix}.code.{custom['field_code']}"


def _values(custom: Row, zone: ZoneInfo) -> Iterator[tuple[Row, FieldValue]]:
    kind = str(custom.get("field_type") or "")
    for item in custom.get("values") or ():
        if isinstance(item, dict) and item.get("value") is not None:
            yield item, _value(item, kind, zone)


def _value(item: Row, kind: str, zone: ZoneInfo) -> FieldValue:
    value = item["value"]
    if kind in _DATES:
        day = _day(value, zone)
        return FieldValue(text=day.isoformat() if day else str(value), day=day)
    text = _text(value)
    enum_id = item.get("enum_id")
    return FieldValue(
        text=text,
        number=decimal_of(text) if kind in _NUMBERS else None,
        enum_id=int(enum_id) if enum_id else None,
        enum_code=str(item["enum_code"]) if item.get("enum_code") else None,
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return next((str(value[key]) for key in _NAMES if value.get(key)), "")
    return str(value)


def _parts(custom: Row) -> Iterator[tuple[str, FieldValue]]:
    """A smart address has one value a part; a legal entity one value with all of them."""
    for item in custom.get("values") or ():
        value = item.get("value") if isinstance(item, dict) else None
        if isinstance(value, dict):
            for name, part in value.items():
                if isinstance(part, str | int | Decimal):
                    yield name, FieldValue(text=_text(part))
        elif value is not None and custom.get("field_type") == "smart_address":
            yield str(item.get("enum_code")), FieldValue(text=_text(value))


def _day(value: Any, zone: ZoneInfo) -> date | None:
    """Unix seconds, or RFC 3339 text, whose own offset already says which day is meant."""
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        try:
            return datetime.fromisoformat(value).date()
        except ValueError:
            return None
    try:
        return datetime.fromtimestamp(int(value), UTC).astimezone(zone).date()
    except (ValueError, OverflowError, OSError, TypeError):
        return None
