"""Invoices: created as drafts, changed one phase at a time, sent, mailed, deleted (§3)."""

import secrets
from decimal import Decimal
from typing import Any

from server.sandbox.freshbooks import checks
from server.sandbox.freshbooks.clients import client_to_bill
from server.sandbox.freshbooks.errors import invalid, refused
from server.sandbox.freshbooks.invoice_lines import accepted_lines, add_up
from server.sandbox.freshbooks.invoice_view import settle
from server.sandbox.freshbooks.mailing import mail_invoice
from server.sandbox.freshbooks.state import Books, Row

#: From the client's fields at creation; later edits of the client do not reach the invoice.
FROM_CLIENT = {
    "fname": "fname",
    "lname": "lname",
    "organization": "organization",
    "street": "p_street",
    "street2": "p_street2",
    "city": "p_city",
    "province": "p_province",
    "code": "p_code",
    "country": "p_country",
    "vat_name": "vat_name",
    "vat_number": "vat_number",
}

FIELDS: dict[str, checks.Check] = {
    "customerid": checks.whole,
    "create_date": checks.day,
    "due_offset_days": checks.offset_days,
    "currency_code": checks.currency,
    "language": checks.language,
    "invoice_number": checks.text,
    "po_number": checks.text,
    "notes": checks.full_text,
    "terms": checks.text,
    "discount_value": checks.percent,
    "discount_description": checks.text,
    "address": checks.full_text,
    **dict.fromkeys(FROM_CLIENT, checks.full_text),
}

BLANK: Row = {
    "due_offset_days": 0,
    "po_number": None,
    "notes": "",
    "terms": None,
    "discount_value": Decimal(0),
    "discount_description": None,
    "address": "",
}

ACTIONS = ("action_mark_as_sent", "action_email")


def create(books: Books, body: Row) -> Row:
    """A draft, whatever status is asked for (reference §3.1)."""
    checks.require(body, "invoice", "customerid", "create_date")
    _refuse_read_only(books, body)
    _status_asked(body)
    found = checks.accept(body, FIELDS, "invoice", books.switches)
    client = client_to_bill(books, found["customerid"])
    row: Row = {
        **BLANK,
        "currency_code": client["currency_code"],
        "language": client["language"],
        **{ours: client[theirs] or "" for ours, theirs in FROM_CLIENT.items()},
        **found,
        "status": 1,
        "ext_archive": 0,
        "fulfillment_date": None,
        "date_paid": None,
        "share_token": secrets.token_urlsafe(24),
    }
    row["lines"] = accepted_lines(books, body.get("lines"), row["currency_code"])
    row["invoice_number"] = _free_number(books, found.get("invoice_number"), None)
    add_up(books, row)
    row |= {"paid": Decimal(0), "outstanding": row["amount"]}
    books.add("invoice", books.invoices, row)
    books.touch(books.clients, client)
    return row


def update(books: Books, row: Row, body: Row) -> list[str]:
    """Apply the first phase that the body has; the rest is silently dropped (reference §2.2)."""
    if "ext_vis_state" in body:
        row["ext_archive"] = checks.accept(
            body, {"ext_vis_state": checks.vis_state}, "invoice", books.switches
        )["ext_vis_state"]
        events = ["invoice.update"]
    elif "vis_state" in body:
        events = change_vis_state(books, "invoice", row, body)
    elif any(body.get(action) for action in ACTIONS):
        events = _act(books, row, body)
    else:
        events = _change(books, row, body)
    books.touch(books.invoices, row)
    return events


def change_vis_state(books: Books, obj: str, row: Row, body: Row) -> list[str]:
    """Delete, archive or bring back; nothing else goes with it (no cascade)."""
    asked = checks.accept(body, {"vis_state": checks.vis_state}, obj, books.switches)
    row["vis_state"] = asked["vis_state"]
    return [f"{obj}.delete" if row["vis_state"] == 1 else f"{obj}.update"]


def refuse_deleted(obj: str, row: Row) -> None:
    """A deleted row can be brought back, but not changed."""
    if row["vis_state"] == 1:
        raise refused(422, 1011, f"{obj.capitalize()} has been deleted.", object=obj)


def mark_sent(books: Books, row: Row) -> None:
    """A draft becomes sent; its fulfillment date is the day it was sent (reference §3.5)."""
    if row["status"] == 1:
        row["status"] = 2
    row["fulfillment_date"] = row["fulfillment_date"] or books.today.isoformat()


def _act(books: Books, row: Row, body: Row) -> list[str]:
    refuse_deleted("invoice", row)
    events = ["invoice.update"]
    if body.get("action_email"):
        mail_invoice(books, row, body)
        events.append("invoice.sendByEmail")
    mark_sent(books, row)
    return events


def _change(books: Books, row: Row, body: Row) -> list[str]:
    refuse_deleted("invoice", row)
    _refuse_read_only(books, body)
    status = _status_asked(body)
    found = checks.accept(body, FIELDS, "invoice", books.switches)
    if found.get("customerid", row["customerid"]) != row["customerid"]:
        client_to_bill(books, found["customerid"])
    if "invoice_number" in found:
        found["invoice_number"] = _free_number(books, found["invoice_number"], row)
    code = str(found.get("currency_code", row["currency_code"]))
    if body.get("lines") is not None:
        found["lines"] = accepted_lines(books, body["lines"], code)
    row |= found
    add_up(books, row)
    if status is not None and row["status"] != 4:
        _set_status(books, row, status)
    settle(books, row)
    return ["invoice.update"]


def _set_status(books: Books, row: Row, status: int) -> None:
    if status != 1:
        mark_sent(books, row)
    row["status"] = status


def _status_asked(body: Row) -> int | None:
    """Integers 0 to 3 only; a string fails as a string (reference §3.4)."""
    value: Any = body.get("status")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(1015, "status must be a number.", "status", value, "invoice")
    if value not in (0, 1, 2, 3):
        message = "Status must be one of 'draft', 'sent', 'viewed' or 'disputed'."
        raise invalid(1004, message, "status", value, "invoice")
    return value


def _refuse_read_only(books: Books, body: Row) -> None:
    """``due_date`` is 403 with errno 1038; ``discount`` with a sum may be refused or ignored."""
    if "due_date" in body:
        message = "Write access denied: due_date is read-only."
        raise refused(403, 1038, message, field="due_date", object="invoice")
    discount = body.get("discount")
    fixed = isinstance(discount, dict) and discount.get("type") not in (None, "percent")
    if fixed and books.switches.fixed_discount == "refused":
        raise invalid(1004, "discount type is not supported.", "discount", "", "invoice")


def _free_number(books: Books, wanted: str | None, own: Row | None) -> str:
    """The wanted number if nobody has it (errno 1029), else the next of this business."""
    taken = {
        row["invoice_number"]
        for row in books.invoices.values()
        if row is not own and (row["vis_state"] != 1 or not books.switches.deleted_numbers_reusable)
    }
    if wanted:
        if wanted in taken:
            message = "Invoice number already exists."
            raise invalid(1029, message, "invoice_number", wanted, "invoice")
        return wanted
    if own is not None:
        return str(own["invoice_number"])
    while True:
        books.last_numbers["invoice"] += 1
        number = f"{books.last_numbers['invoice']:07d}"
        if number not in taken:
            return number
