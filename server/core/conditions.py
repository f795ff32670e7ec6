"""A rule's conditions on the fields of a deal, its contact and its company.

What a person expects of a field that is empty: a box that was never ticked is not ticked (Kommo
tells no value of it), an empty field is not "Cash", and is neither more nor less than anything. A
field that was deleted is no empty one: no condition on it holds, whatever it asks.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from server.core.keys import folded
from server.core.known_fields import KnownFields, called
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
    """Whether the field meets the condition; one that is gone meets none.

    Of several values (a multiselect's) one is enough, but for "not": none of them may be it, and
    an empty field is not it either. "not" is what "equals" is not, also of a box.
    """
    if is_gone(sale, condition.field):
        return False
    values = look_up(sale, condition.field) or ()
    match condition.test:
        case "filled":
            return bool(values)
        case "empty":
            return not values
        case "greater":
            return any(_compared(value, condition.value) == 1 for value in values)
        case "less":
            return any(_compared(value, condition.value) == -1 for value in values)
        case "not":
            return not _is_one_of(sale, condition.field, values, (condition.value,))
        case "in":
            return _is_one_of(sale, condition.field, values, condition.value)
        case _:
            return _is_one_of(sale, condition.field, values, (condition.value,))


def is_gone(sale: Sale, key: str) -> bool:
    """Whether the source has no such field any more, as far as is known."""
    found = look_up(sale, key)
    return found is None or (found == () and sale.known is not None and not sale.known.has(key))


def in_words(condition: Condition, known: KnownFields | None = None) -> str:
    """The condition as a person would say it, for the reason of what was left out."""
    field, value = called(condition.field, known), condition.value
    match condition.test:
        case "in":
            values = ", ".join(f"“{one}”" for one in value)
            return say("%(field)s is one of %(values)s", field=field, values=values)
        case "filled":
            return say("%(field)s is filled", field=field)
        case "empty":
            return say("%(field)s is empty", field=field)
        case "greater" if decimal_of(value) is None:
            return say("%(field)s is after %(day)s", field=field, day=value)
        case "greater":
            return say("%(field)s is more than %(value)s", field=field, value=value)
        case "less" if decimal_of(value) is None:
            return say("%(field)s is before %(day)s", field=field, day=value)
        case "less":
            return say("%(field)s is less than %(value)s", field=field, value=value)
    told = _answer(value) if known and condition.field in known.boxes else value
    if condition.test == "not":
        return say("%(field)s is empty or has no value “%(value)s”", field=field, value=told)
    return say("%(field)s is “%(value)s”", field=field, value=told)


def _answer(value: str) -> str:
    return {"true": say("Yes"), "false": say("No")}.get(value, value)


def _is_one_of(sale: Sale, key: str, values: Sequence[FieldValue], wanted: Sequence[str]) -> bool:
    """An empty box is "false"; where nobody knows which fields are boxes, any empty field is."""
    if not values and (sale.known is None or key in sale.known.boxes):
        return "false" in wanted
    return any(_equals(value, one) for value in values for one in wanted)


def _equals(value: FieldValue, wanted: str) -> bool:
    number = decimal_of(wanted)
    if number is not None and number in (_number(value), value.enum_id):
        return True
    spellings = (value.text, value.enum_code or "", value.day.isoformat() if value.day else "")
    return folded(wanted) in {folded(spelling) for spelling in spellings if spelling}


def _compared(value: FieldValue, wanted: str) -> int | None:
    """1: it is more or later, -1: less or earlier, 0: the same; None: they are of two kinds."""
    number, limit = _number(value), decimal_of(wanted)
    if number is not None and limit is not None:
        return (number > limit) - (number < limit)
    if value.day is None or limit is not None:
        return None
    day = date.fromisoformat(wanted)
    return (value.day > day) - (value.day < day)


def _number(value: FieldValue) -> Decimal | None:
    return value.number if value.number is not None else decimal_of(value.text)
