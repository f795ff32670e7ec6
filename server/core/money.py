"""Money is a Decimal with its currency; never a float, never a bare number."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.core import get_global
from babel.numbers import get_currency_precision


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

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def same_value(self, other: "Money") -> bool:
        """Equal to the last digit: "1200" equals "1200.00" of the same currency."""
        return self.amount == self._same(other)

    def rounded(self, rounding: str = ROUND_HALF_UP) -> "Money":
        """To the digits that the currency has (JPY 0, EUR 2, KWD 3)."""
        step = Decimal(1).scaleb(-digits(self.currency))
        return Money(self.amount.quantize(step, rounding=rounding), self.currency)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")
        return other.amount


def digits(currency: str) -> int:
    """How many decimals the currency has, by CLDR."""
    return int(get_currency_precision(currency))


def is_currency(code: str) -> bool:
    """Whether CLDR knows this three-letter code."""
    return code in get_global("all_currencies")


def decimal_of(text: str) -> Decimal | None:
    """A finite plain number, or None. Accepts what vendors send: "1200", "1200.50", "-3"."""
    try:
        value = Decimal(text.strip())
    except (InvalidOperation, AttributeError):
        return None
    return value if value.is_finite() else None
