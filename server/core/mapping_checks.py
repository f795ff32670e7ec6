"""What a mapping says that no sale could ever be billed by: a discount of 150 %, a third tax.

A text without fields is the same for every sale, so it is refused when it is saved, by the same
sentences by which a deal would be refused later.
"""

from collections.abc import Callable, Iterator, Sequence

from server.core import settings_model as settings
from server.core import template
from server.core.client import language, read_email
from server.core.discount import read_discount
from server.core.line_tax import FINEST_PERCENT, MOST_TAXES
from server.core.lines import Form
from server.core.mapping import read_currency, read_due
from server.core.money import decimal_of, decimals
from server.core.said import joined, say
from server.core.sale import Party, Place, Sale
from server.core.settings_checks import sources_of
from server.core.settings_model import Source
from server.core.sources import Problems, Reader

Errors = Iterator[tuple[str, str]]
Read = Callable[[Reader, Source], object]

_NO_SALE = Sale("Billhook", "", "", "", None, Party(), (), {}, Place(0, 0))
_ANY_CURRENCY = Form("", rounds=True)  # how many decimals an amount may have hangs on it


def unusable(mapping: settings.Mapping) -> list[tuple[str, str]]:
    """(dotted path, sentence) for each."""
    errors = [
        (here, words)
        for path, source, read in _read_as(mapping)
        for here, text in _fixed(f"mapping.{path}", source)
        if (words := _wrong_with(text, read))
    ]
    taxes = [("mapping.taxes.fixed", mapping.taxes.fixed)]
    taxes += [(f"mapping.taxes.table.{key}", row) for key, row in mapping.taxes.table.items()]
    return [
        *_braces(mapping),
        *errors,
        *(error for path, rates in taxes for error in _rates(path, rates)),
    ]


def _braces(mapping: settings.Mapping) -> Errors:
    for path, source in sources_of(mapping, "mapping"):
        for here, text in _texts(path, source):
            if wrong := template.what_is_wrong(text):
                yield f"{here}.text", wrong


def _read_as(mapping: settings.Mapping) -> Iterator[tuple[str, Source | None, Read]]:
    """Where not every text will do, and what reads it."""
    client, off = mapping.client, mapping.discount
    yield "currency", mapping.currency, read_currency
    yield "language", mapping.language, lambda reader, text: language(reader, "", text)
    yield "due_days", mapping.due_days, read_due
    if mapping.lines.origin != "amount":  # which asks for no price
        yield "lines.price", mapping.lines.price, _price
    yield "client.email", client.email, read_email
    yield "client.language", client.language, lambda reader, text: language(reader, "", text)
    if off is not None:
        yield (
            "discount.value",
            off.value,
            lambda reader, text: read_discount(
                reader, settings.Discount(kind=off.kind, value=text), _ANY_CURRENCY
            ),
        )


def _fixed(path: str, source: Source | None) -> Iterator[tuple[str, Source]]:
    """The levels of a source that are a text without fields, by their paths."""
    for here, text in _texts(path, source):
        if text.strip() and not template.fields_in(text) and not template.what_is_wrong(text):
            yield here, Source(text=text)


def _texts(path: str, source: Source | None) -> Iterator[tuple[str, str]]:
    """The levels of a source that are a text, by their paths."""
    while source is not None:
        if source.text is not None:
            yield path, source.text
        path, source = f"{path}.or", source.fallback


def _wrong_with(text: Source, read: Read) -> str:
    problems = Problems()
    read(Reader(_NO_SALE, problems), text)
    return joined(said for one in problems.found for said in (one.reason, one.todo))


def _price(reader: Reader, text: Source) -> None:
    typed = reader.first_text("lines.price", text)
    price = decimal_of(typed)
    if price is None or price < 0:
        reason = say("“%(value)s” is no price.", value=typed)
        reader.problems.add("lines.price", reason, say("Write it like 12.50."))


def _rates(path: str, rates: Sequence[settings.TaxRate]) -> Errors:
    if len(rates) > MOST_TAXES:
        most = say("An invoice's line takes %(most)s taxes: combine them.", most=MOST_TAXES)
        yield f"{path}.{MOST_TAXES}", most
    for index, rate in enumerate(rates):
        if rate in rates[:index]:
            yield f"{path}.{index}.name", say("is there twice")
        if decimals(rate.percent) > FINEST_PERCENT:
            fine = say("must have at most %(places)s decimals", places=FINEST_PERCENT)
            yield f"{path}.{index}.percent", fine
