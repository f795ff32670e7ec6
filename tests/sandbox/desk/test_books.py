"""FreshBooks' side of the desk: what stands in the books, and its user's small acts."""

from typing import Any

import pytest

from server.sandbox.freshbooks import Business
from tests.sandbox.desk.conftest import Desk


def business(desk: Desk) -> Business:
    return desk.sandbox.freshbooks.businesses[0]


def sold(desk: Desk, **fields: Any) -> int:
    """One invoice over 2.5 metres at 38.40 with VAT; its id."""
    client = business(desk).add_client(organization="Hill & Partners", email="kim@hill.example")
    line = {
        "name": "Linen",
        "qty": "2.5",
        "unit_cost": {"amount": "38.40", "code": "EUR"},
        "taxName1": "VAT",
        "taxAmount1": "21",
    }
    row = business(desk).add_invoice(client["id"], [line], **fields)
    return int(row["id"])


def shown(desk: Desk) -> dict[str, Any]:
    [books] = desk.state()["books"]
    [row] = books["invoices"]
    found: dict[str, Any] = row
    return found


def test_an_invoice_shows_lines_taxes_and_totals(desk: Desk) -> None:
    sold(desk, po_number="PO-1")
    row = shown(desk)
    assert (row["number"], row["client"], row["status"]) == ("0000001", "Hill & Partners", "draft")
    assert (row["subtotal"], row["tax"], row["amount"]) == ("96.00", "20.16", "116.16")
    [line] = row["lines"]
    assert (line["quantity"], line["price"], line["taxes"]) == ("2.5", "38.40", ["VAT 21\u00a0%"])
    assert row["po"] == "PO-1"


def test_clients_and_mails_are_listed(desk: Desk) -> None:
    business(desk).email_invoice(sold(desk), "kim@hill.example")
    [books] = desk.state()["books"]
    assert [(one["name"], one["invoices"]) for one in books["clients"]] == [("Hill & Partners", 1)]
    assert [(one["number"], one["to"]) for one in books["mails"]] == [
        ("0000001", "kim@hill.example")
    ]


def test_a_part_payment_then_the_rest(desk: Desk) -> None:
    invoice = sold(desk)
    desk.do(f"invoices/{invoice}/send")
    desk.do(f"invoices/{invoice}/pay", amount="16.16")
    assert (shown(desk)["status"], shown(desk)["outstanding"]) == ("partial", "100.00")
    desk.do(f"invoices/{invoice}/pay")
    assert (shown(desk)["status"], shown(desk)["open"]) == ("paid", False)
    assert [paid["amount"] for paid in shown(desk)["payments"]] == ["16.16", "100.00"]


def test_the_client_sees_what_was_sent_and_no_draft(desk: Desk) -> None:
    invoice = sold(desk)
    assert "cannot see a draft" in desk.refused(f"invoices/{invoice}/view")
    desk.do(f"invoices/{invoice}/send")
    desk.do(f"invoices/{invoice}/view")
    assert shown(desk)["status"] == "viewed"


def test_a_deleted_invoice_is_shown_as_such_and_comes_back(desk: Desk) -> None:
    invoice = sold(desk)
    desk.do(f"invoices/{invoice}/delete")
    assert (shown(desk)["status"], shown(desk)["open"]) == ("deleted", False)
    desk.do(f"invoices/{invoice}/restore")
    assert shown(desk)["status"] == "draft"


@pytest.mark.parametrize(("verb", "amount"), [("pay", "-1"), ("pay", "much"), ("eat", "1")])
def test_what_freshbooks_would_not_do_is_refused(desk: Desk, verb: str, amount: str) -> None:
    invoice = sold(desk)
    assert desk.refused(f"invoices/{invoice}/{verb}", amount=amount)
    assert shown(desk)["payments"] == []
