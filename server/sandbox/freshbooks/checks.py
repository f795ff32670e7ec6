"""What a request body may hold: one small function a kind of value, errno by reference §2.4."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from server.sandbox.freshbooks.errors import Refused, Wrong
from server.sandbox.freshbooks.money import CURRENCIES, decimal_of
from server.sandbox.freshbooks.state import Row
from server.sandbox.freshbooks.switches import FreshbooksSwitches

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")


class Bad(Exception):
    """A value that does not pass; ``accept`` adds which field it stood in."""

    def __init__(self, errno: int, message: str) -> None:
        super().__init__(message)
        self.errno = errno


Check = Callable[[Any], Any]


def text(value: Any) -> str | None:
    """A string or null; lengths are checked by ``accept``, which knows the field."""
    if value is not None and not isinstance(value, str):
        raise Bad(1004, "must be a string.")
    return value


def full_text(value: Any) -> str:
    """A string; null counts as empty."""
    return text(value) or ""


def whole(value: Any) -> int:
    """An integer, also as digits in a string: SDKs send ids either way."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    raise Bad(1015, "must be a number.")


def offset_days(value: Any) -> int:
    """Days until due: whole and not negative."""
    days = 0 if value is None else whole(value)
    if days < 0:
        raise Bad(1025, "may not be negative.")
    if days > 3650:
        raise Bad(1030, "is out of range.")
    return days


def flag(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Bad(1031, "must be a boolean.")
    return value


def day(value: Any) -> str:
    """YYYY-MM-DD, a day that exists, in a year that a due date can be counted from."""
    if isinstance(value, str) and re.fullmatch(r"(19|20|21)\d{2}-\d{2}-\d{2}", value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise Bad(1033, "must be a date in the format YYYY-MM-DD.")


def number(value: Any) -> Decimal:
    """A decimal, as a JSON number or in a string."""
    found = decimal_of(value)
    if found is None:
        raise Bad(1015, "must be a number.")
    return found


def percent(value: Any) -> Decimal:
    """0 to 100 as a number or string, at most three decimals (reference §3.3); null is none."""
    if value in (None, ""):
        return Decimal(0)
    found = decimal_of(value)
    if found is None or found != round(found, 3):
        raise Bad(1018, "must be a percentage given as a decimal string.")
    if found < 0:
        raise Bad(1025, "may not be negative.")
    if found > 100:
        raise Bad(1030, "is out of range.")
    return found


def money(value: Any) -> tuple[Decimal, str | None]:
    """{"amount": "12.00", "code": "EUR"}; the code may be left out (reference §5.1)."""
    if not isinstance(value, dict):
        raise Bad(1004, "must be an object with amount and code.")
    code = value.get("code")
    if code is not None:
        currency(code)
    return number(value.get("amount")), code


def currency(value: Any) -> str:
    """An ISO 4217 code that exists."""
    if not isinstance(value, str) or value not in CURRENCIES:
        raise Bad(1004, "is not a supported currency code.")
    return value


def language(value: Any) -> str:
    """A language tag: "en", "fr", "en-gb"."""
    if not isinstance(value, str) or not LANGUAGE.fullmatch(value):
        raise Bad(1004, "is not a supported language.")
    return value


def email(value: Any) -> str:
    """Empty, or something with an @ in it."""
    found = full_text(value)
    if found and not re.fullmatch(r"[^@\s]+@[^@\s]+", found):
        raise Bad(1004, "is not a valid email address.")
    return found


def vis_state(value: Any) -> int:
    """0 active, 1 deleted, 2 archived."""
    found = whole(value)
    if found not in (0, 1, 2):
        raise Bad(1030, "must be one of 0, 1 or 2.")
    return found


def accept(
    body: Row, fields: Mapping[str, Check], obj: str, switches: FreshbooksSwitches
) -> dict[str, Any]:
    """The known fields of ``body``, checked; unknown ones are dropped. All errors at once: 422."""
    found: dict[str, Any] = {}
    wrongs: list[Wrong] = []
    for key in [k for k in fields if k in body]:
        try:
            found[key] = fields[key](body[key])
            _fits(found[key], switches.limits.get(f"{obj}.{key}"))
        except Bad as bad:
            wrongs.append(Wrong(bad.errno, f"{key} {bad}", key, obj, str(body[key])[:200]))
    if wrongs:
        raise Refused(422, *wrongs)
    return found


def require(body: Row, obj: str, *keys: str) -> None:
    """Missing, null or empty counts as not given: errno 1001."""
    missing = [k for k in keys if body.get(k) in (None, "")]
    if missing:
        raise Refused(422, *(Wrong(1001, f"'{k}' is a required field", k, obj) for k in missing))


def _fits(value: Any, limit: int | None) -> None:
    if limit is not None and isinstance(value, str) and len(value) > limit:
        raise Bad(1017, f"exceeds the maximum length of {limit} characters.")
