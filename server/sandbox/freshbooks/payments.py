"""Payments on invoices: no dedupe, surplus becomes credit, deleting restores (reference §5.1)."""

from decimal import Decimal

from server.sandbox.freshbooks import checks, credit_notes
from server.sandbox.freshbooks.errors import invalid, not_found, refused
from server.sandbox.freshbooks.invoice_view import settle
from server.sandbox.freshbooks.invoices import change_vis_state, mark_sent, refuse_deleted
from server.sandbox.freshbooks.money import printed, rounded
from server.sandbox.freshbooks.state import Books, Row

TYPES = frozenset(
    {
        *("Check", "Credit", "Cash", "Bank Transfer", "Credit Card", "Debit", "PayPal"),
        *("2Checkout", "VISA", "MASTERCARD", "DISCOVER", "AMEX", "DINERS", "JCB", "ACH", "Other"),
    }
)


def payment_type(value: object) -> str:
    """Case as written; "Stripe" and "Wire Transfer" are refused (reference §5.1)."""
    if value not in TYPES:
        raise checks.Bad(1004, "is not a supported payment type.")
    return str(value)


FIELDS: dict[str, checks.Check] = {
    "invoiceid": checks.whole,
    "amount": checks.money,
    "date": checks.day,
    "type": payment_type,
    "note": checks.full_text,
    "send_client_notification": checks.flag,
}

NULLS = "bulk_paymentid creditid gateway orderid overpaymentid transaction_uuid transactionid"


def create(books: Books, body: Row) -> Row:
    """Book a payment; two equal ones are two payments."""
    checks.require(body, "payment", "invoiceid", "amount", "date")
    found = checks.accept(_without_nulls(body), FIELDS, "payment", books.switches)
    invoice = _payable(books, found["invoiceid"])
    amount = _amount(books, invoice, found.pop("amount"))
    row: Row = {
        "type": "Other",
        "note": "",
        "send_client_notification": None,
        **dict.fromkeys(NULLS.split()),
        **found,
        "amount": amount,
        "code": invoice["currency_code"],
        "clientid": invoice["customerid"],
        "from_credit": found.get("type") == "Credit",
    }
    if row["from_credit"]:
        credit_notes.refuse_without_credit(books, row)
    surplus = amount - invoice["outstanding"]
    books.add("payment", books.payments, row)
    if surplus > 0:
        row["overpaymentid"] = credit_notes.from_overpayment(books, row, surplus)["id"]
    _settled(books, row)
    return row


def update(books: Books, row: Row, body: Row) -> list[str]:
    """Change or delete a payment; its invoice is settled anew either way."""
    if "vis_state" in body:
        events = change_vis_state(books, "payment", row, body)
        if row["overpaymentid"]:
            books.credit_notes[row["overpaymentid"]]["vis_state"] = row["vis_state"]
    else:
        refuse_deleted("payment", row)
        found = checks.accept(_without_nulls(body), FIELDS, "payment", books.switches)
        found.pop("invoiceid", None)
        if "amount" in found:
            found["amount"] = _amount(books, books.invoices[row["invoiceid"]], found["amount"])
        row |= found
        events = ["payment.update"]
    books.touch(books.payments, row)
    _settled(books, row)
    return events


def shown(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    """The payment object of a reply."""
    keys = "invoiceid clientid date type note from_credit send_client_notification id updated"
    view = {key: row[key] for key in (*keys.split(), *NULLS.split(), "vis_state")}
    view["amount"] = printed(row["amount"], row["code"], books.switches)
    return view | {"logid": row["id"], "accounting_systemid": books.account_id}


def _without_nulls(body: Row) -> Row:
    """SDKs send null for what they leave out."""
    return {key: value for key, value in body.items() if value is not None}


def _payable(books: Books, invoice_id: int) -> Row:
    invoice = books.invoices.get(invoice_id)
    if invoice is None:
        raise not_found("invoice", "invoiceid", invoice_id)
    refuse_deleted("invoice", invoice)
    if invoice["status"] == 1 and books.switches.payment_on_draft == "refused":
        message = "A payment cannot be added to a draft invoice."
        raise refused(422, 1004, message, field="invoiceid", object="payment")
    return invoice


def _amount(books: Books, invoice: Row, given: tuple[Decimal, str | None]) -> Decimal:
    amount, code = given
    if code not in (None, invoice["currency_code"]):
        message = f"amount must be in {invoice['currency_code']}."
        raise invalid(1004, message, "amount.code", code, "payment")
    amount = rounded(amount, invoice["currency_code"], books.switches)
    if amount <= 0:
        raise invalid(1025, "amount must be greater than zero.", "amount", amount, "payment")
    return amount


def _settled(books: Books, row: Row) -> None:
    """The invoice follows; its ``updated`` moves with the payment (reference §2.5)."""
    invoice = books.invoices[row["invoiceid"]]
    if invoice["status"] == 1 and row["vis_state"] == 0:
        mark_sent(books, invoice)
    settle(books, invoice)
    books.touch(books.invoices, invoice)
