"""Which taxes a line carries: what the mapping's table says of a field, else the fixed ones."""

from decimal import Decimal

from server.core.field_keys import entity_of
from server.core.invoice import Tax
from server.core.keys import folded
from server.core.messages import N_
from server.core.money import decimal_of, decimals, plain
from server.core.said import say
from server.core.settings_model import Taxes, TaxRate
from server.core.sources import Reader

# The vendor's documentation: two taxes a line, percents of up to three decimals.
MOST_TAXES = 2
FINEST_PERCENT = 3
_UNNAMED = "Tax"
_TOO_MANY = N_("“%(name)s” has %(count)s taxes; an invoice line takes %(most)s.")
_COMBINE = N_("Combine them into one in Billhook's settings.")
_TWICE = N_("“%(name)s” has the tax %(tax)s %(percent)s %% twice.")
_TOO_FINE = N_("The tax of %(percent)s %% on “%(name)s” has too many decimals.")
_COARSER = N_("A percent may have %(places)s: correct it in Billhook's settings.")
_CORRECT = {
    "deal": N_("Correct it on the deal, or add it to the settings."),
    "contact": N_("Correct it on the contact, or add it to the settings."),
    "company": N_("Correct it on the company, or add it to the settings."),
    "product": N_("Correct it on the product, or add it to the settings."),
}


def line_taxes(reader: Reader, mapped: Taxes, path: str, name: str) -> tuple[Tax, ...]:
    """The taxes of the reader's line; ``path`` and ``name`` say which in the problems."""
    rates = _by_field(reader, mapped, path, name)
    taxes = tuple(Tax(rate.name, rate.percent) for rate in rates)
    if len(taxes) > MOST_TAXES:
        many = {"name": name, "count": len(taxes), "most": MOST_TAXES}
        reader.problems.add(path, say(_TOO_MANY, **many), say(_COMBINE))
    for tax in {tax for tax in taxes if taxes.count(tax) > 1}:
        twice = say(_TWICE, name=name, tax=tax.name, percent=plain(tax.percent))
        reader.problems.add(path, twice, say("Correct the taxes in Billhook's settings."))
    for tax in taxes:
        if decimals(tax.percent) > FINEST_PERCENT:
            too_fine = say(_TOO_FINE, name=name, percent=plain(tax.percent))
            reader.problems.add(path, too_fine, say(_COARSER, places=FINEST_PERCENT))
    return taxes


def percent_of(text: str) -> Decimal | None:
    """A percent from 0 to 100 as people write it: "21", "21%", "7.7 %"."""
    value = decimal_of(text.strip().removesuffix("%"))
    return value if value is not None and 0 <= value <= 100 else None


def _by_field(reader: Reader, mapped: Taxes, path: str, name: str) -> tuple[TaxRate, ...]:
    if mapped.field is None or (entity_of(mapped.field) == "product" and reader.line is None):
        return mapped.fixed
    entity, values = entity_of(mapped.field), reader.field("taxes.field", mapped.field)
    if not values:
        return mapped.fixed
    table = {folded(value): rates for value, rates in mapped.table.items()}
    found: list[TaxRate] = []
    for value in values:
        rates = table.get(folded(value.text), _as_percent(mapped, value.text))
        if rates is None:
            reader.problems.add(
                path,
                say(
                    "The tax “%(value)s” of “%(name)s” is not among the taxes "
                    "in Billhook's settings.",
                    value=value.text,
                    name=name,
                ),
                say(_CORRECT[entity]),
            )
        found.extend(rates or ())
    return tuple(found)


def _as_percent(mapped: Taxes, text: str) -> tuple[TaxRate, ...] | None:
    percent = percent_of(text)
    if percent is None:
        return None
    name = mapped.fixed[0].name if mapped.fixed else _UNNAMED
    return (TaxRate(name=name, percent=percent),)
