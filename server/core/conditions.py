"""A rule's conditions on the fields of a deal, its contact and its company."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from server.core.keys import folded
from server.core.money import decimal_of
from server.core.said import say
from server.core.sale import FieldValue, Sale
from server.core.settings_model import Condition
from server.core.sources import look_up


def unmet(
    sale: Sale, conditions: Sequence[Condition], match: Literal["all", "any"]
) -> list[Condition]:
    """The conditions that keep the rule from holding; [] when it holds. None set: it holds."""
    failed = [condition for condition in conditions if not holds(sale, condition)]
    return [] if match == "any" and len(failed) < len(conditions) else failed


def holds(sale: Sale, condition: Condition) -> bool:
    """Whether any value of the field meets the condition; a field that is gone meets none. An empty
    one is a box that nobody ever ticked: it is "false", as one that was unticked again."""
    found = look_up(sale, condition.field)
    if found == () and condition.test == "equals" and condition.value == "false":
        return True
    values = found or ()
    if condition.test == "filled":
        return bool(values)
    if condition.test == "greater":
        return any(_greater(value, condition.value) for value in values)
    wanted = condition.value if condition.test == "in" else (condition.value,)
    return any(_equals(value, one) for value in values for one in wanted)


def in_words(condition: Condition) -> str:
    """The condition as a person would say it, for the reason of what was left out."""
    field, value = condition.field, condition.value
    match condition.test:
        case "in":
            values = ", ".join(f"“{one}”" for one in value)
            return say("%(field)s is one of %(values)s", field=field, values=values)
        case "filled":
            return say("%(field)s is filled", field=field)
        case "greater":
            return say("%(field)s is more than %(value)s", field=field, value=value)
        case _:
            return say("%(field)s is “%(value)s”", field=field, value=value)


def _equals(value: FieldValue, wanted: str) -> bool:
    number = decimal_of(wanted)
    if number is not None and number in (_number(value), value.enum_id):
        return True
    spellings = (value.text, value.enum_code or "", value.day.isoformat() if value.day else "")
    return folded(wanted) in {folded(spelling) for spelling in spellings if spelling}


def _greater(value: FieldValue, wanted: str) -> bool:
    number, limit = _number(value), decimal_of(wanted)
    if number is not None and limit is not None:
        return number > limit
    return value.day is not None and limit is None and value.day > date.fromisoformat(wanted)


def _number(value: FieldValue) -> Decimal | None:
    return value.number if value.number is not None else decimal_of(value.text)
