"""What a mapping's source gives for one sale, or for one of its lines.

A ``Reader`` also collects what is wrong, so that the user hears of every problem at once.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from server.core import template
from server.core.errors import Problem
from server.core.field_keys import entity_of, is_built_in
from server.core.money import plain
from server.core.part_names import PART_NAMES
from server.core.said import joined, say
from server.core.sale import FieldValue, Sale, SaleLine
from server.core.settings_model import Source

Values = tuple[FieldValue, ...]


class Problems:
    """What is wrong with a sale, each thing once, in the order it was found."""

    def __init__(self, known: Sequence[Problem] = ()) -> None:
        self.found: list[Problem] = []
        for problem in known:
            self.add(problem.field, problem.reason, problem.todo)

    def add(self, field: str, reason: str, todo: str) -> None:
        problem = Problem(field, reason, todo)
        if problem not in self.found:
            self.found.append(problem)

    def about(self, *fields: str) -> bool:
        """Whether something is said of one of these already."""
        return any(problem.field in fields for problem in self.found)


class Reader:
    """Reads the fields of one sale; with ``line``, also those of that line's product."""

    def __init__(self, sale: Sale, problems: Problems, line: SaleLine | None = None) -> None:
        self.sale = sale
        self.problems = problems
        self.line = line

    def of_line(self, line: SaleLine) -> "Reader":
        return Reader(self.sale, self.problems, line)

    def values(self, path: str, source: Source | None) -> Values:
        """The values of the first filled one of the source and its fallbacks; else ()."""
        while source is not None:
            if found := self._one(path, source):
                return found
            source = source.fallback
        return ()

    def text(self, path: str, source: Source | None) -> str:
        """All values, as a person reads them; may have several lines."""
        return ", ".join(value.text for value in self.values(path, source)).strip()

    def line_of_text(self, path: str, source: Source | None) -> str:
        """Likewise, on one line."""
        return " ".join(self.text(path, source).split())

    def first(self, path: str, source: Source | None) -> FieldValue | None:
        """The first value: of several e-mails or phones, the main one."""
        return next(iter(self.values(path, source)), None)

    def first_text(self, path: str, source: Source | None) -> str:
        value = self.first(path, source)
        return " ".join(value.text.split()) if value else ""

    def field(self, path: str, key: str) -> Values:
        """A field's filled values; notes the problem when it does not exist at the source."""
        found = look_up(self.sale, key, self.line)
        if found is None:
            self.problems.add(path, *no_such_field(self.sale, key))
            return ()
        return found

    def _one(self, path: str, source: Source) -> Values:
        if source.field is not None:
            return self.field(path, source.field)
        try:
            text = template.render(source.text or "", self._shown)
        except template.BadTemplate as bad:  # saved before this was refused
            part = PART_NAMES.get(path, path)
            unusable = say("“%(part)s” in the mapping cannot be used.", part=part)
            todo = say("Correct it in Billhook's settings.")
            self.problems.add(path, joined([unusable, bad.sentence]), todo)
            return ()
        return (FieldValue(text),) if text.strip() else ()

    def _shown(self, key: str) -> str:
        return ", ".join(value.text for value in look_up(self.sale, key, self.line) or ())


def look_up(sale: Sale, key: str, line: SaleLine | None = None) -> Values | None:
    """The filled values of a field; () when it is empty, None when it does not exist.

    Of a contact, company or product that the sale does not have, every field is empty.
    """
    entity = entity_of(key)
    fields = line.fields if entity == "product" and line else sale.fields
    found = fields.get(key, _built_in(sale, key, line))
    if found is not None:
        return tuple(value for value in map(_clean, found) if value.text)
    absent = {
        "contact": sale.party.contact_id is None,
        "company": sale.party.company_id is None,
        "product": line is None,
    }
    return () if sale.sparse or is_built_in(key) or absent.get(entity, False) else None


def no_such_field(sale: Sale, key: str) -> tuple[str, str]:
    """Reason and what to do, for a field that a mapping names and the source does not have."""
    where = sale.source_name
    reason = say("The field %(key)s does not exist any more in %(where)s.", key=key, where=where)
    return reason, say("Choose another in Billhook's settings.")


def _built_in(sale: Sale, key: str, line: SaleLine | None) -> Values | None:
    """What the sale itself knows, where the reader did not list it as a field."""
    own: dict[str, Any] = {
        "deal.id": sale.source_id,
        "deal.name": sale.title,
        "deal.price": sale.amount.amount if sale.amount else None,
        "deal.responsible_user_id": sale.responsible_user,
        "contact.id": sale.party.contact_id,
        "company.id": sale.party.company_id,
    }
    if line is not None:
        own |= {
            "product.id": line.product_id,
            "product.name": line.name,
            "product.quantity": line.quantity,
            "product.price": line.unit_price,
        }
    return None if own.get(key) is None else (_value(own[key]),)


def _value(raw: str | int | Decimal) -> FieldValue:
    if isinstance(raw, str):
        return FieldValue(raw)
    number = Decimal(raw)
    return FieldValue(plain(number), number=number)


def _clean(value: FieldValue) -> FieldValue:
    """Without what no invoice can show: control characters and halves of characters."""
    text = "".join(letter for letter in value.text if _readable(letter)).strip()
    return replace(value, text=text)


def _readable(letter: str) -> bool:
    return (letter >= " " or letter in "\n\t") and not "\ud800" <= letter <= "\udfff"
