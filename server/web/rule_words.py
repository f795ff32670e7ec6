"""A rule as a person reads it: its stages by name and colour, its conditions and deed in words."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from server.core.settings_model import Condition, Rule, Trigger
from server.core.vendor_lists import Lists, Pipeline, Stage
from server.web.languages import day
from server.web.mapping_labels import Labels
from server.web.rule_editors import Editor, editor_for, lines_of

_COLOR = re.compile(r"#[0-9A-Fa-f]{3,8}")


@dataclass(frozen=True)
class StageTold:
    """``value`` is what its box sends; ``color`` "" where Kommo tells none; ``gone``: deleted."""

    value: str
    pipeline: str
    name: str
    color: str = ""
    gone: bool = False


@dataclass(frozen=True)
class StageGroup:
    """A pipeline's stages; ``lost``: what is chosen, and is in no pipeline that Kommo told of."""

    name: str
    stages: tuple[tuple[StageTold, bool], ...]
    lost: bool = False


@dataclass(frozen=True)
class ConditionTold:
    words: str
    wrong: str = ""


@dataclass(frozen=True)
class RuleTold:
    slug: str
    name: str
    stages: tuple[StageTold, ...]
    joined: str
    conditions: tuple[ConditionTold, ...]
    deed: str
    notes: tuple[str, ...]  # what else is special about it, each after the deed

    @property
    def is_broken(self) -> bool:
        """It names what Kommo does not have any more."""
        return any(one.gone for one in self.stages) or any(one.wrong for one in self.conditions)


def told(rule: Rule, lists: Lists, labels: Labels) -> RuleTold:
    return RuleTold(
        slug=rule.slug,
        name=rule.name,
        stages=tuple(stage_told(place, lists) for place in rule.when),
        joined=_("and") if rule.match == "all" else _("or"),
        conditions=tuple(_condition(one, lists, labels) for one in rule.conditions),
        deed=deeds()[rule.action][0],
        notes=tuple(_notes(rule)),
    )


def _notes(rule: Rule) -> Iterator[str]:
    if rule.still_in_stage:
        yield _("only while the deal is still in the stage")
    if rule.again:
        yield _("again each time that the deal enters the stage")
    if rule.series:
        yield _("in a series of its own, “%(series)s”", series=rule.series)


def stage_told(place: Trigger, lists: Lists) -> StageTold:
    value = f"{place.pipeline_id}:{place.stage_id}"
    pipeline = lists.pipeline(place.pipeline_id)
    stage = lists.stage(place.pipeline_id, place.stage_id)
    within = pipeline.name if pipeline else _("Pipeline %(id)s", id=place.pipeline_id)
    if stage is None:
        name = _("Stage %(id)s", id=place.stage_id)
        return StageTold(value, within, name, gone=lists.is_known)
    return StageTold(value, within, stage.name, shown_color(stage))


def stage_groups(lists: Lists, chosen: Sequence[str]) -> list[StageGroup]:
    """Every stage that a deal can enter, and whether it is chosen ("pipeline:stage")."""
    groups = [
        StageGroup(
            pipeline.name,
            tuple(
                (box, box.value in chosen)
                for box, stage in _boxes(pipeline)
                if stage.kind != "unsorted" or box.value in chosen
            ),
        )
        for pipeline in lists.pipelines
    ]
    seen = {box.value for group in groups for box, _chosen in group.stages}
    lost = tuple((_lost(value, lists), True) for value in chosen if value not in seen)
    if lost:
        name = _("Not in Kommo any more") if lists.is_known else _("Chosen before")
        groups.append(StageGroup(name, lost, lost=lists.is_known))
    return groups


def _boxes(pipeline: Pipeline) -> list[tuple[StageTold, Stage]]:
    return [
        (
            StageTold(
                f"{pipeline.pipeline_id}:{stage.stage_id}",
                pipeline.name,
                stage.name,
                shown_color(stage),
            ),
            stage,
        )
        for stage in pipeline.stages
    ]


def _lost(value: str, lists: Lists) -> StageTold:
    pipeline, _colon, stage = value.partition(":")
    name = _("Stage %(stage)s of pipeline %(pipeline)s", stage=stage[:20], pipeline=pipeline[:20])
    return StageTold(value, "", name, gone=lists.is_known)


def shown_color(stage: Stage) -> str:
    """Only what is a colour; it goes into an attribute of the picture beside the name."""
    return stage.color if _COLOR.fullmatch(stage.color) else ""


def deeds() -> dict[str, tuple[str, str]]:
    """Action to (in short, what that means)."""
    return {
        "draft": (
            _("Make a draft"),
            _("The invoice stands in FreshBooks as a draft; somebody looks at it and sends it."),
        ),
        "mark_sent": (
            _("Make the invoice and mark it as sent"),
            _("The invoice counts at once; FreshBooks mails nothing. You hand over its link."),
        ),
        "email": (
            _("Make the invoice and e-mail it"),
            _("FreshBooks mails it to the client's address at once."),
        ),
    }


def _condition(one: Condition, lists: Lists, labels: Labels) -> ConditionTold:
    label, words = labels.label(one.field), condition_words(one, lists, labels)
    if labels.is_gone(one.field):
        return ConditionTold(words, _("%(field)s does not exist any more in Kommo.", field=label))
    if gone := missing_choices(one, lists):
        return ConditionTold(
            words, _("%(field)s has no choice “%(value)s” any more.", field=label, value=gone[0])
        )
    return ConditionTold(words)


def missing_choices(one: Condition, lists: Lists) -> list[str]:
    """What it compares a select with and is no choice of it."""
    editor = editor_for(lists.field(one.field), one.test)
    if editor.kind != "options":
        return []
    return [choice.text for choice in editor.choices(_values(one)) if choice.gone]


def condition_words(one: Condition, lists: Lists, labels: Labels) -> str:
    editor = editor_for(lists.field(one.field), one.test)
    shown = [_shown(value, editor) for value in _values(one)]
    return f"{labels.label(one.field)} {_words(one.test, editor.kind, shown)}"


def _values(one: Condition) -> list[str]:
    return lines_of(one.value if isinstance(one.value, tuple) else [one.value or ""])


def _words(test: str, kind: str, shown: Sequence[str]) -> str:
    quoted, plain = ", ".join(f"“{value}”" for value in shown), ", ".join(shown)
    of_days = {
        "greater": _("is after %(day)s", day=plain),
        "less": _("is before %(day)s", day=plain),
    }
    words = {
        "equals": _("is %(value)s", value=quoted),
        "not": _("is not %(value)s", value=quoted),
        "in": _("is one of %(values)s", values=quoted),
        "greater": _("is more than %(number)s", number=plain),
        "less": _("is less than %(number)s", number=plain),
        "filled": _("is filled"),
        "empty": _("is empty"),
    } | (of_days if kind == "date" else {})
    return str(words[test])


def _shown(value: str, editor: Editor) -> str:
    if editor.kind == "yes_no":
        return str(_("Yes") if value == "true" else _("No"))
    if editor.kind == "date":
        return _day(value)
    if editor.kind == "options":
        return next((one.text for one in editor.choices([value]) if one.chosen), value)
    return value


def _day(value: str) -> str:
    try:
        return day(date.fromisoformat(value))
    except ValueError:
        return value
