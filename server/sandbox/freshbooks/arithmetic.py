"""An invoice's totals from its lines, under the rounding rule that the switches choose.

Reference §3.3: the percent discount comes off the subtotal before tax; taxes go by name and
percent; where FreshBooks rounds (each line, each tax, once) and which half is unverified.
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal, localcontext

from server.sandbox.freshbooks.money import rounded
from server.sandbox.freshbooks.switches import FreshbooksSwitches

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class TaxedLine:
    """``percents`` are (name, percent) in order; compounded: the second is taken on the first."""

    quantity: Decimal
    unit_cost: Decimal
    taxes: tuple[tuple[str, Decimal], ...] = ()
    compounded: bool = False


@dataclass(frozen=True)
class Totals:
    """All in the invoice's currency; ``discount`` is positive."""

    line_amounts: tuple[Decimal, ...]
    subtotal: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.tax


def totals(
    lines: list[TaxedLine], percent: Decimal, code: str, switches: FreshbooksSwitches
) -> Totals:
    """``percent`` off the subtotal, then taxes on what is left of each line."""

    def cents(amount: Decimal) -> Decimal:
        return rounded(amount, code, switches)

    with localcontext(prec=60):
        amounts = tuple(cents(line.quantity * line.unit_cost) for line in lines)
        off = [amount * percent / HUNDRED for amount in amounts]
        if switches.discount_rounded_on == "line":
            off = [cents(less) for less in off]
        by_tax: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
        for line, amount, less in zip(lines, amounts, off, strict=True):
            for key, tax in _line_taxes(line, amount - less).items():
                by_tax[key] += cents(tax) if switches.rounding_scope == "line" else tax
        taxes = list(by_tax.values())
        if switches.rounding_scope == "group":
            taxes = [cents(tax) for tax in taxes]
        return Totals(
            amounts,
            subtotal=sum(amounts, Decimal(0)),
            discount=cents(sum(off, Decimal(0))),
            tax=cents(sum(taxes, Decimal(0))),
        )


def _line_taxes(line: TaxedLine, base: Decimal) -> dict[tuple[str, Decimal], Decimal]:
    """Unrounded tax of one line by (name, percent)."""
    found: dict[tuple[str, Decimal], Decimal] = {}
    before = Decimal(0)
    for name, percent in line.taxes:
        taxed = base + before if line.compounded else base
        found[name, percent] = taxed * percent / HUNDRED
        before += found[name, percent]
    return found
