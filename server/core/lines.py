"""The lines of a draft, in the only forms that were seen to work upstream.

That is: positive unit costs of two decimals (none in yen). What does not fit is folded into one
piece with the sum in its text, "2.5 × 1.005", if the sum comes out in whole cents; else refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from server.core.invoice import DraftLine, Tax
from server.core.line_tax import line_taxes
from server.core.money import decimal_of, decimals, plain, rounded
from server.core.said import say
from server.core.sale import Sale, SaleLine
from server.core.settings_model import Mapping
from server.core.sources import Reader
from server.core.tax import places_kept

QUANTITY_DECIMALS = 2  # 2.5 was seen to work; nothing is known of finer quantities


@dataclass(frozen=True)
class Item:
    """One thing sold, exactly as the sale has it; ``path`` names it in problems.

    "lines.2" is the second product: counted from 1, as the person does who reads it.
    """

    path: str
    name: str
    description: str
    quantity: Decimal
    price: Decimal
    taxes: tuple[Tax, ...]

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Form:
    """How lines are written: the currency's decimals upstream, and whether rounding is allowed."""

    currency: str
    rounds: bool

    @property
    def places(self) -> int:
        return places_kept(self.currency)

    def price(self, amount: Decimal) -> str:
        """An amount as text, with the currency's decimals at least."""
        return f"{rounded(amount, max(self.places, decimals(amount))):f}"

    def fits(self, amount: Decimal) -> bool:
        return decimals(amount) <= self.places


def by_products(sale: Sale, mapping: Mapping) -> bool:
    """Whether the lines are the sale's products, not its amount."""
    origin = mapping.lines.origin
    return origin == "products" or (origin == "products_or_amount" and bool(sale.lines))


def items_of(reader: Reader, mapping: Mapping) -> list[Item]:
    """The sale's products, or its amount as one item; what is wrong goes to the problems."""
    if not by_products(reader.sale, mapping):
        return _from_amount(reader, mapping)
    if not reader.sale.lines:
        reader.problems.add(
            "lines",
            say("The deal has no products."),
            say("Add them in %(where)s.", where=reader.sale.source_name),
        )
    return [
        item
        for number, line in enumerate(reader.sale.lines, start=1)
        if (item := _from_product(reader.of_line(line), line, f"lines.{number}", mapping))
    ]


def as_line(reader: Reader, item: Item, form: Form, less: Decimal | None, note: str) -> DraftLine:
    """The item as an invoice line, ``less`` money taken off it; ``note`` says what for.

    None: nothing is taken off the whole sale. Otherwise the parts must add up to the cent, so
    half cents are not left to the vendor.
    """
    fine = decimals(item.quantity) <= QUANTITY_DECIMALS and form.fits(item.price)
    if fine and (less is None or (not less and form.fits(item.amount))):
        unit_cost = rounded(item.price, form.places)
        return DraftLine(item.name, item.description, item.quantity, unit_cost, item.taxes)
    if not (fine or form.rounds or form.fits(item.amount)):
        _refuse_decimals(reader, item, form)
    text = f"{plain(item.quantity)} × {form.price(item.price)}"
    if less:
        text = f"{text} less {form.price(less)} {note}".rstrip()
    description = f"{item.description} ({text})" if item.description else text
    unit_cost = rounded(item.amount, form.places) - (less or 0)
    return DraftLine(item.name, description, Decimal(1), unit_cost, item.taxes)


def billed(items: Sequence[Item], places: int) -> Decimal:
    """What the items come to, each rounded as the vendor does."""
    return sum((rounded(item.amount, places) for item in items), Decimal(0))


def _from_amount(reader: Reader, mapping: Mapping) -> list[Item]:
    sale = reader.sale
    amount = sale.amount.amount if sale.amount else None
    if amount is None or amount <= 0:
        none, negative = say("The deal has no amount."), say("The deal's amount is negative.")
        reason = negative if amount else none
        todo = say("Fill in the deal's amount in %(where)s.", where=sale.source_name)
        reader.problems.add("lines", reason, todo)
        return []
    name = reader.line_of_text("lines.name", mapping.lines.name) or sale.title
    return [
        Item(
            path="lines.1",
            name=name,
            description=_description(reader, mapping),
            quantity=Decimal(1),
            price=amount,
            taxes=line_taxes(reader, mapping.taxes, "lines.1.tax", name),
        )
    ]


def _from_product(reader: Reader, line: SaleLine, path: str, mapping: Mapping) -> Item | None:
    name = reader.line_of_text("lines.name", mapping.lines.name) or line.name
    description = _description(reader, mapping)
    taxes = line_taxes(reader, mapping.taxes, f"{path}.tax", name)
    where = reader.sale.source_name
    if line.quantity <= 0:
        quantity = plain(line.quantity)
        reason = say("The quantity of “%(name)s” is %(number)s.", name=name, number=quantity)
        todo = say("Correct it on the deal in %(where)s.", where=where)
        reader.problems.add(f"{path}.quantity", reason, todo)
    price = _price(reader, line, mapping, f"{path}.price", name)
    if price is None:
        return None
    if price < 0:
        reason = say("The price of “%(name)s” is negative.", name=name)
        todo = say("Correct it in %(where)s; use a discount.", where=where)
        reader.problems.add(f"{path}.price", reason, todo)
    elif line.quantity > 0:
        return Item(path, name, description, line.quantity, price, taxes)
    return None


def _price(
    reader: Reader, line: SaleLine, mapping: Mapping, path: str, name: str
) -> Decimal | None:
    """The price that the deal chose, or the mapped field's; None with a problem noted."""
    where, source = reader.sale.source_name, mapping.lines.price
    if source is None:
        price, text = line.unit_price, ""
    else:
        value = reader.first("lines.price", source)
        text = value.text if value else ""
        price = value.number if value and value.number is not None else decimal_of(text)
    if price is None and text:
        reason = say("The price “%(value)s” of “%(name)s” is no number.", value=text, name=name)
        todo = say("Correct it in %(where)s; write it like 12.50.", where=where)
        reader.problems.add(path, reason, todo)
    elif price is None:
        reason = say("“%(name)s” has no price.", name=name)
        todo = say("Fill in the product's price in %(where)s.", where=where)
        reader.problems.add(path, reason, todo)
    return price


def _description(reader: Reader, mapping: Mapping) -> str:
    """The vendor has no place for an article number but the description."""
    sku = reader.line_of_text("lines.sku", mapping.lines.sku)
    text = reader.text("lines.description", mapping.lines.description)
    return " · ".join(part for part in (sku, text) if part)


def _refuse_decimals(reader: Reader, item: Item, form: Form) -> None:
    decimals_left = say("%(places)s decimals", places=form.places)
    reader.problems.add(
        f"{item.path}.price",
        say(
            "“%(name)s” at %(sum)s does not come out even: an invoice has %(decimals)s.",
            name=item.name,
            sum=f"{plain(item.quantity)} × {form.price(item.price)} {form.currency}",
            decimals=decimals_left if form.places else say("no decimals"),
        ),
        say("Correct the price or the quantity, or let Billhook's settings round such lines."),
    )
