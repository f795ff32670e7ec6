"""A rule's conditions on a deal's fields, and how they read in words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from server.core.conditions import holds, in_words, is_gone, unmet
from server.core.known_fields import KnownFields
from server.core.sale import FieldValue, Party
from tests.core.sales import rule, sale, value


def condition(test, *operand, field="deal.cf.12"):
    given = {"field": field, "is": test, **({"value": operand[0]} if operand else {})}
    return rule(conditions=[given]).conditions[0]


def deal(*values: FieldValue):
    return replace(sale(), fields={"deal.cf.12": values})


PAID = FieldValue("Paid in full", enum_id=17, enum_code="paid")


@pytest.mark.parametrize(
    ("found", "wanted", "outcome"),
    [
        (value("Gold"), "gold ", True),
        (value("Gold"), "Golden", False),
        (value("5.00"), 5, True),
        (value("5.00"), "5.01", False),
        (FieldValue("five", number=Decimal(5)), "5", True),
        (PAID, "paid in FULL", True),
        (PAID, "paid", True),
        (PAID, 17, True),
        (PAID, 18, False),
        (FieldValue("true"), True, True),
        (FieldValue("soon", day=date(2026, 3, 1)), "2026-03-01", True),
    ],
)
def test_equals_goes_by_text_number_choice_or_day(found, wanted, outcome):
    assert holds(deal(found), condition("equals", wanted)) is outcome


@pytest.mark.parametrize("text", ["true", "false", ""])
@pytest.mark.parametrize(
    "known", [None, KnownFields({"deal.cf.12": "Urgent"}, frozenset({"deal.cf.12"}))]
)
def test_a_box_that_nobody_ever_ticked_is_one_that_is_not_ticked(text, known):
    found = replace(deal(FieldValue(text)) if text else deal(), known=known)
    ticked = text == "true"
    assert holds(found, condition("equals", False)) is not ticked
    assert holds(found, condition("equals", True)) is ticked
    assert holds(found, condition("not", True)) is not ticked
    assert holds(found, condition("not", False)) is ticked


def test_an_empty_field_that_is_no_box_is_not_an_unticked_one():
    found = replace(deal(), known=KnownFields({"deal.cf.12": "Order"}, frozenset()))
    assert not holds(found, condition("equals", "false"))
    assert holds(found, condition("not", "false"))


ANYTHING = [
    condition("equals", False), condition("not", "x"), condition("empty"), condition("filled"),
    condition("less", 5), condition("greater", 5), condition("in", ["x"]),
]  # fmt: skip


@pytest.mark.parametrize("asked", ANYTHING, ids=lambda asked: asked.test)
def test_no_condition_on_a_field_that_is_gone_holds(asked):
    gone = replace(sale(), sparse=True, known=KnownFields({}, frozenset()))
    assert not holds(gone, asked)
    assert not holds(replace(sale(), fields={}), asked)
    assert is_gone(gone, "deal.cf.12")
    there = replace(gone, known=KnownFields({"deal.cf.12": "Order"}, frozenset()))
    assert not is_gone(there, "deal.cf.12")
    assert not is_gone(gone, "contact.code.EMAIL")  # every account has it


def test_not_wants_none_of_the_values_and_an_empty_field_will_do():
    assert holds(deal(value("a"), value("b")), condition("not", "c"))
    assert not holds(deal(value("a"), value("b")), condition("not", "B "))
    assert not holds(deal(PAID), condition("not", 17))
    assert holds(deal(), condition("not", "c"))


def test_empty_wants_no_value():
    assert holds(deal(), condition("empty"))
    assert holds(deal(value(" ")), condition("empty"))
    assert not holds(deal(value("0")), condition("empty"))
    assert holds(replace(sale(), party=Party()), condition("empty", field="contact.cf.1"))


def test_in_wants_one_of_several():
    assert holds(deal(PAID), condition("in", ["open", "PAID"]))
    assert not holds(deal(PAID), condition("in", ["open", "part"]))


@pytest.mark.parametrize(
    ("found", "limit", "outcome"),
    [
        (value("10.5"), "10", True),
        (value("10"), 10, False),
        (value("many"), 10, False),
        (FieldValue("x", day=date(2026, 3, 2)), "2026-03-01", True),
        (FieldValue("x", day=date(2026, 3, 1)), "2026-03-01", False),
        (FieldValue("x", day=date(2026, 3, 2)), "10", False),
        (value("99"), "2026-03-01", False),
    ],
)
def test_greater_compares_numbers_or_days(found, limit, outcome):
    assert holds(deal(found), condition("greater", limit)) is outcome


@pytest.mark.parametrize(
    ("found", "limit", "outcome"),
    [
        (value("9.99"), "10", True),
        (value("10"), 10, False),
        (value("few"), 10, False),
        (FieldValue("x", day=date(2026, 2, 28)), "2026-03-01", True),
        (FieldValue("x", day=date(2026, 3, 1)), "2026-03-01", False),
        (value("9"), "2026-03-01", False),
    ],
)
def test_less_compares_numbers_or_days(found, limit, outcome):
    assert holds(deal(found), condition("less", limit)) is outcome
    assert not holds(deal(), condition("less", limit))


def test_filled_wants_a_value():
    assert holds(deal(value("x")), condition("filled"))
    assert not holds(deal(value(" ")), condition("filled"))
    assert not holds(deal(), condition("filled"))


def test_any_of_a_fields_values_will_do():
    assert holds(deal(value("a"), value("b")), condition("equals", "b"))


def test_the_deals_amount_can_be_asked_for():
    assert holds(sale(amount="100.01"), condition("greater", "100", field="deal.price"))


def test_the_companys_and_the_contacts_fields_can_be_asked_for():
    known = sale(fields={"company.name": "Acme"})
    assert holds(known, condition("equals", "ACME", field="company.name"))
    assert not holds(replace(sale(), party=Party()), condition("filled", field="contact.cf.1"))


def test_all_and_any_and_none():
    met, failed = condition("filled"), condition("equals", "other")
    found = deal(value("x"))
    assert unmet(found, [met, failed], "all") == [failed]
    assert unmet(found, [met, failed], "any") == []
    assert unmet(found, [failed, failed], "any") == [failed, failed]
    assert unmet(found, [], "all") == unmet(found, [], "any") == []


def test_a_condition_can_be_said():
    assert in_words(condition("equals", "x")) == "deal.cf.12 is “x”"
    assert in_words(condition("in", ["x", 3])) == "deal.cf.12 is one of “x”, “3”"
    assert in_words(condition("greater", 100)) == "deal.cf.12 is more than 100"
    assert in_words(condition("filled")) == "deal.cf.12 is filled"
    assert in_words(condition("empty")) == "deal.cf.12 is empty"
    assert in_words(condition("less", 100)) == "deal.cf.12 is less than 100"
    assert in_words(condition("less", "2026-03-01")) == "deal.cf.12 is before 2026-03-01"
    assert in_words(condition("greater", "2026-03-01")) == "deal.cf.12 is after 2026-03-01"
    assert in_words(condition("not", "x")) == "deal.cf.12 is empty or has no value “x”"


def test_a_condition_names_its_field_as_the_source_does():
    known = KnownFields({"deal.cf.12": "Urgent", "deal.cf.9": "Road"}, frozenset({"deal.cf.12"}))
    assert in_words(condition("equals", True), known) == "Deal: Urgent is “Yes”"
    assert in_words(condition("not", True), known) == "Deal: Urgent is empty or has no value “Yes”"
    part = condition("filled", field="deal.cf.9.city")
    assert in_words(part, known) == "Deal: Road is filled"
    amount = condition("greater", 5, field="deal.price")
    assert in_words(amount) == "Deal: Amount is more than 5"
    assert in_words(amount).facts["field"].template == "%(whose)s: %(name)s"
