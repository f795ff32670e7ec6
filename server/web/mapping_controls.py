"""The mapping as the controls of one flat form, and the names of these controls.

A source is a row of levels: "notes-0-kind" says "none", "field" or "text", "notes-0-field" and
"notes-0-text" what; level 1 is taken when level 0 is empty, and so on. Everything that a document
may hold has a control, so that what is not touched comes back as it was.
"""

import re
from collections.abc import Iterator
from typing import Any

from server.core import template
from server.core.settings import Mapping, SettingsDocument, Source
from server.core.settings_checks import fields_of
from server.core.settings_model import TaxRate
from server.web.mapping_labels import Labels

Form = dict[str, str]

LINES = ("name", "sku", "description", "price")
CLIENT = (
    *("email", "organization", "first_name", "last_name", "phone"),
    *("street", "street2", "city", "province", "postal_code", "country"),
    *("vat_name", "vat_number", "language"),
)
SOURCES = (
    *("currency", "description", "notes", "terms", "po_number", "language", "due_days"),
    *(f"lines.{name}" for name in LINES),
    *("discount.value", "discount.description"),
    *(f"client.{name}" for name in CLIENT),
)
NEEDED = ("lines.name", "discount.value")  # these cannot be "nothing"
CODES = tuple(f"write_back-{name}" for name in ("link", "number", "amount", "status"))
PLAIN = (
    *("lines.from", "lines.when_amount_differs", "lines.extra_decimals", "client.match_by"),
    *(f"write_back.{name}" for name in ("link", "number", "amount", "status")),
    *(f"numbering.{name}" for name in ("kind", "prefix", "next", "digits")),
)
RATES = 2  # that a line of an invoice takes
CATALOGS = "lines-catalogs"


def name_of(path: str) -> str:
    """The control of a place in the mapping: "client.email" is "client-email"."""
    return path.replace(".", "-")


def controls_of(document: SettingsDocument, labels: Labels) -> Form:
    """Each control's name and value, as a browser would send them back."""
    mapping = document.mapping
    return dict(
        [
            *_sources(mapping, labels),
            *_plain(mapping),
            *_catalogs(mapping),
            *_taxes(mapping, labels),
            ("discount-kind", mapping.discount.kind if mapping.discount else "none"),
        ]
    )


def used_keys(document: SettingsDocument) -> list[str]:
    """Every field that the mapping names."""
    return [key for _path, key in fields_of(document.mapping, "mapping")]


def levels(form: Form, name: str) -> int:
    """How many levels the form has of a source."""
    count = 0
    while f"{name}-{count}-kind" in form:
        count += 1
    return count


def rows(form: Form, name: str, ending: str) -> int:
    """How many rows the form has of a list, whose first control ends so."""
    count = 0
    while f"{name}-{count}-{ending}" in form:
        count += 1
    return count


def source_at(mapping: Mapping, path: str) -> Source | None:
    value: Any = mapping
    for step in path.split("."):
        value = getattr(value, step, None)
    return value if isinstance(value, Source) else None


def one_line(text: str) -> str:
    """As an <input> holds it."""
    return re.sub(r"[\r\n]", "", text)


def several_lines(text: str) -> str:
    """As a <textarea> holds it; browsers send its ends of lines in another spelling."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def shown_text(text: str, labels: Labels) -> str:
    """A template with its fields by name."""
    return template.labelled(several_lines(text), labels.label)


def _sources(mapping: Mapping, labels: Labels) -> Iterator[tuple[str, str]]:
    for path in SOURCES:
        source, level = source_at(mapping, path), 0
        while source is not None or level < 2:
            yield from _level(f"{name_of(path)}-{level}", source, labels)
            source, level = source.fallback if source else None, level + 1


def _level(name: str, source: Source | None, labels: Labels) -> Iterator[tuple[str, str]]:
    field = source.field if source else None
    text = source.text if source else None
    yield f"{name}-kind", "field" if field else "none" if text is None else "text"
    yield f"{name}-field", labels.label(field) if field else ""
    yield f"{name}-text", shown_text(text, labels) if text else ""


def _plain(mapping: Mapping) -> Iterator[tuple[str, str]]:
    dumped = mapping.model_dump(mode="json", by_alias=True)
    for path in PLAIN:
        part, _dot, key = path.partition(".")
        value = dumped[part][key]
        yield name_of(path), "" if value is None else one_line(str(value))


def _catalogs(mapping: Mapping) -> Iterator[tuple[str, str]]:
    yield CATALOGS, "shown"
    for catalog_id in mapping.lines.catalogs:
        yield f"{CATALOGS}-{catalog_id}", "on"


def _taxes(mapping: Mapping, labels: Labels) -> Iterator[tuple[str, str]]:
    taxes = mapping.taxes
    yield "taxes-field", labels.label(taxes.field) if taxes.field else ""
    for index, rate in enumerate((*taxes.fixed, None)):
        yield from _rate(f"taxes-fixed-{index}", rate)
    for index, (value, rates) in enumerate([*taxes.table.items(), ("", ())]):
        yield f"taxes-table-{index}-value", one_line(value)
        more = [None] * max(0, RATES - len(rates))
        for place, each in enumerate((*rates, *more)):
            yield from _rate(f"taxes-table-{index}-{place}", each)


def _rate(name: str, rate: TaxRate | None) -> Iterator[tuple[str, str]]:
    yield f"{name}-name", one_line(rate.name) if rate else ""
    yield f"{name}-percent", f"{rate.percent:f}" if rate else ""
