"""Money is a Decimal with its currency; never a float, never a bare number."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import cache

from babel.core import get_global

# ISO 4217 minor units; everything else has two. Babel's are CLDR's, which says what people use in
# cash: it gives the Serbian dinar, the Albanian lek and the Iraqi dinar none, invoices do.
# fmt: off
_NO_DECIMALS = frozenset((
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
))
# fmt: on
_THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST = 15  # digits before the point: more is no price, and 1E+999 would fill the memory
_FINEST = 60  # digits after it: replies with 26 were seen
_WIDE = Context(prec=400)  # products of four such numbers are still exact; the default 28 is not


class MixedCurrencies(ValueError):
    """Two currencies met in one sum: a bug, for a mapped currency labels and never converts."""


@dataclass(frozen=True)
class Money:
    """``amount`` in major units, exact; ``currency`` is the ISO 4217 code."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money wants a Decimal, got {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError(f"Money wants a finite amount, got {self.amount}")

    def __add__(self, other: "Money") -> "Money":
        return Money(_WIDE.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(_WIDE.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> "Money":
        return Money(self.amount.copy_negate(), self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def same_value(self, other: "Money") -> bool:
        """Equal to the last digit: "1200" equals "1200.00" of the same currency."""
        return self.amount == self._same(other)

    def rounded(self, rounding: str = ROUND_HALF_UP) -> "Money":
        """To the digits that the currency has (JPY 0, EUR 2, KWD 3)."""
        return Money(rounded(self.amount, digits(self.currency), rounding), self.currency)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")
        return other.amount


@contextmanager
def exact() -> Iterator[None]:
    """Within it sums and products of Decimals lose no digit; only ``rounded`` rounds."""
    with localcontext(_WIDE):
        yield


def rounded(amount: Decimal, places: int, rounding: str = ROUND_HALF_UP) -> Decimal:
    """``amount`` with exactly so many decimals."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_WIDE)


def decimals(amount: Decimal) -> int:
    """How many decimals the value needs: 0 for 1200.00, 1 for 2.50."""
    exponent = amount.normalize(_WIDE).as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"not a finite number: {amount}")
    return max(0, -exponent)


def plain(amount: Decimal) -> str:
    """The shortest way to write it without an exponent: "2.5", "1200"."""
    return f"{amount.normalize(_WIDE):f}"


def digits(currency: str) -> int:
    """How many decimals the currency has, by ISO 4217."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def is_currency(code: str) -> bool:
    """Whether this three-letter code is legal tender somewhere today (by CLDR): no DEM, no XXX."""
    return code in _tender()


@cache
def _tender() -> frozenset[str]:
    rows = get_global("territory_currencies").values()
    return frozenset(
        code for row in rows for code, _since, until, tender in row if tender and until is None
    )


def decimal_of(text: str) -> Decimal | None:
    """A plain number of sane size, or None. Accepts what vendors send: "1200", "1200.50", "-3"."""
    if not isinstance(text, str) or not _NUMBER.fullmatch(text.strip()):
        return None
    value = Decimal(text.strip())
    exponent = value.as_tuple().exponent
    sane = isinstance(exponent, int) and exponent >= -_FINEST and value.adjusted() < _LARGEST
    return value if sane else None
