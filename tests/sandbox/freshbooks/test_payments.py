"""Payments and credit notes over real HTTP (reference §5)."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


@pytest.fixture
def sent(api: Api, buyer: int) -> int:
    """The id of a sent invoice over 1000.00."""
    invoice = api.invoice(buyer, line("1000.00"), due_offset_days=14)
    api.change(invoice["id"], action_mark_as_sent=True)
    return int(invoice["id"])


def standing(api: Api, invoice_id: int) -> tuple[Any, ...]:
    inv = result(api.get(f"invoices/invoices/{invoice_id}"))["invoice"]
    return inv["paid"]["amount"], inv["outstanding"]["amount"], inv["status"], inv["v3_status"]


def test_a_part_payment_leaves_status_2_and_says_partial(api: Api, sent: int) -> None:
    result(api.pay(sent, "100.00"))
    assert standing(api, sent) == ("100.00", "900.00", 2, "partial")
    inv = result(api.get(f"invoices/invoices/{sent}"))["invoice"]
    assert (inv["display_status"], inv["payment_status"]) == ("sent", "partial")


def test_paid_in_full_is_paid_with_its_date(api: Api, sent: int) -> None:
    result(api.pay(sent, "1000.00", date="2026-02-20"))
    assert standing(api, sent) == ("1000.00", "0.00", 4, "paid")
    inv = result(api.get(f"invoices/invoices/{sent}"))["invoice"]
    assert (inv["date_paid"], inv["payment_status"]) == ("2026-02-20", "paid")


@pytest.mark.parametrize(("wins", "status"), [(True, "overdue"), (False, "partial")])
def test_part_paid_and_past_due_is_overdue_or_partial_by_the_switch(
    api: Api, sent: int, sandbox: Sandbox, wins: bool, status: str
) -> None:
    sandbox.freshbooks.switches.overdue_beats_partial = wins
    result(api.pay(sent, "100.00"))
    sandbox.clock.advance(timedelta(days=15))
    api.renew()
    assert standing(api, sent)[3] == status


def test_equal_payments_are_two_payments(api: Api, sent: int) -> None:
    first, second = result(api.pay(sent, "100.00")), result(api.pay(sent, "100.00"))
    assert first["payment"]["id"] != second["payment"]["id"]
    assert standing(api, sent)[:2] == ("200.00", "800.00")


def test_deleting_a_payment_restores_the_invoice(api: Api, sent: int) -> None:
    payment = result(api.pay(sent, "1000.00"))["payment"]
    deleted = api.put(f"payments/payments/{payment['id']}", payment={"vis_state": 1})
    assert result(deleted)["payment"]["vis_state"] == 1
    assert standing(api, sent) == ("0.00", "1000.00", 2, "sent")
    assert result(api.get("payments/payments"))["payments"] == []


def test_deleting_an_invoice_leaves_its_payment(api: Api, sent: int) -> None:
    payment = result(api.pay(sent, "750.00"))["payment"]
    api.change(sent, vis_state=1)
    rows = result(api.get("payments/payments"))["payments"]
    assert [(row["id"], row["vis_state"]) for row in rows] == [(payment["id"], 0)]


def test_a_payment_moves_the_invoices_updated(api: Api, sent: int, sandbox: Sandbox) -> None:
    sandbox.clock.advance(timedelta(hours=1))
    payment = result(api.pay(sent, "1.00"))["payment"]
    inv = result(api.get(f"invoices/invoices/{sent}"))["invoice"]
    assert inv["updated"] == payment["updated"] == "2026-03-02 08:00:00"


def test_too_much_becomes_the_clients_credit(api: Api, sent: int, buyer: int) -> None:
    payment = result(api.pay(sent, "1200.00"))["payment"]
    assert standing(api, sent)[:2] == ("1000.00", "0.00")
    note = result(api.get(f"credit_notes/credit_notes/{payment['overpaymentid']}"))["credit_note"]
    assert (note["credit_type"], note["amount"]["amount"], note["clientid"]) == (
        "overpayment",
        "200.00",
        buyer,
    )


@pytest.mark.parametrize("accepted", [True, False])
def test_a_payment_on_a_draft_is_accepted_or_refused_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld, accepted: bool
) -> None:
    world.switches.payment_on_draft = "accepted" if accepted else "refused"
    draft = api.invoice(buyer, line())
    assert api.pay(draft["id"], "10.00").status_code == (200 if accepted else 422)


@pytest.mark.parametrize(
    ("fields", "status", "errno"),
    [
        ({"type": "Stripe"}, 422, 1004),
        ({"type": "Wire Transfer"}, 422, 1004),
        ({"type": "cash"}, 422, 1004),
        ({"amount": {"amount": "10.00", "code": "USD"}}, 422, 1004),
        ({"amount": {"amount": "0"}}, 422, 1025),
        ({"date": "today"}, 422, 1033),
        ({"invoiceid": 1}, 404, 1012),
        ({"amount": None}, 422, 1001),
        ({"type": "Credit"}, 422, 1004),
    ],
)
def test_a_payment_that_does_not_pass_is_refused(
    api: Api, sent: int, fields: dict[str, Any], status: int, errno: int
) -> None:
    assert wrong(api.pay(sent, "10.00", **fields)) == (status, errno)


def test_the_field_is_note_and_the_search_is_notes(api: Api, sent: int) -> None:
    result(api.pay(sent, "10.00", note="PSP 7"))
    result(api.pay(sent, "10.00", note="PSP 8"))
    rows = result(api.get("payments/payments", notes="PSP 7"))["payments"]
    assert [row["note"] for row in rows] == ["PSP 7"]
    assert len(result(api.get("payments/payments", note="PSP 7"))["payments"]) == 2


def credit(api: Api, client_id: int, amount: str, wrapper: str = "credit_note") -> Any:
    body = {"clientid": client_id, "lines": [line(amount)], "credit_type": "goodwill"}
    return api.post("credit_notes/credit_notes", **{wrapper: body})


def test_a_credit_note_in_the_plural_wrapper_lacks_its_client(api: Api, buyer: int) -> None:
    reply = credit(api, buyer, "50.00", "credit_notes")
    assert wrong(reply) == (422, 1001)
    assert reply.json()["response"]["errors"][0]["message"] == "'clientid' is a required field"


def test_credit_is_drawn_by_a_payment_of_type_credit(api: Api, buyer: int, sent: int) -> None:
    note = result(credit(api, buyer, "50.00"))["credit_note"]
    assert (note["payment_status"], note["display_status"]) == ("unpaid", "created")
    payment = result(api.pay(sent, "20.00", type="Credit"))["payment"]
    assert payment["from_credit"] is True
    used = result(api.get(f"credit_notes/credit_notes/{note['id']}"))["credit_note"]
    assert (used["paid"]["amount"], used["payment_status"]) == ("20.00", "partial")
    assert wrong(api.pay(sent, "40.00", type="Credit")) == (422, 1004)


def test_a_credit_note_is_deleted_by_vis_state(api: Api, buyer: int, biz: Business) -> None:
    note = result(credit(api, buyer, "50.00"))["credit_note"]
    api.put(f"credit_notes/credit_notes/{note['id']}", credit_note={"vis_state": 1})
    assert biz.credit_notes[note["id"]]["vis_state"] == 1
    assert result(api.get("credit_notes/credit_notes"))["credit_notes"] == []


def test_nobody_makes_a_credit_of_type_overpayment(api: Api, buyer: int) -> None:
    body = {"clientid": buyer, "credit_type": "overpayment"}
    assert wrong(api.post("credit_notes/credit_notes", credit_note=body)) == (422, 1004)
