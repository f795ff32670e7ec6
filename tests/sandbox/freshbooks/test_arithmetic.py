"""Totals over real HTTP under every reading of FreshBooks' rounding."""

from decimal import Decimal
from typing import Any

import pytest

from server.sandbox.freshbooks import FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, wrong

pytestmark = pytest.mark.quirk


def taxed(cost: str, qty: Any = 1, percent: str = "21", **fields: Any) -> dict[str, Any]:
    return line(cost, qty, taxName1="VAT", taxAmount1=percent, **fields)


def total(invoice: dict[str, Any]) -> str:
    return str(invoice["amount"]["amount"])


def test_a_percent_discount_comes_off_before_tax(api: Api, buyer: int) -> None:
    lines = [taxed("5.00", 4, "13"), line("4.00", 6)]
    invoice = api.invoice(buyer, *lines, discount_value="10")
    assert invoice["discount_total"]["amount"] == "-4.40"
    assert invoice["discount_value"] == "10"
    assert total(invoice) == "41.94"


@pytest.mark.parametrize(
    ("scope", "half", "tax"),
    [
        # 21 % of 0.50 is 0.105; of 1.00 it is 0.21; 5 % of 0.50 is 0.025, of 1.50 it is 0.075.
        ("line", "up", "0.31"),
        ("line", "even", "0.26"),
        ("group", "up", "0.29"),
        ("group", "even", "0.29"),
        ("invoice", "up", "0.29"),
        ("invoice", "even", "0.28"),
    ],
)
def test_rounding_follows_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld, scope: Any, half: Any, tax: str
) -> None:
    world.switches.rounding_scope, world.switches.rounding_half = scope, half
    lines = [taxed("0.50"), taxed("0.50"), line("0.50", taxName1="GST", taxAmount1="5")]
    lines += [
        line("0.50", taxName1="GST", taxAmount1="5"),
        line("0.50", taxName1="GST", taxAmount1="5"),
    ]
    invoice = api.invoice(buyer, *lines)
    assert Decimal(total(invoice)) - Decimal("2.50") == Decimal(tax)


def test_two_taxes_add_and_a_compounded_second_is_taken_on_the_first(api: Api, buyer: int) -> None:
    second = {"taxName2": "QST", "taxAmount2": "10"}
    assert total(api.invoice(buyer, taxed("100.00", 1, "5", **second))) == "115.00"
    compounded = taxed("100.00", 1, "5", **second, compounded_tax=True)
    assert total(api.invoice(buyer, compounded)) == "115.50"


def test_fractional_quantities_and_percents_with_three_decimals(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, taxed("1200.75", "2.5", "9.975"))
    assert total(invoice) == "3301.32"  # 3001.88 (from 3001.875) and 299.44 of tax


@pytest.mark.parametrize(
    ("yen", "printed"), [("1200", "1321"), ("1200.00", "1321.00"), ("hundredths", "1320.55")]
)
def test_yen_are_printed_and_rounded_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld, yen: Any, printed: str
) -> None:
    world.switches.yen = yen
    invoice = api.invoice(buyer, taxed("1200.50", 1, "10"), currency_code="JPY")
    assert total(invoice) == printed


@pytest.mark.parametrize(("third", "printed"), [("kept", "1.235"), ("rounded", "1.24")])
def test_the_third_decimal_of_dinars_is_kept_or_rounded(
    api: Api, buyer: int, world: FreshbooksWorld, third: Any, printed: str
) -> None:
    world.switches.third_decimal = third
    assert total(api.invoice(buyer, line("1.235"), currency_code="KWD")) == printed


def test_negative_lines_are_refused_or_accepted_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld
) -> None:
    body = {"customerid": buyer, "create_date": "2026-03-02", "lines": [line("-5.00")]}
    assert wrong(api.post("invoices/invoices", invoice=body)) == (422, 1025)
    world.switches.negative_lines = "accepted"
    assert total(api.invoice(buyer, line("20.00"), line("-5.00"))) == "15.00"


def test_a_fixed_discount_is_ignored_or_refused_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld
) -> None:
    fixed = {"type": "fixed", "amount": {"amount": "5.00", "code": "EUR"}}
    assert total(api.invoice(buyer, line("20.00"), discount=fixed)) == "20.00"
    world.switches.fixed_discount = "refused"
    body = {"customerid": buyer, "create_date": "2026-03-02", "discount": fixed}
    assert wrong(api.post("invoices/invoices", invoice=body)) == (422, 1004)


@pytest.mark.parametrize(("on", "discount"), [("subtotal", "-0.08"), ("line", "-0.09")])
def test_the_discount_is_rounded_on_the_subtotal_or_on_each_line(
    api: Api, buyer: int, world: FreshbooksWorld, on: Any, discount: str
) -> None:
    world.switches.discount_rounded_on = on
    lines = [line("0.25"), line("0.25"), line("0.25")]
    invoice = api.invoice(buyer, *lines, discount_value="10")
    assert invoice["discount_total"]["amount"] == discount


def test_a_lines_tax_number_is_the_one_of_the_tax_with_that_name(
    api: Api, buyer: int, world: FreshbooksWorld
) -> None:
    world.businesses[0].add_tax("VAT", "21", "LT100")
    invoice = api.invoice(buyer, taxed("10.00"))
    shown = world.businesses[0].invoice_view(invoice["id"], "lines")["lines"][0]
    assert (shown["taxNumber1"], shown["taxAmount1"], shown["taxAmount2"]) == ("LT100", "21", "0")
