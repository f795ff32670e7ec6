"""What the rules would decide about a deal, for somebody who tries them: also those that are off,
and those whose stage the deal has not entered yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from server.core.messages import N_
from server.core.rules import Bill, Entry, LeftOut, NamedSince, StageOrder, decide
from server.core.said import joined, say
from server.core.sale import Place, Sale
from server.core.settings_model import Rule

EVER = datetime.min.replace(tzinfo=UTC)

_WORDS = {
    "draft": N_("an invoice is made and stays a draft"),
    "mark_sent": N_("an invoice is made and marked as sent"),
    "email": N_("an invoice is made and e-mailed"),
}
_MOVES = N_(
    "The deal has not entered a stage of the rule “%(rule)s”. Once it does, the rule bills it: "
    "%(what)s."
)
_MOVES_OFF = N_(
    "The deal has not entered a stage of the rule “%(rule)s”. Once it does, the rule bills it, if "
    "it were on: %(what)s."
)
_COMES_FIRST = N_(
    "The rule “%(rule)s” would bill it too; “%(first)s” stands above it and bills it first."
)


@dataclass(frozen=True)
class Circumstances:
    """Beside the deal and the rules: what was seen of it, what is on, how stages follow.

    ``entries`` are the proven ones; ``now`` is when one that is only supposed would happen.
    """

    entries: Sequence[Entry]
    switched_on: Mapping[str, datetime]
    stages: StageOrder
    now: datetime
    named_since: NamedSince


@dataclass(frozen=True)
class Verdict:
    """``bills``: it is billed as things stand. ``rule``: the one that bills it, or would ("is_on"
    False: it is off; ``moves``: once the deal enters its stage); None where none would.

    ``sentence`` says it all, ``others`` of each other rule, in their order, what it would do or why
    not. ``assumed`` names what was supposed, "" where nothing was.
    """

    bills: bool
    sentence: str
    rule: Rule | None = None
    is_on: bool = False
    moves: bool = False
    assumed: str = ""
    others: tuple[str, ...] = ()


def verdict(sale: Sale, rules: Sequence[Rule], known: Circumstances) -> Verdict:
    """The first rule that bills it; else the first that would, and why it does not; else why not.

    A deal that nobody saw entering the stage where it stands is taken to have entered it now.
    """
    if not rules:
        none = say("There is no rule yet. Choose the stage whose deals are billed.")
        return Verdict(False, none)
    named = {key: at for key, at in known.named_since.items() if key[0] in known.switched_on}
    known, assumed = replace(known, named_since=named), ""
    if not any((one.pipeline_id, one.stage_id) == _pair(sale.place) for one in known.entries):
        entry = _supposed(sale.place, known)
        known = replace(known, entries=[*known.entries, entry])
        assumed = say(
            "Billhook has not seen this deal enter the stage where it stands; "
            "it is judged as if it entered now."
        )
    found = _as_it_stands(sale, rules, known) or _if_it_moved(sale, rules, known)
    others = _others(sale, rules, known, found.rule if found else None)
    if found is None and len(rules) == 1:
        return Verdict(False, others[0], assumed=assumed)
    found = found or Verdict(False, say("No rule bills this deal."))
    return replace(found, assumed=assumed, others=others)


def _others(
    sale: Sale, rules: Sequence[Rule], known: Circumstances, told: Rule | None
) -> tuple[str, ...]:
    """Of each rule but ``told``. In each series the first that bills is the one that does."""
    first: dict[str, Rule] = {}
    sentences: dict[str, str] = {}
    for rule in rules:
        alone = _as_it_stands(sale, [rule], known) or _if_it_moved(sale, [rule], known)
        sentences[rule.slug] = alone.sentence if alone else _why_not(sale, rule, known)
        if alone and alone.bills:
            before = first.setdefault(rule.purpose, rule)
            if before is not rule:
                sentences[rule.slug] = say(_COMES_FIRST, rule=rule.name, first=before.name)
    return tuple(text for slug, text in sentences.items() if told is None or slug != told.slug)


def _as_it_stands(sale: Sale, rules: Sequence[Rule], known: Circumstances) -> Verdict | None:
    decision = _decide(sale, rules, known, known.switched_on)
    if isinstance(decision, Bill):
        rule = decision.rule
        sentence = say(
            "The rule “%(rule)s” bills this deal: %(what)s.", rule=rule.name, what=_what(rule)
        )
        return Verdict(True, sentence, rule, is_on=True)
    off = [rule for rule in rules if rule.slug not in known.switched_on]
    decision = _decide(sale, off, known, {rule.slug: EVER for rule in off})
    if isinstance(decision, Bill):
        rule = decision.rule
        sentence = say(
            "It would be billed by the rule “%(rule)s” (%(what)s); it is off.",
            rule=rule.name,
            what=_what(rule),
        )
        return Verdict(False, sentence, rule)
    return None


def _if_it_moved(sale: Sale, rules: Sequence[Rule], known: Circumstances) -> Verdict | None:
    """The first rule that would bill it, came it into a stage of the rule's."""
    for rule in rules:
        if isinstance(_there(sale, rule, known), Bill):
            is_on = rule.slug in known.switched_on
            sentence = say(_MOVES if is_on else _MOVES_OFF, rule=rule.name, what=_what(rule))
            return Verdict(False, sentence, rule, is_on=is_on, moves=True)
    return None


def _what(rule: Rule) -> str:
    return say(_WORDS[rule.action])


def _there(sale: Sale, rule: Rule, known: Circumstances) -> Bill | LeftOut | None:
    """What the rule would decide in its first stage; None: the deal has been in one of them."""
    named = {(trigger.pipeline_id, trigger.stage_id) for trigger in rule.when}
    if named & {(entry.pipeline_id, entry.stage_id) for entry in known.entries}:
        return None
    place = Place(rule.when[0].pipeline_id, rule.when[0].stage_id)
    there = replace(known, entries=[_supposed(place, known)], named_since={})
    return _decide(replace(sale, place=place), [rule], there, {rule.slug: EVER})


def _why_not(sale: Sale, rule: Rule, known: Circumstances) -> str:
    """The reason; of a rule that is off, what keeps it beside that; of one whose stages the deal
    has not been in, what would keep it there."""
    reasons: list[str] = []
    if rule.slug not in known.switched_on:
        reasons.append(say("The rule “%(rule)s” is off.", rule=rule.name))
    decision = _there(sale, rule, known)
    if decision is not None:
        never = say("The deal has not entered a stage of the rule “%(rule)s”.", rule=rule.name)
        reasons.append(never)
    else:
        since = known.switched_on.get(rule.slug, EVER)
        decision = _decide(sale, [rule], known, {rule.slug: since})
    if isinstance(decision, LeftOut):
        reasons.append(decision.reason)
    return joined(reasons)


def _decide(
    sale: Sale, rules: Sequence[Rule], known: Circumstances, on: Mapping[str, datetime]
) -> Bill | LeftOut:
    return decide(
        sale, rules, known.entries, on, stages=known.stages, named_since=known.named_since
    )


def _supposed(place: Place, known: Circumstances) -> Entry:
    """Now, and not before any rule was on or named it: their times are of the vendor's clock."""
    times = [known.now, *known.switched_on.values(), *known.named_since.values()]
    return Entry(place.pipeline_id, place.stage_id, max(times), 0)


def _pair(place: Place) -> tuple[int, int]:
    return place.pipeline_id, place.stage_id
