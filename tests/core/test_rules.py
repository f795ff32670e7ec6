"""Whether a deal is billed, by which rule and entry, and why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.core.known_fields import KnownFields
from server.core.rules import Bill, Entry, LeftOut, StageOrder, decide
from server.core.sale import Place
from tests.core.sales import rule, sale

NEW, OFFER, INVOICE, DELIVERY, WON, LOST = 10, 15, 20, 30, 142, 143
SALES, REPAIRS = 3001, 3002
STAGES = StageOrder(
    {SALES: [NEW, OFFER, INVOICE, DELIVERY, WON, LOST], REPAIRS: [50, 60, WON, LOST]},
    won=frozenset({WON}),
    lost=frozenset({LOST}),
)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ENTRY = Entry(SALES, INVOICE, NOON, 1)
BILLING = rule("won")  # wants the stage INVOICE
ON = {"won": NOON - timedelta(hours=1)}


def at(stage, pipeline=SALES, **changes):
    return replace(sale(), place=Place(pipeline, stage), **changes)


def decided(deal, *, rules=(BILLING,), entries=(ENTRY,), on=ON, replay=False):
    return decide(deal, rules, entries, on, stages=STAGES, replay=replay)


def reason(deal, **given):
    decision = decided(deal, **given)
    assert isinstance(decision, LeftOut)
    return decision.reason


def test_a_deal_that_entered_the_stage_is_billed():
    assert decided(at(INVOICE)) == Bill(BILLING, ENTRY)


@pytest.mark.parametrize("stage", [DELIVERY, WON])
def test_a_deal_that_moved_on_or_was_won_is_still_billed(stage):
    assert isinstance(decided(at(stage)), Bill)


@pytest.mark.parametrize(
    ("stage", "pipeline", "words"),
    [
        (OFFER, SALES, "moved back"),
        (LOST, SALES, "lost"),
        (60, REPAIRS, "another pipeline"),
        (WON, REPAIRS, "another pipeline"),
        (LOST, REPAIRS, "lost"),
        (99, SALES, "does not list"),
    ],
)
def test_a_deal_that_went_elsewhere_is_left_out_with_the_reason(stage, pipeline, words):
    assert words in reason(at(stage, pipeline))


def test_a_stage_of_the_same_number_in_another_pipeline_is_another():
    assert "No rule" in reason(at(INVOICE), entries=[Entry(REPAIRS, INVOICE, NOON, 1)])


def test_standing_in_a_stage_proves_no_entry():
    assert "No rule" in reason(at(INVOICE), entries=[])


def test_a_rule_that_is_off_bills_nothing_not_even_on_replay():
    assert reason(at(INVOICE), on={}) == "The rule “Won” is off."
    assert reason(at(INVOICE), on={}, replay=True) == "The rule “Won” is off."


def test_what_entered_before_the_rule_was_switched_on_waits_for_a_replay():
    later = {"won": NOON + timedelta(seconds=1)}
    assert "before the rule “Won” was switched on" in reason(at(INVOICE), on=later)
    assert isinstance(decided(at(INVOICE), on=later, replay=True), Bill)


def test_the_very_moment_of_switching_on_counts():
    assert isinstance(decided(at(INVOICE), on={"won": NOON}), Bill)


def test_of_several_entries_the_latest_is_answered():
    again = Entry(SALES, INVOICE, NOON + timedelta(days=1), 2)
    early = Entry(SALES, INVOICE, NOON - timedelta(days=1), 3)
    decision = decided(at(INVOICE), entries=[again, early, ENTRY])
    assert isinstance(decision, Bill)
    assert decision.entry == again


def test_a_rule_may_want_the_deal_still_there():
    strict = rule("won", still_in_stage=True)
    assert isinstance(decided(at(INVOICE), rules=[strict]), Bill)
    for stage in (DELIVERY, WON):
        assert "still there" in reason(at(stage), rules=[strict])


def test_the_reason_names_the_conditions_that_failed():
    condition = {"field": "deal.cf.12", "is": "equals", "value": "yes"}
    picky = rule("won", conditions=[condition, {"field": "deal.name", "is": "filled"}])
    deal = at(INVOICE, sparse=True)
    assert reason(deal, rules=[picky]) == "The rule “Won” bills only if deal.cf.12 is “yes”."
    known = KnownFields({"deal.cf.12": "Order is ready"}, frozenset({"deal.cf.12"}))
    assert reason(replace(deal, known=known), rules=[picky]) == (
        "The rule “Won” bills only if Deal: Order is ready is “yes”."
    )


@pytest.mark.parametrize("test", ["equals", "not"])
def test_a_field_that_is_gone_is_the_reason_and_a_problem_where_the_rule_hangs_on_it(test):
    condition = {"field": "deal.cf.12", "is": test, "value": "false"}
    other = {"field": "deal.price", "is": "filled"}
    deal = at(INVOICE, sparse=True, known=KnownFields({}, frozenset()))
    gone = (
        "The rule “Won” asks for the field deal.cf.12, which does not exist any more in Kommo. "
        "Choose another field in the rule."
    )
    both = f"{gone} The rule “Won” bills only if Deal: Amount is filled."
    for conditions, match, reason, problems in (
        ([condition], "all", gone, [gone]),
        ([condition, other], "any", both, [gone]),
        ([condition, other], "all", both, []),
    ):
        decision = decided(deal, rules=[rule("won", conditions=conditions, match=match)])
        assert decision.reason == reason
        assert [str(problem) for problem in decision.problems] == problems


def test_the_first_rule_that_holds_wins():
    picky = rule("picky", conditions=[{"field": "deal.cf.12", "is": "filled"}])
    second, third = rule("second"), rule("third")
    on = dict.fromkeys(["picky", "second", "third"], NOON)
    decision = decided(at(INVOICE), rules=[picky, second, third], on=on)
    assert isinstance(decision, Bill)
    assert decision.rule is second


def test_where_several_rules_refuse_every_reason_is_told_once():
    picky = rule("picky", conditions=[{"field": "deal.price", "is": "filled"}])
    text = reason(at(INVOICE), rules=[picky, BILLING], on={"picky": NOON})
    assert text == "The rule “Picky” bills only if Deal: Amount is filled. The rule “Won” is off."
    twice = [rule("a"), rule("b")]
    text = reason(at(LOST), rules=twice, on={"a": NOON, "b": NOON})
    assert text == "The deal was lost."


def test_a_rule_may_bill_lost_deals():
    fee = rule("fee", when=[{"pipeline_id": SALES, "stage_id": LOST}])
    entry = Entry(SALES, LOST, NOON, 4)
    assert decided(at(LOST), rules=[fee], entries=[entry], on={"fee": NOON}) == Bill(fee, entry)


def test_a_deal_that_came_back_from_won_is_left_out():
    won = rule("won", when=[{"pipeline_id": SALES, "stage_id": WON}])
    assert "moved back" in reason(at(DELIVERY), rules=[won], entries=[Entry(SALES, WON, NOON, 5)])


def test_an_order_knows_which_places_it_lists():
    assert STAGES.lists(Place(SALES, INVOICE))
    assert STAGES.lists(Place(SALES, WON))
    assert not STAGES.lists(Place(SALES, 60))
    assert not STAGES.lists(Place(9, INVOICE))
