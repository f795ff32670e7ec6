"""A sale becomes a draft invoice by the account's mapping, or a list of problems in plain words.

Everything that is wrong is told at once, so that a manager mends a deal in one go.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from server.core import settings_model as settings
from server.core.client import draft_client, language
from server.core.deal_amount import settle
from server.core.discount import TakenOff, allocate, read_discount
from server.core.errors import CannotBill
from server.core.field_keys import entity_of
from server.core.invoice import DraftLine, InvoiceDraft
from server.core.keys import digest
from server.core.lines import Form, Item, as_line, billed, by_products, items_of
from server.core.messages import N_
from server.core.money import decimal_of, digits, exact, is_currency
from server.core.said import say
from server.core.sale import Sale
from server.core.settings_checks import fields_of
from server.core.sources import Problems, Reader, look_up
from server.core.tax import VENDOR_DECIMALS, RoundingRule, total_up, totals

LONGEST_DUE = 365  # days; beyond that it is a typing error

Action = Literal["draft", "mark_sent", "email"]
_CURRENCIES = {
    "deal": N_("The deal's currency"),
    "contact": N_("The contact's currency"),
    "company": N_("The company's currency"),
    "product": N_("The product's currency"),
}


def draft(
    sale: Sale, mapping: settings.Mapping, *, action: Action = "draft", today: date | None = None
) -> InvoiceDraft:
    """The invoice that this sale makes. Raises CannotBill with every problem there is.

    ``action`` is what the rule will do with it: "email" wants a client with an e-mail. ``today``
    bounds how far away a due date may be, for which a day more or less does not matter.
    """
    problems = Problems(sale.problems)
    reader = Reader(sale, problems)
    with exact():
        form = Form(
            read_currency(reader, mapping.currency), mapping.lines.extra_decimals == "round"
        )
        client = draft_client(reader, mapping.client, action)
        taken_off = read_discount(reader, mapping.discount, form)
        lines = _lines(reader, mapping, form, taken_off)
        if lines and not problems.found:
            _check_totals(reader, lines, taken_off, form)
    texts = _texts(reader, mapping, today)
    if problems.found:
        raise CannotBill(problems.found)
    sums, differs = totals(lines, taken_off.percent, form.currency)
    return InvoiceDraft(
        currency=form.currency,
        client=client,
        lines=tuple(lines),
        totals=sums,
        to_be_confirmed=differs,
        discount_percent=taken_off.percent,
        discount_description=taken_off.description if taken_off.percent else "",
        **texts,
    )


def fingerprint(sale: Sale, mapping: settings.Mapping, rules: Sequence[settings.Rule] = ()) -> str:
    """A digest of all that decides about this sale's invoice: a parked job waits for it to move.

    That is the mapping, the rules, and of the sale only what these read.
    """
    parts: list[Any] = [mapping, *rules]
    keys = {key for part in parts for _path, key in fields_of(part, "")}
    keys |= {condition.field for rule in rules for condition in rule.conditions}
    keys |= {"deal.name"} if mapping.lines.origin != "products" else set()  # the last name left
    return digest(
        {
            "settings": [part.model_dump(mode="json", by_alias=True) for part in parts],
            "fields": {key: _values(look_up(sale, key)) for key in sorted(keys)},
            "lines": [
                [line.product_id, line.name, line.quantity, line.unit_price]
                + [_values(look_up(sale, key, line)) for key in sorted(keys)]
                for line in sale.lines
            ],
            "sale": [sale.currency, str(sale.amount), asdict(sale.party)],
            "problems": [asdict(problem) for problem in sale.problems],
        }
    )


def _values(found: Any) -> Any:
    return None if found is None else [asdict(value) for value in found]


def _lines(
    reader: Reader, mapping: settings.Mapping, form: Form, taken_off: TakenOff
) -> list[DraftLine]:
    items = items_of(reader, mapping)
    if items and mapping.description is not None:
        items[0] = _described(reader, mapping, items[0])
    less = taken_off.amount
    if by_products(reader.sale, mapping):
        unread = len(items) < len(reader.sale.lines) or reader.problems.about("product")
        if unread or not items:
            return []  # a sum over some of the products would only add wrong problems
        items, difference = settle(reader, items, mapping.lines, form)
        less += difference
    whole = billed(items, form.places)
    if items and less >= whole:
        _refuse_empty(reader, whole, less, form)
        return []
    shares = allocate(less, items, form.places) if less else [None] * len(items)
    return [
        as_line(reader, item, form, share, taken_off.description if taken_off.amount else "")
        for item, share in zip(items, shares, strict=True)
    ]


def _described(reader: Reader, mapping: settings.Mapping, first: Item) -> Item:
    """The invoice's description, for which the vendor has no place but the first line's."""
    text = reader.text("description", mapping.description)
    both = "\n".join(part for part in (text, first.description) if part)
    return replace(first, description=both)


def _refuse_empty(reader: Reader, whole: Decimal, less: Decimal, form: Form) -> None:
    if not less:
        reason = say("Everything on the deal costs 0: there is nothing to bill.")
        todo = say("Fill in prices in %(where)s.", where=reader.sale.source_name)
        reader.problems.add("lines", reason, todo)
        return
    reader.problems.add(
        "discount.value",
        say(
            "The discount of %(less)s %(currency)s leaves nothing of %(sum)s %(currency)s to bill.",
            less=form.price(less),
            sum=form.price(whole),
            currency=form.currency,
        ),
        say("Correct the discount."),
    )


def _check_totals(
    reader: Reader, lines: Sequence[DraftLine], taken_off: TakenOff, form: Form
) -> None:
    """The vendor showed two decimals everywhere: a dinar's third would be lost in silence."""
    theirs = total_up(lines, taken_off.percent, form.currency)
    if theirs.total <= 0:  # half of a cent off a cent
        reason = say("The discount leaves nothing to bill.")
        reader.problems.add("discount.value", reason, say("Correct the discount."))
    if form.rounds or digits(form.currency) <= VENDOR_DECIMALS:
        return
    rule = RoundingRule(places=digits(form.currency))
    ours = total_up(lines, taken_off.percent, form.currency, rule)
    if ours != theirs:
        reader.problems.add(
            "currency",
            say(
                "The invoice comes to %(total)s %(currency)s with %(tax)s of tax, and a "
                "third decimal may be lost.",
                total=ours.total,
                currency=form.currency,
                tax=ours.tax,
            ),
            say("Correct the prices, or let Billhook's settings round."),
        )


def read_currency(reader: Reader, source: settings.Source | None) -> str:
    """The code that labels the amounts; it never converts them."""
    value = reader.first("currency", source)
    spellings = [value.text, value.enum_code or ""] if value else [reader.sale.currency]
    for spelling in spellings:
        if is_currency(spelling.strip().upper()):
            return spelling.strip().upper()
    whose = say("The account's currency")
    if source:
        key = source.field
        inside = say("The currency in Billhook's settings")
        whose = say(_CURRENCIES[entity_of(key)]) if key else inside
    reader.problems.add(
        "currency",
        say("%(what)s is “%(value)s”, which is no currency code.", what=whose, value=spellings[0]),
        say("Write it with three letters, like EUR or USD."),
    )
    return reader.sale.currency


def _texts(reader: Reader, mapping: settings.Mapping, today: date | None) -> dict[str, Any]:
    return {
        "language": language(reader, "language", mapping.language),
        "po_number": reader.line_of_text("po_number", mapping.po_number),
        "notes": reader.text("notes", mapping.notes),
        "terms": reader.text("terms", mapping.terms),
        **read_due(reader, mapping.due_days, today),
    }


def read_due(
    reader: Reader, source: settings.Source | None, today: date | None = None
) -> dict[str, int | date]:
    """The draft's ``due_days`` or, by a field that holds a day, its ``due_on``; of an empty source
    neither."""
    value = reader.first("due_days", source)
    if value is None:
        return {}
    if value.day is not None:
        if today is None or (value.day - today).days <= LONGEST_DUE:
            return {"due_on": value.day}
        reader.problems.add(
            "due_days",
            say(
                "The due date %(day)s is more than %(most)s days away.",
                day=value.day,
                most=LONGEST_DUE,
            ),
            say("Correct the date in %(where)s.", where=reader.sale.source_name),
        )
        return {}
    text = " ".join(value.text.split())
    days = decimal_of(text)
    if days is not None and 0 <= days <= LONGEST_DUE and days == int(days):
        return {"due_days": int(days)}
    reader.problems.add(
        "due_days",
        say("“%(value)s” is no number of days until payment.", value=text),
        say("Use a whole number from 0 to %(most)s, or a date field.", most=LONGEST_DUE),
    )
    return {}
