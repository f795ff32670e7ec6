"""Money is exact, knows its currency's decimals, and mixes with nothing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.money import (
    MixedCurrencies,
    Money,
    decimal_of,
    decimals,
    digits,
    exact,
    is_currency,
    plain,
)

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=3, max_value=10**9)


@pytest.mark.parametrize("amount", [1.5, 3, "3"])
def test_money_refuses_anything_but_a_decimal(amount):
    with pytest.raises(TypeError):
        Money(amount, "EUR")


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_money_refuses_what_is_no_amount(amount):
    with pytest.raises(ValueError, match="finite"):
        Money(Decimal(amount), "EUR")


def test_two_currencies_never_meet_in_one_sum():
    euro, yen = Money(Decimal(1), "EUR"), Money(Decimal(1), "JPY")
    for mix in (lambda: euro + yen, lambda: euro - yen, lambda: euro.same_value(yen)):
        with pytest.raises(MixedCurrencies):
            mix()


def test_1200_yen_equals_1200_00_yen():
    assert Money(Decimal("1200"), "JPY").same_value(Money(Decimal("1200.00"), "JPY"))


@given(amounts, amounts)
def test_what_is_added_can_be_taken_off_again(one, other):
    sum_of_both = Money(one, "EUR") + Money(other, "EUR")
    assert (sum_of_both - Money(other, "EUR")).same_value(Money(one, "EUR"))
    assert (sum_of_both + -sum_of_both).amount == 0


@pytest.mark.parametrize(
    ("code", "count"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("RSD", 2), ("ALL", 2), ("IQD", 3), ("HUF", 2)],
)
def test_digits_are_those_of_iso_4217_not_of_cash(code, count):
    assert digits(code) == count


def test_rounding_goes_to_the_digits_of_the_currency():
    assert str(Money(Decimal("10.555"), "EUR").rounded()) == "10.56 EUR"
    assert str(Money(Decimal("10.5"), "JPY").rounded()) == "11 JPY"
    assert str(Money(Decimal("10.5555"), "KWD").rounded()) == "10.556 KWD"


def test_a_currency_is_one_that_can_be_paid_in_today():
    assert all(is_currency(code) for code in ("EUR", "USD", "JPY", "KWD", "GBP", "LYD"))
    assert not any(is_currency(code) for code in ("DEM", "XXX", "eur", "€", "US Dollar", ""))


@pytest.mark.parametrize("text", ["1200", "1200.50", "-3", " 2.5 ", "1E+2", "0.1e-3", ".5"])
def test_a_vendors_number_is_read_to_the_digit(text):
    assert decimal_of(text) == Decimal(text.strip())


@pytest.mark.parametrize(
    "text", ["", "1,200", "1_000", "NaN", "inf", "1e999", "٣", "12 €", "9" * 16, None, 3.5, "--1"]
)
def test_what_is_no_plain_number_is_none(text):
    assert decimal_of(text) is None


def test_a_number_with_26_decimals_is_read():
    assert decimal_of("5.00000000000000000000000001") == Decimal("5.00000000000000000000000001")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**9))
def test_plain_writes_the_value_without_an_exponent_or_idle_zeros(amount):
    text = plain(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) == decimals(amount)


def test_exact_arithmetic_loses_no_digit_where_the_default_would():
    long = Decimal("123456789012345.123456789")
    with exact():
        assert long * long / long == long
        assert (long * long).as_tuple().digits[-1] == 1
