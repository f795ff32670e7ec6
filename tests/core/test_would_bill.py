"""What somebody who tries a rule is told: it bills, it would, or why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from server.core.rules import Entry, StageOrder
from server.core.sale import Place
from server.core.settings import Rule
from server.core.would_bill import Circumstances, verdict
from tests.core.sales import sale

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
OFFER, ISSUE = Place(1, 10), Place(1, 20)
STAGES = StageOrder({1: [10, 20, 142, 143]}, won=frozenset({142}), lost=frozenset({143}))


def rule(slug: str = "issue", stage: int = 20, **parts: Any) -> Rule:
    place = {"pipeline_id": 1, "stage_id": stage}
    return Rule.model_validate({"slug": slug, "name": slug.title(), "when": [place], **parts})


def known(*entries: Entry, on: dict[str, datetime] | None = None) -> Circumstances:
    return Circumstances(entries, {"issue": NOW} if on is None else on, STAGES, NOW, {})


def entry(place: Place, at: datetime = NOW) -> Entry:
    return Entry(place.pipeline_id, place.stage_id, at, 1)


def test_a_rule_that_is_on_bills_what_entered() -> None:
    found = verdict(replace(sale(), place=ISSUE), [rule()], known(entry(ISSUE)))
    assert (found.bills, found.is_on, found.assumed) == (True, True, "")
    assert (
        found.sentence == "The rule “Issue” bills this deal: an invoice is made and stays a draft."
    )


def test_a_rule_that_is_off_would_bill() -> None:
    found = verdict(replace(sale(), place=ISSUE), [rule()], known(entry(ISSUE), on={}))
    assert (found.bills, found.is_on) == (False, False)
    assert found.rule is not None
    assert "would be billed by the rule “Issue”" in found.sentence
    assert found.sentence.endswith("it is off.")


def test_an_entry_from_before_the_rule_was_on_is_told() -> None:
    early = entry(ISSUE, NOW - timedelta(days=1))
    found = verdict(replace(sale(), place=ISSUE), [rule()], known(early))
    assert not found.bills
    assert "before the rule “Issue” was switched on" in found.sentence


def test_a_deal_that_nobody_saw_entering_is_judged_as_if_it_entered_now() -> None:
    ahead = {"issue": NOW + timedelta(seconds=30)}  # Kommo's clock
    found = verdict(replace(sale(), place=ISSUE), [rule()], known(on=ahead))
    assert found.bills
    assert "as if it entered now" in found.assumed


def test_a_deal_in_another_stage_is_told_what_moving_it_would_do() -> None:
    found = verdict(replace(sale(), place=OFFER), [rule(action="email")], known(entry(OFFER)))
    assert (found.bills, found.moves, found.is_on) == (False, True, True)
    assert "Once it does, the rule bills it: an invoice is made and e-mailed." in found.sentence
    off = verdict(replace(sale(), place=OFFER), [rule()], known(entry(OFFER), on={}))
    assert "bills it, if it were on" in off.sentence


def test_conditions_that_fail_are_named_whether_the_rule_is_on_or_off() -> None:
    picky = rule(conditions=[{"field": "deal.price", "is": "greater", "value": "999999"}])
    for on in ({"issue": NOW}, {}):
        found = verdict(replace(sale(), place=ISSUE), [picky], known(entry(ISSUE), on=on))
        assert found.rule is None
        assert "bills only if Deal: Amount is more than 999999" in found.sentence


def test_what_would_keep_it_from_being_billed_there_is_told_before_it_moves() -> None:
    picky = rule(conditions=[{"field": "deal.price", "is": "filled"}])
    found = verdict(replace(sale(), place=OFFER), [picky], known(entry(OFFER)))
    assert found.sentence == (
        "The deal has not entered a stage of the rule “Issue”. "
        "The rule “Issue” bills only if Deal: Amount is filled."
    )


def test_the_first_rule_that_bills_counts_before_one_that_is_off() -> None:
    rules = [rule("sleeping"), rule("issue")]
    found = verdict(replace(sale(), place=ISSUE), rules, known(entry(ISSUE)))
    assert found.rule is not None
    assert found.rule.slug == "issue"


def test_each_rule_says_what_it_would_do_the_deciding_one_first() -> None:
    picky = {"conditions": [{"field": "deal.price", "is": "filled"}]}
    rules = [
        rule("picky", **picky), rule("sleeping"), rule("issue"), rule("late"),
        rule("deposit", series="deposit"), rule("offer", stage=10),
    ]  # fmt: skip
    on = dict.fromkeys(["picky", "issue", "late", "deposit"], NOW)
    found = verdict(replace(sale(), place=ISSUE), rules, known(entry(ISSUE), on=on))
    assert found.rule is rules[2]
    assert found.others == (
        "The rule “Picky” bills only if Deal: Amount is filled.",
        "It would be billed by the rule “Sleeping” (an invoice is made and stays a draft); "
        "it is off.",
        "The rule “Late” would bill it too; “Issue” stands above it and bills it first.",
        "The rule “Deposit” bills this deal: an invoice is made and stays a draft.",
        "The deal has not entered a stage of the rule “Offer”. Once it does, the rule bills it, if "
        "it were on: an invoice is made and stays a draft.",
    )
    alone = [rule("picky", **picky), rule("off", **picky)]
    none = verdict(replace(sale(), place=ISSUE), alone, known(entry(ISSUE), on={"picky": NOW}))
    assert none.sentence == "No rule bills this deal."
    assert none.others == (
        "The rule “Picky” bills only if Deal: Amount is filled.",
        "The rule “Off” is off. The rule “Off” bills only if Deal: Amount is filled.",
    )


def test_without_a_rule_one_is_asked_for() -> None:
    assert "There is no rule yet" in verdict(sale(), [], known()).sentence
