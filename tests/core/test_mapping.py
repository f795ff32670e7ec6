"""A sale becomes a draft, or a list of problems in plain words."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from server.core.errors import CannotBill, Problem
from server.core.invoice import InvoiceDraft
from server.core.mapping import draft
from server.core.money import Money
from server.core.sale import FieldValue, Party
from tests.core.sales import drafted, mapping, product, sale, value

CHAIR = product("Chair", "120.50")


def problems_of(made_from, **parts):
    with pytest.raises(CannotBill) as refused:
        drafted(made_from, **parts)
    return {problem.field: problem.reason for problem in refused.value.problems}


def test_texts_are_filled_from_fields_and_templates():
    deal = sale(CHAIR, fields={"deal.cf.4": "PO\n 77", "deal.cf.5": "Thank you\nand goodbye"})
    made = drafted(
        deal,
        po_number={"field": "deal.cf.4"},
        notes={"field": "deal.cf.5"},
        terms={"text": "Order {deal.name}, net"},
        language={"text": "PT"},
        due_days={"text": "14"},
    )
    assert made.po_number == "PO 77"
    assert made.notes == "Thank you\nand goodbye"
    assert made.terms == "Order Garden chairs, net"
    assert (made.language, made.due_days) == ("pt", 14)


def test_a_date_field_says_when_the_invoice_is_due():
    deal = sale(CHAIR)
    day = FieldValue("2026-03-31", day=date(2026, 3, 31))
    deal = replace(deal, fields={**deal.fields, "deal.cf.9": (day,)})
    made = drafted(deal, due_days={"field": "deal.cf.9"})
    assert (made.due_on, made.due_days) == (date(2026, 3, 31), None)
    by_field = mapping(due_days={"field": "deal.cf.9"})
    assert draft(deal, by_field, today=date(2025, 3, 31)).due_on == date(2026, 3, 31)
    with pytest.raises(CannotBill, match="2026-03-31 is more than 365 days away"):
        draft(deal, by_field, today=date(2025, 3, 30))
    frozen = made.to_json()
    assert InvoiceDraft.from_json(frozen) == made
    del frozen["due_on"]  # frozen before there was such a date
    assert InvoiceDraft.from_json(frozen) == replace(made, due_on=None)


@pytest.mark.parametrize("text", ["14 days", "-1", "366", "2.5", "soon", "1e9"])
def test_due_days_are_a_whole_number_within_a_year(text):
    found = problems_of(sale(CHAIR), due_days={"text": text})
    assert found == {"due_days": f"“{text}” is no number of days until payment."}


@pytest.mark.parametrize(("text", "days"), [("0", 0), ("365", 365), ("14.0", 14), ("", None)])
def test_due_days_may_be_left_open(text, days):
    assert (
        drafted(sale(CHAIR, fields={"deal.cf.9": text}), due_days={"field": "deal.cf.9"}).due_days
        == days
    )


@pytest.mark.parametrize("text", ["English", "e", "12", "en-US"])
def test_a_language_that_the_vendor_would_refuse_is_said(text):
    assert "no language code" in problems_of(sale(CHAIR), language={"text": text})["language"]


def test_the_sales_currency_counts_without_a_mapped_one():
    assert drafted(sale(CHAIR, currency="USD")).currency == "USD"


@pytest.mark.parametrize("text", ["USD", "usd", " Usd "])
def test_a_mapped_currency_labels_and_never_converts(text):
    deal = sale(CHAIR, amount="120.50", fields={"deal.cf.55": text})
    made = drafted(deal, currency={"field": "deal.cf.55"})
    assert made.total == Money(Decimal("120.50"), "USD")


def test_a_choice_may_carry_the_code_behind_its_name():
    chosen = FieldValue("US Dollar", enum_id=3, enum_code="usd")
    deal = replace(
        sale(CHAIR), fields={"deal.cf.55": (chosen,), "contact.code.EMAIL": (value("a@b.test"),)}
    )
    assert drafted(deal, currency={"field": "deal.cf.55"}).currency == "USD"


@pytest.mark.parametrize("text", ["US Dollar (USD)", "$", "DEM", "EURO", "XXX"])
def test_an_unknown_currency_is_named_with_its_field(text):
    deal = sale(CHAIR, fields={"deal.cf.55": text})
    found = problems_of(deal, currency={"field": "deal.cf.55"})
    assert found == {"currency": f"The deal's currency is “{text}”, which is no currency code."}


def test_an_empty_currency_field_leaves_the_sales_currency():
    deal = sale(CHAIR, fields={"deal.cf.55": ""})
    assert drafted(deal, currency={"field": "deal.cf.55"}).currency == "EUR"


def test_an_unknown_currency_of_the_account_is_a_problem_too():
    assert "account's currency" in problems_of(sale(CHAIR, currency=""))["currency"]


def test_every_problem_is_told_at_once():
    deal = sale(
        product("Chair", None),
        product("Table", "-1"),
        fields={"contact.code.EMAIL": "", "deal.cf.55": "Euro"},
        problems=(Problem("deal.price", "The price cannot be read.", "Mend it."),),
    )
    parts: dict[str, Any] = {
        "currency": {"field": "deal.cf.55"},
        "due_days": {"text": "x"},
        "language": {"text": "xxx"},
        "notes": {"field": "deal.cf.404"},
        "discount": {"kind": "percent", "value": {"text": "200"}},
    }
    assert set(problems_of(deal, **parts)) == {
        "deal.price",
        "client.email",
        "currency",
        "lines.1.price",
        "lines.2.price",
        "due_days",
        "language",
        "notes",
        "discount.value",
    }


def test_every_problem_says_what_to_do():
    with pytest.raises(CannotBill) as refused:
        drafted(sale(product("Chair", None), party=Party()), due_days={"text": "x"})
    assert all(p.todo.endswith(".") and p.reason.endswith(".") for p in refused.value.problems)


def test_a_draft_that_rules_disagree_on_is_to_be_confirmed():
    taxes = {"fixed": [{"name": "VAT", "percent": "5"}]}
    cheap = [product("Pen", "0.50")] * 3
    assert drafted(sale(*cheap), taxes=taxes).to_be_confirmed
    assert not drafted(sale(product("Pen", "100")), taxes=taxes).to_be_confirmed


def test_the_action_decides_whether_an_e_mail_is_needed():
    deal = sale(CHAIR, fields={"contact.code.EMAIL": ""})
    by_contact = mapping(client={"match_by": "contact"})
    assert draft(deal, by_contact, action="mark_sent").client.key == "contact:41"
    with pytest.raises(CannotBill):
        draft(deal, by_contact, action="email")
