"""The deal's own amount against the sum of its products: users can type the one, not the other."""

from collections.abc import Sequence
from decimal import Decimal

from server.core.lines import Form, Item, billed
from server.core.money import digits
from server.core.said import say
from server.core.settings_model import Lines
from server.core.sources import Reader

_NAME = "Adjustment"


def settle(
    reader: Reader, items: Sequence[Item], mapped: Lines, form: Form
) -> tuple[list[Item], Decimal]:
    """The products, with one more where the deal's amount is higher; and what to take off them.

    Compared is the sum of quantity × price before discount and tax. An amount of 0 is one that
    nobody filled in: Kommo has no other way to say so.
    """
    amount = reader.sale.amount.amount if reader.sale.amount else Decimal(0)
    if not amount or mapped.when_amount_differs == "ignore":
        return list(items), Decimal(0)
    difference = amount - billed(items, digits(form.currency))
    if difference and (mapped.when_amount_differs == "refuse" or amount < 0):
        _refuse(reader, amount, amount - difference, form)
    elif difference > 0:
        return [*items, _extra(reader, items, difference)], Decimal(0)
    elif difference < 0:
        return list(items), -difference
    return list(items), Decimal(0)


def _extra(reader: Reader, items: Sequence[Item], difference: Decimal) -> Item:
    kinds = {item.taxes for item in items}
    if len(kinds) > 1:
        reader.problems.add(
            "lines.when_amount_differs",
            say(
                "The deal's amount is higher than its products, which are taxed differently, "
                "so nobody can say how to tax the difference."
            ),
            say("Make the amounts equal in %(where)s.", where=reader.sale.source_name),
        )
    return Item("lines.adjustment", _NAME, "", Decimal(1), difference, items[0].taxes)


def _refuse(reader: Reader, amount: Decimal, by_products: Decimal, form: Form) -> None:
    reader.problems.add(
        "lines.when_amount_differs",
        say(
            "The deal's amount is %(amount)s %(currency)s, "
            "but its products come to %(sum)s %(currency)s.",
            amount=form.price(amount),
            sum=form.price(by_products),
            currency=form.currency,
        ),
        say(
            "Make them equal in %(where)s, or choose in Billhook's settings which one counts.",
            where=reader.sale.source_name,
        ),
    )
