"""An invoice before it exists upstream: the draft that a claim freezes."""

from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from server.core.money import Money


@dataclass(frozen=True)
class Tax:
    """``percent`` as printed on the invoice: Decimal("21") is 21 %."""

    name: str
    percent: Decimal


@dataclass(frozen=True)
class DraftLine:
    """``unit_cost`` in major units before tax and before the draft's percent discount."""

    name: str
    description: str
    quantity: Decimal
    unit_cost: Decimal
    taxes: tuple[Tax, ...] = ()


@dataclass(frozen=True)
class DraftClient:
    """Whom the invoice is for. ``key`` is core.keys.client_key's; empty strings are unknown."""

    key: str
    email: str = ""
    organization: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    province: str = ""
    postal_code: str = ""
    country: str = ""
    vat_name: str = ""
    vat_number: str = ""
    language: str = ""

    @property
    def name(self) -> str:
        """The company's, else the person's; "" where only other things are known."""
        return self.organization or f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Totals:
    """All in the draft's currency, exact to the cent. ``total`` = subtotal - discount + tax."""

    subtotal: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True)
class InvoiceDraft:
    """``discount_percent`` applies to every line before tax. ``to_be_confirmed``: the rounding
    rules that the vendor might use disagree on the total; the comparison after the create decides.
    Due ``due_days`` after the invoice's date, or ``due_on``; neither leaves it to the vendor."""

    currency: str
    client: DraftClient
    lines: tuple[DraftLine, ...]
    totals: Totals
    to_be_confirmed: bool = False
    discount_percent: Decimal = Decimal(0)
    discount_description: str = ""
    language: str = ""
    po_number: str = ""
    notes: str = ""
    terms: str = ""
    due_days: int | None = None
    due_on: date | None = None

    @property
    def total(self) -> Money:
        return Money(self.totals.total, self.currency)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; Decimals and days as strings, so that it comes back to the digit."""
        frozen: dict[str, Any] = _strings(asdict(self))
        return frozen

    @classmethod
    def from_json(cls, frozen: dict[str, Any]) -> "InvoiceDraft":
        lines = tuple(
            DraftLine(
                name=row["name"],
                description=row["description"],
                quantity=Decimal(row["quantity"]),
                unit_cost=Decimal(row["unit_cost"]),
                taxes=tuple(Tax(tax["name"], Decimal(tax["percent"])) for tax in row["taxes"]),
            )
            for row in frozen["lines"]
        )
        totals = Totals(**{key: Decimal(value) for key, value in frozen["totals"].items()})
        return cls(
            **{
                **frozen,
                "client": DraftClient(**frozen["client"]),
                "lines": lines,
                "totals": totals,
                "discount_percent": Decimal(frozen["discount_percent"]),
                # not in drafts from before there was such a date
                "due_on": date.fromisoformat(day) if (day := frozen.get("due_on")) else None,
            }
        )


def _strings(value: Any) -> Any:
    if isinstance(value, float):
        raise TypeError("a draft holds Decimals, never a float")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _strings(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strings(item) for item in value]
    return value
