"""What somebody typed into the mapping's form, as a settings document.

What was not touched stays as the document has it, to the letter; so does everything that is not on
the form (the rules). Each error names the control that it belongs to.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _

from server.core import template
from server.core.settings import InvalidSettings, SettingsDocument, validate
from server.web.languages import spoken
from server.web.mapping_controls import (
    CATALOGS,
    NEEDED,
    PLAIN,
    SOURCES,
    Form,
    controls_of,
    levels,
    name_of,
    several_lines,
)
from server.web.mapping_labels import Labels
from server.web.mapping_rows import Told, fixed_rates, tax_table

_MOST_ADVICE = 5  # misspelled names that are compared with all that there are


class Typed:
    """A form, read and checked as a whole. ``document``: None where there are errors.

    ``errors``: control to sentence, "" for what belongs to none; ``unfinished``: those of them
    whose control is just empty.
    """

    def __init__(self, form: Mapping[str, str], current: SettingsDocument, labels: Labels) -> None:
        self._form = {name: several_lines(form[name]) for name in form}
        self.labels = labels
        self.errors: dict[str, str] = {}
        self.unfinished: set[str] = set()
        self.data = current.to_json()
        self.document: SettingsDocument | None = None
        self._shown = controls_of(current, labels)
        self._mapping = self.data["mapping"]
        self._places: dict[str, str] = {}
        self._advised = 0
        self._read()
        try:
            document = validate(self.data)
        except InvalidSettings as refused:
            for path, words in refused.errors:
                self.errors.setdefault(self.control_of(path, words), self._spoken(words))
        else:
            self.document = None if self.errors else document

    def control_of(self, path: str, words: str) -> str:
        """Where the document's ``path`` was typed; ``words`` may name the field that is meant."""
        at = self._level_of(path, words) or path
        while at and at not in self._places:
            at = at.rpartition(".")[0]
        return self._places.get(at, "")

    def _read(self) -> None:
        self._discount()
        for path in SOURCES:
            part, _dot, key = path.rpartition(".")
            inside = self._mapping[part] if part else self._mapping
            if inside is not None:  # no discount
                inside[key] = self._source(path, inside.get(key))
        for path in PLAIN:
            self._plain(path)
        self._catalogs()
        self._tax_field()
        told, taxes = Told(self._places, self.errors), self._mapping["taxes"]
        taxes["fixed"] = fixed_rates(self._form, self._shown, taxes["fixed"], told)
        taxes["table"] = tax_table(self._form, self._shown, taxes["table"], told)

    def _source(self, path: str, before: Any) -> Any:
        name, errors = name_of(path), {}
        found: list[dict[str, Any]] = []
        self._places[f"mapping.{path}"] = f"{name}-0-kind"
        for level in range(levels(self._form, name)):
            control = f"{name}-{level}"
            kind = self._form[f"{control}-kind"]
            if kind not in ("none", "field", "text"):
                errors[f"{control}-kind"] = _("Choose one of these.")
            elif kind != "none":
                here = f"mapping.{path}" + ".or" * len(found)
                self._places[here] = self._places[f"{here}.{kind}"] = f"{control}-{kind}"
                found.append(self._level(control, kind, errors))
        untouched = self._said(self._form, name) == self._said(self._shown, name)
        if untouched and (before is not None or path not in NEEDED):
            return before
        if not levels(self._form, name) and before is not None:
            return before
        if not found and path in NEEDED:
            errors.setdefault(f"{name}-0-kind", _("Choose a field, or write a text."))
        self.errors |= errors
        return _nested(found)

    def _level(self, control: str, kind: str, errors: dict[str, str]) -> dict[str, Any]:
        typed = self._form.get(f"{control}-{kind}", "")
        if kind == "field":
            key = self.labels.key(typed)
            if not key:
                self.unfinished |= set() if typed.strip() else {f"{control}-field"}
                errors[f"{control}-field"] = self._unknown(typed)
            return {"field": key}
        if not typed.strip():
            self.unfinished.add(f"{control}-text")
            errors[f"{control}-text"] = _("Write a text, or choose “Nothing”.")
        text, wrong = self._keyed(typed)
        if wrong:
            errors[f"{control}-text"] = wrong
        return {"text": text}

    def _keyed(self, typed: str) -> tuple[str, str]:
        """The text with its fields by their keys, and what is wrong with it first."""
        text, wrong = "", ""
        try:
            for piece in template.pieces(typed):
                if isinstance(piece, str):
                    text += piece
                    continue
                key = self.labels.key(piece.key) if piece.key else ""
                text += "{" + key + "}"
                if piece.doubled and piece.key:
                    name = self.labels.label(key) if key else self._near(piece.key) or piece.key
                    wrong = wrong or spoken(template.too_many_braces(name))
                elif piece.key and not key:
                    wrong = wrong or self._unknown(piece.key)
        except template.BadTemplate as bad:
            return typed, wrong or spoken(bad.sentence)
        return text, wrong

    def _near(self, typed: str) -> str:
        self._advised += 1
        return self.labels.near(typed) if self._advised <= _MOST_ADVICE else ""

    def _unknown(self, typed: str) -> str:
        typed = typed.strip()
        if not typed:
            return str(_("Choose a field, or choose “Nothing”."))
        if near := self._near(typed):
            ask = _(
                "There is no field “%(typed)s”. Did you mean “%(near)s”?", typed=typed, near=near
            )
        else:
            ask = _("There is no field “%(typed)s”. Choose one of the list.", typed=typed)
        return str(ask)

    def _plain(self, path: str) -> None:
        name, (part, _dot, key) = name_of(path), path.partition(".")
        self._places[f"mapping.{path}"] = name
        typed = self._form.get(name)
        if typed is None or typed == self._shown[name]:
            return
        typed = typed if path == "numbering.prefix" else typed.strip()
        self._mapping[part][key] = None if part == "write_back" and not typed else typed

    def _discount(self) -> None:
        kind = self._form.get("discount-kind", self._shown["discount-kind"])
        self._places["mapping.discount"] = self._places["mapping.discount.kind"] = "discount-kind"
        if kind == "none":
            self._mapping["discount"] = None
        else:
            empty = {"kind": kind, "value": None, "description": None}
            self._mapping["discount"] = {**(self._mapping["discount"] or empty), "kind": kind}

    def _catalogs(self) -> None:
        self._places["mapping.lines.catalogs"] = CATALOGS
        if CATALOGS not in self._form:
            return
        chosen = [name[len(CATALOGS) + 1 :] for name in self._form if name.startswith(CATALOGS)]
        ids = {int(one) for one in chosen if one.isdecimal() and len(one) < 19}
        before = [one for one in self._mapping["lines"]["catalogs"] if one in ids]
        self._mapping["lines"]["catalogs"] = [*before, *sorted(ids - set(before))]

    def _tax_field(self) -> None:
        self._places["mapping.taxes.field"] = "taxes-field"
        typed = self._form.get("taxes-field")
        if typed is None or typed == self._shown["taxes-field"]:
            return
        key = self.labels.key(typed) if typed.strip() else None
        if key == "":
            self.errors["taxes-field"] = self._unknown(typed)
        self._mapping["taxes"]["field"] = key or None

    def _spoken(self, words: str) -> str:
        """As a sentence of its own: "must be a number" is "Must be a number."."""
        words = spoken(words)
        for key in re.findall(r"“((?:deal|contact|company|product)\.[^”]+)”", words):
            words = words.replace(key, self.labels.label(key))
        sentence = words[:1].upper() + words[1:]
        return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."

    @staticmethod
    def _said(form: Form, name: str) -> Form:
        """What a source's controls say, the empty ones left out."""
        return {
            each: value
            for each, value in form.items()
            if each.startswith(f"{name}-") and value not in ("", "none")
        }

    def _level_of(self, path: str, words: str) -> str:
        """The level whose field a sentence about a whole source names; "" where it names none."""
        here, level = path, _at({"mapping": self._mapping}, path)
        while isinstance(level, dict) and not path.startswith("mapping.taxes"):
            if any(_is_named(key, words) for key in _keys(level)):
                return here
            here, level = f"{here}.or", level.get("or")
        return ""


def _is_named(key: str, words: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(key)}(?!\w)", words) is not None


def _nested(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    chain: dict[str, Any] | None = None
    for level in reversed(found):
        chain = {**level, "or": chain} if chain else level
    return chain


def _at(data: Any, path: str) -> Any:
    for step in path.split("."):
        data = data.get(step) if isinstance(data, dict) else None
    return data


def _keys(level: dict[str, Any]) -> Iterator[str]:
    if level.get("field"):
        yield level["field"]
    yield from template.fields_in(level.get("text") or "")
