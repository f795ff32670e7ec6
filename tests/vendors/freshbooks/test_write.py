"""Drafts as requests: exact to the digit, the reference in its place, nothing empty sent."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import CannotBill
from server.core.invoice import DraftClient, Tax
from server.vendors.freshbooks.write import client_payload, invoice_payload, where_reference_goes
from tests.vendors.freshbooks.conftest import CHAIRS, TODAY, draft


def invoice(place: Any = "po_number", number: str | None = None, **changes: Any) -> dict[str, Any]:
    body = invoice_payload(
        draft(**changes),
        customer_id=77,
        create_date=TODAY,
        number=number,
        reference="BHREF",
        reference_place=place,
    )
    assert list(body) == ["invoice"]
    found: dict[str, Any] = body["invoice"]
    return found


def test_a_draft_is_sent_in_the_forms_that_were_seen_to_work() -> None:
    assert invoice() == {
        "customerid": 77,
        "create_date": "2026-03-02",
        "currency_code": "EUR",
        "po_number": "BHREF",
        "lines": [
            {
                "type": 0,
                "name": "Chair",
                "description": "oak",
                "qty": "2.5",
                "unit_cost": {"amount": "120.50", "code": "EUR"},
                "taxName1": "VAT",
                "taxAmount1": "21",
            },
            {
                "type": 0,
                "name": "Lamp",
                "description": "",
                "qty": "1",
                "unit_cost": {"amount": "40.00", "code": "EUR"},
            },
        ],
    }


def test_what_the_draft_has_besides_is_sent_too() -> None:
    body = invoice(
        discount_percent=Decimal("12.50"),
        discount_description="Spring",
        language="lt",
        terms="Net 14",
        notes="Thanks",
        due_days=0,
    )
    assert body["discount_value"] == "12.5"
    assert body["discount_description"] == "Spring"
    assert (body["language"], body["terms"], body["notes"]) == ("lt", "Net 14", "Thanks")
    assert body["due_offset_days"] == 0


@pytest.mark.parametrize(("ahead", "days"), [(40, 40), (0, 0), (-9, 0)])
def test_a_due_date_is_written_as_days_and_one_that_has_passed_is_today(
    ahead: int, days: int
) -> None:
    assert invoice(due_on=TODAY + timedelta(ahead))["due_offset_days"] == days


@pytest.mark.parametrize(
    ("numbering", "po_number", "place"),
    [
        ("freshbooks", "", "po_number"),
        ("sequence", "", "po_number"),
        ("reference", "", "invoice_number"),
        ("reference", "PO-7", "invoice_number"),
        ("freshbooks", "PO-7", "notes"),
        ("sequence", "PO-7", "notes"),
    ],
)
def test_the_reference_takes_a_place_that_nobody_mapped(
    numbering: str, po_number: str, place: str
) -> None:
    assert where_reference_goes(draft(po_number=po_number), numbering) == place


def test_the_reference_stands_in_its_place_only() -> None:
    numbered = invoice("invoice_number", po_number="PO-7")
    assert (numbered["invoice_number"], numbered["po_number"]) == ("BHREF", "PO-7")
    noted = invoice("notes", "INV-8", po_number="PO-7", notes="Thanks\n")
    assert (noted["invoice_number"], noted["po_number"]) == ("INV-8", "PO-7")
    assert noted["notes"] == "Thanks\nBHREF"
    assert invoice("notes", po_number="PO-7")["notes"] == "BHREF"


@pytest.mark.parametrize(
    ("currency", "amount", "sent"),
    [
        ("EUR", "1500", "1500.00"),
        ("EUR", "0.5", "0.50"),
        ("EUR", "0.125", "0.125"),
        ("JPY", "1200", "1200"),
        ("KWD", "1.234", "1.234"),
        ("KWD", "1", "1.00"),
        ("EUR", "1E+3", "1000.00"),
    ],
)
def test_unit_costs_are_exact_and_look_like_the_currency(
    currency: str, amount: str, sent: str
) -> None:
    line = replace(CHAIRS, unit_cost=Decimal(amount))
    body = invoice(currency=currency, lines=(line,))
    assert body["lines"][0]["unit_cost"] == {"amount": sent, "code": currency}


decimals = st.decimals(min_value="-1E9", max_value="1E9", places=4).filter(Decimal.is_finite)


@given(cost=decimals, quantity=decimals, percent=decimals)
def test_no_digit_is_lost_on_the_way(cost: Decimal, quantity: Decimal, percent: Decimal) -> None:
    line = replace(CHAIRS, unit_cost=cost, quantity=quantity, taxes=(Tax("VAT", percent),))
    (sent,) = invoice(lines=(line,))["lines"]
    texts = (sent["unit_cost"]["amount"], sent["qty"], sent["taxAmount1"])
    assert tuple(map(Decimal, texts)) == (cost, quantity, percent)
    assert not any("E" in text or text.endswith(".") for text in texts)


def test_two_taxes_have_their_places_and_a_third_has_none() -> None:
    taxes = (Tax("GST", Decimal(5)), Tax("PST", Decimal("9.975")), Tax("X", Decimal(1)))
    (sent,) = invoice(lines=(replace(CHAIRS, taxes=taxes[:2]),))["lines"]
    assert (sent["taxName1"], sent["taxAmount1"]) == ("GST", "5")
    assert (sent["taxName2"], sent["taxAmount2"]) == ("PST", "9.975")
    with pytest.raises(CannotBill) as caught:
        invoice(lines=(CHAIRS, replace(CHAIRS, taxes=taxes)))
    assert [problem.field for problem in caught.value.problems] == ["lines.2.tax"]


def test_of_a_client_only_what_is_known_is_sent() -> None:
    body = client_payload(DraftClient(key="email:a@b.test", email="a@b.test"), "USD")
    assert body == {"client": {"email": "a@b.test", "currency_code": "USD"}}
