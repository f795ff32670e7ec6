"""A rule's conditions on a deal's fields, and how they read in words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from server.core.conditions import holds, in_words, unmet
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
def test_a_box_that_nobody_ever_ticked_is_one_that_is_not_ticked(text):
    found = deal(FieldValue(text)) if text else deal()
    assert holds(found, condition("equals", False)) is (text != "true")
    assert holds(found, condition("equals", True)) is (text == "true")
    gone = replace(found, fields={})
    assert not holds(gone, condition("equals", False))


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


def test_a_field_that_is_gone_meets_nothing():
    for one in (condition("equals", "x"), condition("filled"), condition("greater", 1)):
        assert not holds(sale(), one)


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
