"""A difference between two settings documents as a person reads it: “Notes: – → “Order {Deal:
Name}””. Stages and fields are called by their names in Kommo, as it told them last."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from server.core import template
from server.core.settings import Condition, Discount, Rule, Source, TaxRate, Trigger
from server.core.settings_diff import Difference
from server.core.vendor_lists import Lists
from server.web import difference_labels
from server.web.mapping_labels import Labels
from server.web.rule_words import condition_words

IN_SHORT, LONGEST = 120, 2000  # characters of a value; the file has it whole
NOTHING = "–"


def _(text: str, **values: Any) -> str:
    return str(gettext(text, **values))


@dataclass(frozen=True)
class Line:
    """``where`` says which value; ``before`` and ``after`` what it is. Of a whole rule, ``after``
    says what became of it, and ``before`` is ""."""

    where: str
    before: str
    after: str


class Words:
    """For one page: the names are looked up once. ``longest``: characters of a value."""

    def __init__(self, lists: Lists, longest: int = LONGEST) -> None:
        self._longest = longest
        self._lists = lists
        self._labels = Labels(lists)
        self._of_rules = difference_labels.of_rules()
        self._of_mapping = difference_labels.of_mapping()
        self._choices = difference_labels.choices()

    def lines(self, found: Iterable[Difference]) -> list[Line]:
        return [self._line(one) for one in found if not self._is_respelled(one)]

    def _is_respelled(self, one: Difference) -> bool:
        """The same field by another of its keys: by its code in a file, by its id from the page."""
        both = one.before, one.after
        sources = [value for value in both if isinstance(value, Source)]
        return len(sources) == len(both) and len({self._source(value) for value in sources}) == 1

    def _line(self, one: Difference) -> Line:
        if one.path[0] == "mapping":
            return self._of_value(self._mapped(one.path[1:]), ".".join(one.path[1:]), one)
        rule = _("Rule “%(name)s”", name=self._short(one.rule))
        if len(one.path) > 2:
            key = one.path[2]
            where = _("%(rule)s, %(what)s", rule=rule, what=self._of_rules.get(key, key))
            return self._of_value(where, key, one)
        return Line(rule, "", self._of_rule(one))

    def _mapped(self, path: tuple[str, ...]) -> str:
        if path[:2] == ("taxes", "table"):
            return f"{self._of_mapping['taxes.table']} “{self._short(path[2])}”"
        return self._of_mapping.get(".".join(path), ".".join(path))

    def _of_value(self, where: str, path: str, one: Difference) -> Line:
        before, after = (self._short(self._said(path, value)) for value in (one.before, one.after))
        return Line(where, before, after)

    def _of_rule(self, one: Difference) -> str:
        if one.kind == "moved":
            return _("moved from place %(before)s to %(after)s", before=one.before, after=one.after)
        if one.kind == "removed":
            return _("removed")
        return _("added: %(what)s", what=self._short(self._rule(one.after)))

    def _rule(self, rule: Rule) -> str:
        told = [self._said("when", rule.when), self._said("conditions", rule.conditions)]
        told.append(self._choices["action"][rule.action])
        return "; ".join(part for part in told if part != NOTHING)

    def _said(self, path: str, value: Any) -> str:
        if path == "lines.catalogs":
            return ", ".join(self._catalog(one) for one in value) or NOTHING
        if isinstance(value, str) and value in self._choices.get(path, {}):
            return self._choices[path][value]
        if path.startswith("taxes.") and value == ():
            return _("no tax")
        if path == "taxes.field" and value:
            return self._labels.label(value)
        return self._plain(value)

    def _plain(self, value: Any) -> str:
        match value:
            case None:
                return NOTHING
            case bool():
                return _("yes") if value else _("no")
            case str():
                return f"“{value}”" if value else NOTHING
            case Source():
                return self._source(value)
            case Discount():
                kind = self._choices["discount.kind"][value.kind]
                return f"{kind}, {self._source(value.value)}"
            case tuple():
                return self._list(value)
            case _:
                return str(value)

    def _list(self, values: tuple[Any, ...]) -> str:
        return "; ".join(self._item(one) for one in values) or NOTHING

    def _item(self, one: Any) -> str:
        match one:
            case Trigger():
                return self._stage(one)
            case Condition():
                return condition_words(one, self._lists, self._labels)
            case TaxRate():
                return f"{one.name} {_number(one.percent)} %"
            case _:
                return str(one)

    def _source(self, source: Source) -> str:
        if source.field is not None:
            said = self._labels.label(source.field)
        else:
            said = f"“{self._template(source.text or '')}”"
        if source.fallback is None:
            return said
        return _("%(first)s, else %(other)s", first=said, other=self._source(source.fallback))

    def _template(self, text: str) -> str:
        return template.labelled(text, self._labels.label)

    def _stage(self, place: Trigger) -> str:
        pipeline = self._lists.pipeline(place.pipeline_id)
        stage = self._lists.stage(place.pipeline_id, place.stage_id)
        first = pipeline.name if pipeline else _("pipeline %(id)s", id=place.pipeline_id)
        then = stage.name if stage else _("stage %(id)s", id=place.stage_id)
        return f"{first} › {then}"

    def _short(self, text: str) -> str:
        return text if len(text) <= self._longest else text[: self._longest - 1] + "…"

    def _catalog(self, catalog_id: int) -> str:
        names = [one.name for one in self._lists.catalogs if one.id == catalog_id]
        return names[0] if names else str(catalog_id)


def _number(percent: Decimal) -> str:
    """Without a percent's idle zeros: 21, 5.5."""
    return f"{percent.normalize():f}"
