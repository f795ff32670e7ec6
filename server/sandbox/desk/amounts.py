"""Amounts as people type them: 1204.50, 1,204.50 and 1204,50 are the same."""

import re
from decimal import Decimal

_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}")


def amount_in(text: str) -> Decimal | None:
    """None: empty. Raises InvalidOperation for what is no amount, or might be two."""
    text = "".join(text.split())
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return Decimal(text) if text else None
