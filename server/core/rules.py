"""Whether a deal is billed, and if not, why not, in words.

Only proven entries count. Once a deal has entered a rule's stage it is billed, even if it moved on
in the same pipeline or was won before we came; not if it was moved back, away or lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from server.core.conditions import in_words, is_gone, unmet
from server.core.errors import Problem
from server.core.known_fields import called
from server.core.messages import N_
from server.core.said import joined, say
from server.core.sale import Place, Sale
from server.core.settings_model import Condition, Rule


@dataclass(frozen=True)
class Entry:
    """One proven entering of a stage; ``at`` by the vendor's clock, ``id`` is our row's,
    ``event`` the vendor's id of it, "" while only a hook told of it."""

    pipeline_id: int
    stage_id: int
    at: datetime
    id: int
    event: str = ""


@dataclass(frozen=True)
class StageOrder:
    """Each pipeline's stages in their order, and which mean won and lost; vendors build it."""

    pipelines: Mapping[int, Sequence[int]]
    won: frozenset[int] = frozenset()
    lost: frozenset[int] = frozenset()

    def lists(self, place: Place) -> bool:
        """False: the stage is newer than this order, which should be read again."""
        ends = self.won | self.lost
        stages = self.pipelines.get(place.pipeline_id, ())
        return place.stage_id in stages or place.stage_id in ends

    def follows(self, stage_id: int, entered: Place) -> bool:
        """Whether the stage stands at or behind the entered one in the same pipeline."""
        stages = list(self.pipelines.get(entered.pipeline_id, ()))
        if stage_id == entered.stage_id or stage_id in self.won:
            return True
        if stage_id not in stages or entered.stage_id not in stages:
            return False
        return stages.index(stage_id) > stages.index(entered.stage_id)


@dataclass(frozen=True)
class Bill:
    """Bill the deal by this rule; ``entry`` is the latest that it answers."""

    rule: Rule
    entry: Entry


@dataclass(frozen=True)
class LeftOut:
    """Nothing is billed, for this reason; the event is kept and can be replayed. ``problems``: what
    a person must mend first, for whether it is billed cannot be told."""

    reason: str
    problems: tuple[Problem, ...] = ()


Decision = Bill | LeftOut

NamedSince = Mapping[tuple[str, int, int], datetime]
"""(slug, pipeline, stage) to a time; what is not in it counts since the rule is on."""

_ALWAYS: NamedSince = {}
_GONE = N_(
    "The rule “%(rule)s” asks for the field %(field)s, which does not exist any more in %(where)s."
)


def decide(
    sale: Sale,
    rules: Sequence[Rule],
    entries: Sequence[Entry],
    switched_on: Mapping[str, datetime],
    *,
    stages: StageOrder,
    named_since: NamedSince = _ALWAYS,
    replay: bool = False,
) -> Decision:
    """The first rule, in their order, that bills this deal; else every rule's reason.

    ``switched_on`` has the slug of each rule that is on now, and since when (the vendor's time);
    ``named_since`` the time from which a rule's naming of a stage counts, where it is later.
    ``replay``: a person asked for it, so entries from before that time count too.
    """
    left: list[LeftOut] = []
    for rule in rules:
        entry = _latest(rule, entries)
        if entry is None:
            continue
        early = _too_early(rule, entry, switched_on, named_since, replay=replay)
        why_not = LeftOut(early) if early else _why_not(sale, rule, entry, stages)
        if why_not is None:
            return Bill(rule, entry)
        left.append(why_not)
    reasons = dict.fromkeys(one.reason for one in left)
    return LeftOut(
        joined(reasons or [say("No rule names a stage that the deal entered.")]),
        tuple(problem for one in left for problem in one.problems),
    )


def _latest(rule: Rule, entries: Sequence[Entry]) -> Entry | None:
    named = {(trigger.pipeline_id, trigger.stage_id) for trigger in rule.when}
    matching = [entry for entry in entries if (entry.pipeline_id, entry.stage_id) in named]
    return max(matching, key=lambda entry: (entry.at, entry.id), default=None)


def _too_early(
    rule: Rule,
    entry: Entry,
    switched_on: Mapping[str, datetime],
    named_since: NamedSince,
    *,
    replay: bool,
) -> str:
    """Why this entry is from before the rule's time, in a sentence; "" when it is not."""
    since = switched_on.get(rule.slug)
    if since is None:
        return say("The rule “%(rule)s” is off.", rule=rule.name)
    if entry.at < since and not replay:
        return say(
            "The deal entered the stage before the rule “%(rule)s” was switched on.",
            rule=rule.name,
        )
    named = named_since.get((rule.slug, entry.pipeline_id, entry.stage_id), since)
    if entry.at < named and not replay:
        return say(
            "The deal entered the stage before the rule “%(rule)s” named it.", rule=rule.name
        )
    return ""


def _why_not(sale: Sale, rule: Rule, entry: Entry, stages: StageOrder) -> LeftOut | None:
    """Why this rule does not bill this entry; None when it does."""
    entered = Place(entry.pipeline_id, entry.stage_id)
    if why_not := _gone(sale.place, entered, stages):
        return LeftOut(why_not)
    if rule.still_in_stage and sale.place != entered:
        return LeftOut(
            say(
                "The deal left the stage, and the rule “%(rule)s” wants it still there.",
                rule=rule.name,
            )
        )
    failed = unmet(sale, rule.conditions, rule.match)
    return _of_conditions(sale, rule, failed) if failed else None


def _of_conditions(sale: Sale, rule: Rule, failed: Sequence[Condition]) -> LeftOut:
    """A field that is gone is a problem only where the rule might hold without it."""
    gone = [condition for condition in failed if is_gone(sale, condition.field)]
    problems = [_no_field(sale, rule, key) for key in dict.fromkeys(one.field for one in gone)]
    reasons = [problem.sentence for problem in problems]
    there = [in_words(condition, sale.known) for condition in failed if condition not in gone]
    if there:
        both = N_("%(first)s or %(second)s"), N_("%(first)s and %(second)s")
        wanted = reduce(
            lambda first, one: say(both[rule.match == "all"], first=first, second=one), there
        )
        only = say("The rule “%(rule)s” bills only if %(wanted)s.", rule=rule.name, wanted=wanted)
        reasons.append(only)
    hangs_on_them = rule.match == "any" or not there
    return LeftOut(joined(reasons), tuple(problems) if hangs_on_them else ())


def _no_field(sale: Sale, rule: Rule, key: str) -> Problem:
    name = called(key, sale.known)
    reason = say(_GONE, rule=rule.name, field=name, where=sale.source_name)
    return Problem(f"rules.{rule.slug}", reason, say("Choose another field in the rule."))


def _gone(now: Place, entered: Place, stages: StageOrder) -> str:
    """Where the deal went, if that undoes its entry."""
    if now == entered:
        return ""
    if now.stage_id in stages.lost:
        return say("The deal was lost.")
    if now.pipeline_id != entered.pipeline_id:
        return say("The deal was moved to another pipeline.")
    if not stages.lists(now):
        return say("The deal stands in a stage that its pipeline does not list.")
    if not stages.follows(now.stage_id, entered):
        return say("The deal was moved back.")
    return ""
