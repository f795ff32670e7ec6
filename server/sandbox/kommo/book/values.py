"""Custom field values: what each type accepts on writing and how it reads back (§4.7)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.records import Choice, Field, Value

TEXT_LIKE = {"text", "textarea", "streetaddress", "tracking_data", "url", "items_text"}
NUMBER_LIKE = {"numeric", "price", "monetary"}
DATE_LIKE = {"date", "date_time", "birthday"}
CHOICE_LIKE = {"select", "multiselect", "radiobutton", "category"}
SINGLE = {"select", "radiobutton", "category"} | TEXT_LIKE | NUMBER_LIKE | DATE_LIKE
ADDRESS_PARTS = ("address_line_1", "address_line_2", "city", "state", "zip", "country")

Reader = Callable[[Field, dict[str, Any], str], Value]


def accept(field: Field, rows: list[Any], path: str, *, strict_text: bool) -> list[Value]:
    """The stored form of ``rows``. Raises Refused with ``path`` of the first wrong one."""
    if field.type in SINGLE and len(rows) > 1:
        raise Refused("TooMany", path, "This collection should contain 1 element or less.")
    reader = _reader(field.type, strict_text)
    stored = []
    for index, row in enumerate(rows):
        at = f"{path}.{index}"
        if field.type == "chained_list":
            stored.append(dict(row))
            continue
        if not isinstance(row, dict):
            raise Refused("InvalidType", at, "This value should be of type array.")
        stored.append(reader(field, row, at))
    return stored


def _reader(kind: str, strict_text: bool) -> Reader:
    if kind in TEXT_LIKE:
        return _strict_text if strict_text else _loose_text
    if kind in NUMBER_LIKE:
        return _number
    if kind in DATE_LIKE:
        return _date
    if kind in CHOICE_LIKE:
        return _choice
    return {"checkbox": _checkbox, "multitext": _multitext, "smart_address": _address}.get(
        kind, _as_it_is
    )


def _given(row: dict[str, Any], path: str) -> Any:
    if "value" not in row:
        raise Refused("FieldMissing", f"{path}.value", "This field is missing.")
    return row["value"]


def _strict_text(field: Field, row: dict[str, Any], path: str) -> Value:
    value = _given(row, path)
    if not isinstance(value, str):
        raise Refused("InvalidType", f"{path}.value", "This value should be of type string.")
    return {"value": value}


def _loose_text(field: Field, row: dict[str, Any], path: str) -> Value:
    return {"value": str(_given(row, path))}


def _number(field: Field, row: dict[str, Any], path: str) -> Value:
    value = _given(row, path)
    try:
        if isinstance(value, bool) or not Decimal(str(value)).is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise Refused(
            "InvalidType", f"{path}.value", "This value should be of type numeric."
        ) from None
    return {"value": str(value)}


def _date(field: Field, row: dict[str, Any], path: str) -> Value:
    value = _given(row, path)
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise Refused(
                "InvalidDateTime", f"{path}.value", "This value is not a valid datetime."
            ) from None
        value = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise Refused("InvalidType", f"{path}.value", "This value should be of type int.")
    return {"value": int(value)}


def _choice(field: Field, row: dict[str, Any], path: str) -> Value:
    for key, known_by in (("enum_id", "id"), ("enum_code", "code"), ("value", "value")):
        wanted = row.get(key)
        if wanted is None:
            continue
        for choice in field.enums or _categories(field):
            if getattr(choice, known_by) == wanted:
                return _chosen(field, choice)
        raise Refused("NotSupportedChoice", f"{path}.{key}", NOT_A_CHOICE)
    raise Refused("FieldMissing", f"{path}.value", "This field is missing.")


def _categories(field: Field) -> list[Choice]:
    return [Choice(row["id"], row["value"], row.get("sort", 0)) for row in field.nested or []]


def _chosen(field: Field, choice: Choice) -> Value:
    value: Value = {"value": choice.value, "enum_id": choice.id}
    if field.type != "category":
        value["enum_code"] = choice.code
    return value


def _checkbox(field: Field, row: dict[str, Any], path: str) -> Value:
    value = _given(row, path)
    if value not in (True, False, "1", "0", "true", "false"):
        raise Refused("InvalidType", f"{path}.value", "This value should be of type bool.")
    return {"value": value in (True, "1", "true")}


def _multitext(field: Field, row: dict[str, Any], path: str) -> Value:
    value = _given(row, path)
    kinds = field.enums or []
    wanted = row.get("enum_code") or row.get("enum") or (kinds[0].value if kinds else "WORK")
    for choice in kinds:
        if choice.id == row.get("enum_id") or ("enum_id" not in row and choice.value == wanted):
            return {"value": str(value), "enum_id": choice.id, "enum_code": choice.value}
    raise Refused("NotSupportedChoice", f"{path}.enum_code", NOT_A_CHOICE)


def _address(field: Field, row: dict[str, Any], path: str) -> Value:
    part = row.get("enum_code")
    if part is None and isinstance(row.get("enum_id"), int) and 1 <= row["enum_id"] <= 6:
        part = ADDRESS_PARTS[row["enum_id"] - 1]
    if part not in ADDRESS_PARTS:
        raise Refused("NotSupportedChoice", f"{path}.enum_code", NOT_A_CHOICE)
    number = ADDRESS_PARTS.index(part) + 1
    return {"value": str(_given(row, path)), "enum_id": number, "enum_code": part}


def _as_it_is(field: Field, row: dict[str, Any], path: str) -> Value:
    return {"value": _given(row, path)}


def written(field: Field, value: Any) -> list[Any]:
    """What a user types into the field, as the API's ``values``: a scalar, a list or a dict."""
    if field.type == "smart_address" and isinstance(value, dict):
        return [{"value": text, "enum_code": part} for part, text in value.items()]
    if isinstance(value, list):
        return [one if isinstance(one, dict) else written(field, one)[0] for one in value]
    if isinstance(value, dict):
        return [value if "value" in value or "enum_id" in value else {"value": value}]
    if isinstance(value, (datetime, date)):
        moment = value if isinstance(value, datetime) else datetime(*value.timetuple()[:3])  # noqa: DTZ001 the zone is set next
        return [{"value": int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())}]
    if field.type in TEXT_LIKE | NUMBER_LIKE:
        return [{"value": str(value)}]
    return [{"value": value}]
