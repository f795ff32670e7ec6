"""Totals as the vendor might compute them: its rounding is not documented, so every way is tried.

The vendor multiplies quantity and unit cost, takes the percent discount off the subtotal and then
adds the taxes of each line (a recorded invoice shows this order, exact to the cent). At which step
it rounds, and how halves go, nobody has seen. The draft carries the totals of the default rule;
where a plausible rule differs, the comparison after the create decides.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import groupby, product
from typing import Literal

from server.core.invoice import DraftLine, Tax, Totals
from server.core.money import digits, exact, rounded

VENDOR_DECIMALS = 2  # every amount in recorded replies has two, whatever the currency

Rounder = Callable[[Decimal], Decimal]
Share = tuple[int, Tax, Decimal]  # line, tax, the exact tax on that line


@dataclass(frozen=True)
class RoundingRule:
    """``scope``: what a tax is rounded on: each line, all lines of one tax, or the invoice's sum.

    ``half``: where halves go. ``discount``: whether the percent discount is rounded on the
    subtotal ("whole") or on each line. ``places``: decimals kept; None is ``places_kept``.
    """

    scope: Literal["line", "group", "invoice"] = "line"
    half: Literal["up", "even"] = "up"
    discount: Literal["whole", "line"] = "whole"
    places: int | None = None


DEFAULT_RULE = RoundingRule()


def places_kept(currency: str) -> int:
    """Decimals that an amount in this currency surely keeps upstream: JPY 0, EUR 2, KWD 2."""
    return min(VENDOR_DECIMALS, digits(currency))


def plausible_rules(currency: str) -> Iterator[RoundingRule]:
    """Every rule that the vendor may follow; 1200 yen may be kept as "1200" or "1200.00"."""
    places = sorted({places_kept(currency), VENDOR_DECIMALS, digits(currency)})
    scopes: tuple[Literal["line", "group", "invoice"], ...] = ("line", "group", "invoice")
    halves: tuple[Literal["up", "even"], ...] = ("up", "even")
    discounts: tuple[Literal["whole", "line"], ...] = ("whole", "line")
    for scope, half, discount, kept in product(scopes, halves, discounts, places):
        yield RoundingRule(scope, half, discount, kept)


def total_up(
    lines: Sequence[DraftLine],
    discount_percent: Decimal,
    currency: str,
    rule: RoundingRule = DEFAULT_RULE,
) -> Totals:
    """The invoice's totals under one rule, in major units with the places that the rule keeps."""
    places = places_kept(currency) if rule.places is None else rule.places
    half = ROUND_HALF_UP if rule.half == "up" else ROUND_HALF_EVEN

    def cents(amount: Decimal) -> Decimal:
        return rounded(amount, places, half)

    with exact():
        amounts = [cents(line.quantity * line.unit_cost) for line in lines]
        rate = discount_percent.scaleb(-2)
        off = [amount * rate for amount in amounts]
        if rule.discount == "line":
            off = [cents(amount) for amount in off]
        nets = [amount - less for amount, less in zip(amounts, off, strict=True)]
        subtotal, discount = cents(_sum(amounts)), cents(_sum(off))
        tax = _tax(_shares(lines, nets), rule.scope, cents)
        return Totals(subtotal, discount, tax, subtotal - discount + tax)


def totals(
    lines: Sequence[DraftLine], discount_percent: Decimal, currency: str
) -> tuple[Totals, bool]:
    """The totals under the default rule, and whether a plausible rule differs on total or tax."""
    ours = total_up(lines, discount_percent, currency)
    differs = any(
        (theirs.total, theirs.tax) != (ours.total, ours.tax)
        for theirs in (
            total_up(lines, discount_percent, currency, rule) for rule in plausible_rules(currency)
        )
    )
    return ours, differs


def _shares(lines: Sequence[DraftLine], nets: Sequence[Decimal]) -> list[Share]:
    return [
        (index, tax, net * tax.percent.scaleb(-2))
        for index, (line, net) in enumerate(zip(lines, nets, strict=True))
        for tax in line.taxes
    ]


def _tax(shares: list[Share], scope: str, cents: Rounder) -> Decimal:
    if scope == "line":
        return cents(_sum([cents(share) for _line, _tax, share in shares]))
    if scope == "group":
        by_tax = sorted(shares, key=_name_and_percent)
        groups = [list(group) for _key, group in groupby(by_tax, key=_name_and_percent)]
        return cents(_sum([cents(_sum([row[2] for row in group])) for group in groups]))
    return cents(_sum([share for _line, _tax, share in shares]))


def _name_and_percent(share: Share) -> tuple[str, Decimal]:
    return share[1].name, share[1].percent


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
