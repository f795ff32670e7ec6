"""Online payment options: flat objects, their own error shape, never applied by default (§7.7)."""

from flask import Blueprint, Response, request

from server.sandbox.freshbooks.errors import not_found, refused
from server.sandbox.freshbooks.reply import books_of, json_reply, sent_body
from server.sandbox.freshbooks.state import Books, Row

options = Blueprint("options", __name__, url_prefix="/payments/account/<account_id>")

GATEWAYS = ("fbpay", "stripe", "paypal")
_FLAGS = """has_credit_card has_ach_transfer has_bacs_debit has_sepa_debit has_acss_debit
has_paypal_smart_checkout allow_partial_payments"""
FLAGS = _FLAGS.split()


def _shown(entity_id: int | str, chosen: Row) -> Response:
    """The entity's id comes back as a string."""
    blank = {"gateway_name": None, **dict.fromkeys(FLAGS, False)}
    fixed = {"entity_id": str(entity_id), "entity_type": "invoice"}
    return json_reply({"payment_options": blank | chosen | fixed})


def _invoice(books: Books, invoice_id: int) -> None:
    if invoice_id not in books.invoices:
        raise not_found("invoice", "invoiceid", invoice_id)


@options.get("/payment_options")
def defaults(account_id: str) -> Response:
    books_of(account_id, "online_payments")
    if request.args.get("entity_type") != "invoice":
        raise refused(400, 1004, "entity_type is not supported")
    return _shown("", {"gateway_name": "fbpay", "has_credit_card": True})


@options.get("/invoice/<int:invoice_id>/payment_options")
def of_invoice(account_id: str, invoice_id: int) -> Response:
    books = books_of(account_id, "online_payments")
    _invoice(books, invoice_id)
    return _shown(invoice_id, books.payment_options.get(invoice_id, {}))


@options.post("/invoice/<int:invoice_id>/payment_options")
def choose(account_id: str, invoice_id: int) -> Response:
    books = books_of(account_id, "online_payments", write=True)
    _invoice(books, invoice_id)
    body = sent_body()
    if body.get("gateway_name") not in GATEWAYS:
        raise refused(400, 1004, "Invalid gateway name")
    chosen = {key: body[key] for key in ("gateway_name", *FLAGS) if key in body}
    books.payment_options[invoice_id] = chosen
    return _shown(invoice_id, chosen)
