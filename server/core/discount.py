"""Money taken off a sale: as a percent of the whole, or as an amount shared out over the lines.

Upstream only a percent discount was seen to work, so a fixed amount goes into the unit costs, to
each tax its fair part, so that no tax is too high or too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from server.core.line_tax import percent_of
from server.core.lines import Form, Item
from server.core.money import decimal_of, decimals, plain, rounded
from server.core.said import say
from server.core.settings_model import Discount
from server.core.sources import Reader

PERCENT_DECIMALS = 2  # "10.00" was seen; nothing is known of finer ones


@dataclass(frozen=True)
class TakenOff:
    """``percent`` of the whole, then on the invoice; ``amount`` in the currency, in the lines."""

    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    description: str = ""


def read_discount(reader: Reader, mapped: Discount | None, form: Form) -> TakenOff:
    """The mapped discount; none when its field is empty or 0."""
    if mapped is None:
        return TakenOff()
    value = reader.first("discount.value", mapped.value)
    if value is None:
        return TakenOff()
    description = reader.line_of_text("discount.description", mapped.description)
    if mapped.kind == "percent":
        return TakenOff(percent=_percent(reader, value.text), description=description)
    number = value.number if value.number is not None else decimal_of(value.text)
    return TakenOff(amount=_amount(reader, number, value.text, form), description=description)


def share_out(units: int, weights: Sequence[int]) -> list[int]:
    """``units`` in proportion to ``weights``, to the last one: largest remainder, ties in order.

    No share is larger than its weight if ``units`` is not larger than their sum.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [units * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: -(units * weights[at] % whole))
    for at in by_remainder[: units - sum(shares)]:
        shares[at] += 1
    return shares


def allocate(amount: Decimal, items: Sequence[Item], places: int) -> list[Decimal]:
    """How much of ``amount`` comes off each item: first to each tax group, then to its items."""
    weights = [_units(item.amount, places) for item in items]
    groups: dict[object, list[int]] = {}
    for at, item in enumerate(items):
        groups.setdefault(item.taxes, []).append(at)
    shares = [0] * len(items)
    group_weights = [sum(weights[at] for at in group) for group in groups.values()]
    group_shares = share_out(_units(amount, places), group_weights)
    for group, group_share in zip(groups.values(), group_shares, strict=True):
        parts = share_out(group_share, [weights[at] for at in group])
        for at, part in zip(group, parts, strict=True):
            shares[at] = part
    return [Decimal(share).scaleb(-places) for share in shares]


def _units(amount: Decimal, places: int) -> int:
    return int(rounded(amount, places).scaleb(places))


def _percent(reader: Reader, text: str) -> Decimal:
    percent = percent_of(text)
    if percent is None:
        reason = say("The discount “%(value)s” is no percent between 0 and 100.", value=text)
        reader.problems.add("discount.value", reason, say("Correct it; write it like 10 or 12.5."))
    elif decimals(percent) > PERCENT_DECIMALS:
        reason = say(
            "The discount of %(percent)s %% has too many decimals.", percent=plain(percent)
        )
        reader.problems.add("discount.value", reason, _may_have(PERCENT_DECIMALS))
    elif percent == 100:
        reason = say("A discount of 100 %% leaves nothing to bill.")
        reader.problems.add("discount.value", reason, say("Correct the discount."))
    else:
        return percent
    return Decimal(0)


def _amount(reader: Reader, number: Decimal | None, text: str, form: Form) -> Decimal:
    if number is None or number < 0:
        reason = say("The discount “%(value)s” is no amount of money.", value=text)
        reader.problems.add("discount.value", reason, say("Correct it; write it like 10 or 12.50."))
    elif not (form.fits(number) or form.rounds):
        reason = say(
            "The discount of %(amount)s %(currency)s has too many decimals.",
            amount=form.price(number),
            currency=form.currency,
        )
        reader.problems.add("discount.value", reason, _may_have(form.places))
    else:
        return rounded(number, form.places)
    return Decimal(0)


def _may_have(places: int) -> str:
    return say("It may have %(places)s.", places=places)
