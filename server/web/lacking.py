"""What settings name and this Kommo account does not have: told before a file or an older version
is taken over, with the rule or the part of the mapping that names it."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from server.core.settings import Condition, Rule, SettingsDocument, Trigger
from server.core.settings_checks import fields_of
from server.core.vendor_lists import Lists
from server.web.difference_labels import of_mapping
from server.web.mapping_labels import Labels
from server.web.rule_words import missing_choices


@dataclass(frozen=True)
class Lack:
    """``where`` it is named, and a sentence on what is not there."""

    where: str
    what: str


def lacking(document: SettingsDocument, lists: Lists) -> list[Lack]:
    """Each once, rules first. Where Kommo never told what it has, nothing is said to be missing."""
    if not lists.is_known:
        return []
    labels = Labels(lists)
    of_rules = (one for rule in document.rules for one in _of_rule(rule, lists, labels))
    return list(dict.fromkeys([*of_rules, *_of_mapping(document, lists, labels)]))


def _of_rule(rule: Rule, lists: Lists, labels: Labels) -> Iterator[Lack]:
    where = _("Rule “%(name)s”", name=rule.name)
    for place in rule.when:
        if what := _of_place(place, lists):
            yield Lack(where, what)
    for condition in rule.conditions:
        if what := _of_condition(condition, lists, labels):
            yield Lack(where, what)


def _of_place(place: Trigger, lists: Lists) -> str:
    pipeline = lists.pipeline(place.pipeline_id)
    if pipeline is None:
        return str(_("There is no pipeline %(id)s.", id=place.pipeline_id))
    if lists.stage(place.pipeline_id, place.stage_id) is None:
        name, stage = pipeline.name, place.stage_id
        return str(_("The pipeline “%(pipeline)s” has no stage %(id)s.", pipeline=name, id=stage))
    return ""


def _of_condition(condition: Condition, lists: Lists, labels: Labels) -> str:
    if labels.is_gone(condition.field):
        return _no_field(condition.field)
    gone = missing_choices(condition, lists)
    if not gone:
        return ""
    field = labels.label(condition.field)
    return str(_("%(field)s has no choice “%(value)s”.", field=field, value=gone[0]))


def _of_mapping(document: SettingsDocument, lists: Lists, labels: Labels) -> Iterator[Lack]:
    called = of_mapping()
    for catalog_id in document.mapping.lines.catalogs:
        if all(one.id != catalog_id for one in lists.catalogs):
            what = str(_("There is no list %(id)s.", id=catalog_id))
            yield Lack(_mapping(called["lines.catalogs"]), what)
    for path, key in fields_of(document.mapping, "mapping"):
        if labels.is_gone(key):
            part = path.removeprefix("mapping.")
            yield Lack(_mapping(called.get(part, part)), _no_field(key))


def _mapping(part: str) -> str:
    return str(_("Mapping, %(part)s", part=part))


def _no_field(key: str) -> str:
    return str(_("There is no field %(key)s.", key=key))
