"""Totals under every rounding that the vendor may use."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.invoice import DraftLine, Tax, Totals
from server.core.money import decimals
from server.core.tax import RoundingRule, places_kept, plausible_rules, total_up, totals
from server.sandbox.freshbooks.arithmetic import TaxedLine
from server.sandbox.freshbooks.arithmetic import totals as vendor_totals
from server.sandbox.freshbooks.switches import FreshbooksSwitches
from tests.core import strategies

VAT = Tax("VAT", Decimal("21"))


def line(price: str, quantity: str = "1", *taxes: Tax) -> DraftLine:
    return DraftLine("Thing", "", Decimal(quantity), Decimal(price), taxes)


def sums(subtotal: str, discount: str, tax: str, total: str) -> Totals:
    return Totals(Decimal(subtotal), Decimal(discount), Decimal(tax), Decimal(total))


def test_a_percent_discount_comes_off_before_the_tax():
    # the order that a recorded invoice shows: 20 at 13 % and 24 untaxed, 10 % off
    lines = [line("20.00", "1", Tax("HST", Decimal(13))), line("24.00")]
    for rule in plausible_rules("USD"):
        assert total_up(lines, Decimal(10), "USD", rule) == sums("44.00", "4.40", "2.34", "41.94")


def test_two_and_a_half_of_480_30_is_1200_75_under_every_rule():
    for rule in plausible_rules("EUR"):
        assert total_up([line("480.30", "2.5")], Decimal(0), "EUR", rule).total == Decimal(
            "1200.75"
        )


def test_scopes_differ_where_each_line_rounds_by_itself():
    lines = [line("0.33", "1", VAT)] * 3  # 0.0693 each, 0.2079 together
    by_scope = {
        scope: total_up(lines, Decimal(0), "EUR", RoundingRule(scope)).tax
        for scope in ("line", "group", "invoice")
    }
    assert by_scope == {
        "line": Decimal("0.21"),
        "group": Decimal("0.21"),
        "invoice": Decimal("0.21"),
    }
    lines = [line("0.50", "1", Tax("VAT", Decimal(5)))] * 3  # 0.025 each
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("line")).tax == Decimal("0.09")
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("line", "even")).tax == Decimal("0.06")
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("group")).tax == Decimal("0.08")


def test_the_invoice_scope_adds_all_taxes_before_it_rounds():
    lines = [line("1.00", "1", Tax("A", Decimal("0.4")), Tax("B", Decimal("0.4")))]
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("group")).tax == Decimal("0.00")
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("invoice")).tax == Decimal("0.01")


def test_one_tax_at_two_rates_makes_two_groups():
    lines = [line("0.10", "1", Tax("VAT", Decimal(4))), line("0.10", "1", Tax("VAT", Decimal(5)))]
    assert total_up(lines, Decimal(0), "EUR", RoundingRule("group")).tax == Decimal("0.01")


def test_a_discount_may_be_rounded_on_each_line():
    lines = [line("1.05"), line("1.05")]
    whole = total_up(lines, Decimal(10), "EUR")
    by_line = total_up(lines, Decimal(10), "EUR", RoundingRule(discount="line"))
    assert (whole.discount, by_line.discount) == (Decimal("0.21"), Decimal("0.22"))


def test_totals_say_when_the_plausible_rules_disagree():
    assert totals([line("100.00", "1", VAT)], Decimal(0), "EUR")[1] is False
    assert totals([line("0.50", "1", Tax("VAT", Decimal(5)))] * 3, Decimal(0), "EUR")[1] is True


def test_yen_are_whole_and_a_tax_on_a_fraction_of_them_is_to_be_confirmed():
    tenth = Tax("Consumption tax", Decimal(10))
    assert totals([line("1200", "1", tenth)], Decimal(0), "JPY") == (
        sums("1200", "0", "120", "1320"),
        False,
    )
    found, differs = totals([line("1205", "1", tenth)], Decimal(0), "JPY")
    assert found.total == Decimal("1326")
    assert differs is True


def test_a_third_decimal_of_dinar_is_to_be_confirmed():
    found, differs = totals([line("1.00", "1", Tax("VAT", Decimal("5.1")))], Decimal(0), "KWD")
    assert found.total == Decimal("1.05")
    assert differs is True


@pytest.mark.parametrize(("code", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 2)])
def test_places_that_are_surely_kept(code, places):
    assert places_kept(code) == places


@given(st.lists(strategies.lines, max_size=6), strategies.percents, strategies.currencies)
def test_a_total_adds_up_under_every_rule(lines, percent, currency):
    for rule in plausible_rules(currency):
        found = total_up(lines, percent, currency, rule)
        assert found.total == found.subtotal - found.discount + found.tax
        assert 0 <= found.discount <= found.subtotal
        assert found.tax >= 0
        assert all(decimals(value) <= rule.places for value in vars(found).values())


@given(st.lists(strategies.lines, min_size=1, max_size=6), strategies.percents)
def test_no_rule_strays_further_than_its_roundings_can(lines, percent):
    exact_tax = sum(
        line.quantity * line.unit_cost * (100 - percent) / 100 * tax.percent / 100
        for line in lines
        for tax in line.taxes
    )
    steps = sum(len(line.taxes) for line in lines) + 1
    for rule in plausible_rules("EUR"):
        found = total_up(lines, percent, "EUR", rule)
        # each line's amount may be off by half a cent (times its tax) before the tax itself rounds
        assert abs(found.tax - exact_tax) <= Decimal("0.01") * steps


@given(st.lists(strategies.lines, min_size=2, max_size=6), strategies.percents)
def test_the_order_of_lines_changes_nothing(lines, percent):
    for rule in plausible_rules("EUR"):
        forwards = total_up(lines, percent, "EUR", rule)
        assert forwards == total_up(list(reversed(lines)), percent, "EUR", rule)


@given(st.lists(strategies.lines, max_size=6), strategies.percents)
def test_all_rules_agree_unless_it_is_to_be_confirmed(lines, percent):
    found, differs = totals(lines, percent, "EUR")
    everywhere = {total_up(lines, percent, "EUR", rule).total for rule in plausible_rules("EUR")}
    assert differs or everywhere == {found.total}


SWITCHES = [
    FreshbooksSwitches(rounding_scope=scope, rounding_half=half, yen=yen, third_decimal=third)
    for scope in ("line", "group", "invoice")
    for half in ("up", "even")
    for yen in ("1200", "1200.00", "hundredths")
    for third in ("kept", "rounded")
]


@given(
    st.lists(strategies.lines, min_size=1, max_size=5),
    strategies.percents,
    strategies.currencies,
    st.sampled_from(SWITCHES),
)
def test_every_rounding_of_the_sandbox_is_among_the_plausible_rules(
    lines, percent, currency, switches
):
    # FreshBooks knows a tax by name and percent: twice the same on one line is one
    lines = [line for line in lines if len(set(line.taxes)) == len(line.taxes)]
    taxed = [
        TaxedLine(line.quantity, line.unit_cost, tuple((t.name, t.percent) for t in line.taxes))
        for line in lines
    ]
    theirs = vendor_totals(taxed, percent, currency, switches)
    ours = [total_up(lines, percent, currency, rule) for rule in plausible_rules(currency)]
    assert (theirs.total, theirs.tax) in [(found.total, found.tax) for found in ours]
