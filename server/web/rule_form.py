"""A rule as a form: what was typed, what it means, and what is wrong with it, control by control.

A control is named as its errors are found: "name", "when", "field-0", "value-0". Nothing that was
typed is lost, whatever it is: the form is shown again from what came.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from server.core.settings_model import Condition, Rule
from server.core.vendor_lists import Lists
from server.web.languages import spoken
from server.web.mapping_labels import Labels
from server.web.rule_editors import TESTS, Editor, editor_for, wrong_value

LONGEST_NAME = 100
ACTIONS = ("draft", "mark_sent", "email")
MATCHES = ("all", "any")
_CONTROLS = ("name", "when", "match", "action", "series", "again")
_ROW = re.compile(r"field-([0-9]{1,4})")
_PLACE = re.compile(r"([1-9][0-9]{0,17}):([1-9][0-9]{0,17})")

_SERIES = re.compile(r"[a-z0-9-]{0,60}")

Errors = dict[str, str]


@dataclass(frozen=True)
class Row:
    """One condition. ``field`` is a label or a key as it was typed; ``values`` as they came, and
    ``of`` the key of the field for which they were entered, "" before there is any."""

    number: int
    field: str = ""
    test: str = "equals"
    values: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True)
class Typed:
    """``places`` are "pipeline:stage"; ``version`` the settings' that this was made from."""

    version: int
    name: str = ""
    places: tuple[str, ...] = ()
    match: str = "all"
    rows: tuple[Row, ...] = ()
    still: bool = False
    action: str = "draft"
    series: str = ""
    again: bool = False

    def with_row(self) -> "Typed":
        number = max((row.number for row in self.rows), default=-1) + 1
        return replace(self, rows=(*self.rows, Row(number)))

    def without_row(self, number: str) -> "Typed":
        return replace(self, rows=tuple(row for row in self.rows if str(row.number) != number))

    def row(self, number: str) -> Row | None:
        return next((row for row in self.rows if str(row.number) == number), None)


def typed(form: MultiDict[str, str]) -> Typed:
    found = (_ROW.fullmatch(name) for name in form)
    numbers = sorted({int(match[1]) for match in found if match})
    return Typed(
        version=version_in(form),
        name=form.get("name", ""),
        places=tuple(dict.fromkeys(form.getlist("when"))),
        match=form.get("match", "all"),
        rows=tuple(_row(form, number) for number in numbers),
        still="still" in form,
        action=form.get("action", ""),
        series=form.get("series", ""),
        again=form.get("again") == "yes",
    )


def version_in(form: MultiDict[str, str]) -> int:
    """What the form was made from; -1, which never was one, where it does not say."""
    number = form.get("version", "")
    return int(number) if re.fullmatch(r"[0-9]{1,9}", number, re.ASCII) else -1


def _row(form: MultiDict[str, str], number: int) -> Row:
    return Row(
        number,
        field=form.get(f"field-{number}", ""),
        test=form.get(f"is-{number}", "equals"),
        values=tuple(form.getlist(f"value-{number}")),
        of=form.get(f"of-{number}", ""),
    )


def from_rule(rule: Rule, version: int, labels: Labels) -> Typed:
    rows = (
        Row(number, labels.label(one.field), one.test, _values(one), one.field)
        for number, one in enumerate(rule.conditions)
    )
    return Typed(
        version=version,
        name=rule.name,
        places=tuple(f"{place.pipeline_id}:{place.stage_id}" for place in rule.when),
        match=rule.match,
        rows=tuple(rows),
        still=rule.still_in_stage,
        action=rule.action,
        series=rule.series or "",
        again=rule.again,
    )


def _values(condition: Condition) -> tuple[str, ...]:
    if condition.value is None or condition.test in ("filled", "empty"):
        return ()
    return condition.value if isinstance(condition.value, tuple) else (condition.value,)


class Reading:
    """What a form means, with the account's lists at hand. ``typed`` is what came, but for values
    that were entered for another field and do not fit the one that is chosen now."""

    def __init__(self, form: Typed, lists: Lists, labels: Labels) -> None:
        self.lists = lists
        self.labels = labels
        self.typed = replace(form, rows=tuple(map(self._fitted, form.rows)))

    def _fitted(self, row: Row) -> Row:
        key, known = self.labels.key(row.field), self.lists.field
        if not key or row.of in ("", key) or (known(key) and known(key) == known(row.of)):
            return replace(row, of=key or row.of)
        now = editor_for(known(key), row.test)
        kept = now.kept(row.values, editor_for(known(row.of), row.test))
        return replace(row, of=key, values=kept, test=now.fitting(row.test))

    def editor(self, row: Row) -> Editor:
        return editor_for(self.lists.field(self.labels.key(row.field)), row.test)

    def rule(self, slug: str) -> dict[str, Any]:
        """As the settings document has it; only what ``errors`` finds nothing wrong with is one."""
        return {
            "slug": slug,
            "name": self.typed.name,
            "when": [_place(place) for place in self.typed.places],
            "match": self.typed.match,
            "conditions": [self._condition(row) for row in self.typed.rows],
            "still_in_stage": self.typed.still,
            "action": self.typed.action,
            "series": self.typed.series.strip() or None,
            "again": self.typed.again,
        }

    def _condition(self, row: Row) -> dict[str, Any]:
        value = self.editor(row).value(row.values)
        return {"field": self.labels.key(row.field), "is": row.test, "value": value}

    def errors(self) -> Errors:
        """By control, in the order in which they stand."""
        found = {"name": self._wrong_name(), "when": self._wrong_places()}
        for row in self.typed.rows:
            found[f"field-{row.number}"] = self._wrong_field(row)
            found[f"is-{row.number}"] = wrong_test(row)
            found[f"value-{row.number}"] = wrong_value(self.editor(row), row.values)
        if self.typed.match not in MATCHES:
            found["match"] = _("Choose one of the two.")
        if self.typed.action not in ACTIONS:
            found["action"] = _("Choose what happens.")
        if not _SERIES.fullmatch(self.typed.series.strip()):
            found["series"] = _("Use small letters a-z, digits and hyphens, at most 60.")
        return {control: sentence for control, sentence in found.items() if sentence}

    def _wrong_name(self) -> str:
        name = self.typed.name.strip()
        if not name:
            return str(_("Give the rule a name."))
        if len(name) > LONGEST_NAME:
            return str(_("Use at most %(most)s characters.", most=LONGEST_NAME))
        return ""

    def _wrong_places(self) -> str:
        if not self.typed.places:
            return str(_("Choose at least one stage."))
        if any(self.is_gone(place) for place in self.typed.places):
            return str(_("A stage does not exist any more in Kommo. Untick it, choose another."))
        return ""

    def is_gone(self, place: str) -> bool:
        """Whether it is no stage that Kommo has told of; one that cannot be one always is."""
        if not _PLACE.fullmatch(place):
            return True
        where = _place(place)
        return self.lists.is_known and self.lists.stage(**where) is None

    def _wrong_field(self, row: Row) -> str:
        if not row.field.strip():
            return str(_("Choose a field, or remove this condition."))
        key = self.labels.key(row.field)
        if key and self.labels.is_gone(key):
            return str(_("This field does not exist any more in Kommo. Choose another."))
        if key.startswith("product."):
            return str(_("Choose a field of the deal, its contact or its company."))
        return "" if key else self._no_such_field(row.field)

    def _no_such_field(self, name: str) -> str:
        near = self.labels.near(name)
        if near:
            return str(_("There is no such field. Did you mean “%(near)s”?", near=near))
        return str(_("There is no such field. Choose one from the list."))

    def from_core(self, wrong: Iterable[tuple[str, str]], place: int) -> Errors:
        """What the settings' own check found beyond that, beside its control; ``place`` is the
        rule's. What belongs to no control is found under ""."""
        return {self._control(path, place): sentence_of(path, words) for path, words in wrong}

    def _control(self, path: str, place: int) -> str:
        inside = path.removeprefix(f"rules.{place}.").split(".")
        if inside[0] == "conditions" and len(inside) > 2:
            row = self.typed.rows[int(inside[1])]
            return f"{inside[2]}-{row.number}"
        return inside[0] if inside[0] in _CONTROLS else ""


def wrong_test(row: Row) -> str:
    return "" if row.test in TESTS else str(_("Choose how to compare."))


def _place(place: str) -> dict[str, int]:
    pipeline, stage = place.split(":")
    return {"pipeline_id": int(pipeline), "stage_id": int(stage)}


def sentence_of(path: str, words: str) -> str:
    """An error of the settings as a sentence of its own."""
    told = spoken(words)
    told = told[:1].upper() + told[1:].rstrip(".") + "."
    if not path.startswith("mapping."):
        return told
    return str(_("The mapping has an error; correct it there first: %(what)s", what=told))
