"""FreshBooks' statuses as the words that a deal shows."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from server.core.money import Money
from server.vendors.freshbooks.read import Invoice
from server.vendors.freshbooks.statuses import word_of


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


SENT = Invoice(
    id=1,
    number="0000001",
    customer_id=7,
    currency="EUR",
    amount=euros("100.00"),
    tax=None,
    outstanding=euros("100.00"),
    status=2,
    v3_status="sent",
    payment_status="unpaid",
    vis_state=0,
    po_number="",
    notes="",
    create_date=date(2026, 9, 1),
    due_date=date(2026, 9, 15),
)


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("draft", "draft"),
        ("sent", "sent"),
        ("viewed", "viewed"),
        ("deposit-partial", "partial"),
        ("deposit_partial", "partial"),
        ("overdue", "overdue"),
        ("autopaid", "paid"),
        ("a word of tomorrow", "sent"),
    ],
)
def test_freshbooks_words_become_ours(told: str, word: str) -> None:
    assert word_of(replace(SENT, v3_status=told)) == word


def test_nothing_outstanding_is_paid_whatever_the_status_says() -> None:
    assert word_of(replace(SENT, outstanding=euros("0.00"))) == "paid"


def test_a_draft_over_nothing_is_a_draft() -> None:
    nothing = replace(SENT, v3_status="draft", amount=euros("0.00"), outstanding=euros("0.00"))
    assert word_of(nothing) == "draft"


def test_a_deleted_invoice_is_deleted_even_if_it_was_paid() -> None:
    assert word_of(replace(SENT, vis_state=1, outstanding=euros("0.00"))) == "deleted"
