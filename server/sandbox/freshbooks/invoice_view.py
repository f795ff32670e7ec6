"""An invoice as the API prints it: 70 keys, some of them computed from today's date (§3.2)."""

from datetime import date, timedelta
from decimal import Decimal

from server.sandbox.freshbooks.invoice_lines import shown_line
from server.sandbox.freshbooks.money import plain, printed
from server.sandbox.freshbooks.state import Books, Row

#: Keys whose value never matters to an invoicer, as a trial account prints them.
CONSTANT: Row = {
    "attach_pdf_to_email": False,
    "auto_bill": False,
    "autobill_status": None,
    "basecampid": 0,
    "deposit_amount": None,
    "deposit_percentage": None,
    "deposit_status": "none",
    "dispute_status": None,
    "estimateid": 0,
    "generation_date": None,
    "gmail": False,
    "last_order_status": None,
    "lock_status": "unlocked",
    "ownerid": 1,
    "parent": 0,
    "payment_details": "",
    "return_uri": None,
    "sentid": 1,
    "series": "",
    "show_attachments": True,
    "template": "clean-grouped",
}

_COPIED = (
    "address street street2 city province code country fname lname organization vat_name vat_number"
    " create_date created_at currency_code customerid date_paid discount_description"
    " due_offset_days ext_archive fulfillment_date id invoice_number language notes po_number"
    " status terms updated uuid version vis_state"
)
COPIED = _COPIED.split()

DISPLAY = {0: "disputed", 1: "draft", 2: "sent", 3: "viewed", 4: "paid"}

PRESENTATION: Row = {
    "date_format": "yyyy-mm-dd",
    "description_heading": None,
    "hours_heading": None,
    "image_banner_position_y": 0,
    "image_banner_src": None,
    "image_logo_src": None,
    "item_heading": None,
    "label": None,
    "quantity_heading": None,
    "rate_heading": None,
    "task_heading": None,
    "theme_font_name": "modern",
    "theme_layout": "simple",
    "theme_primary_color": "#2f5d8a",
    "time_entry_notes_heading": None,
    "unit_cost_heading": None,
}


def due_date(row: Row) -> date:
    """create_date plus due_offset_days: the only way to set it."""
    return date.fromisoformat(row["create_date"]) + timedelta(days=row["due_offset_days"])


def payment_status(row: Row) -> str:
    if not row["paid"]:
        return "unpaid"
    return "partial" if row["outstanding"] > 0 else "paid"


def v3_status(books: Books, row: Row) -> str:
    """Derived: overdue comes with the date, without any write and without any event."""
    if row["status"] in (0, 1, 4):
        return DISPLAY[row["status"]]
    overdue = row["outstanding"] > 0 and due_date(row) < books.today
    partial = payment_status(row) == "partial"
    if overdue and (books.switches.overdue_beats_partial or not partial):
        return "overdue"
    return "partial" if partial else DISPLAY[row["status"]]


def shown(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    """The invoice object of a reply; lines only when asked for."""
    view = {key: row[key] for key in COPIED} | CONSTANT | _amounts(books, row)
    client = books.clients.get(row["customerid"], {})
    lines = row["lines"]
    view |= {
        "accountid": books.account_id,
        "accounting_systemid": books.account_id,
        "invoiceid": row["id"],
        "current_organization": client.get("organization", ""),
        "description": lines[0]["description"] if lines else "",
        "due_date": due_date(row).isoformat(),
        "display_status": DISPLAY[row["status"]],
        "payment_status": payment_status(row),
        "v3_status": v3_status(books, row),
        "sender_address": _sender(books),
    }
    return view | _included(books, row, includes)


def _amounts(books: Books, row: Row) -> Row:
    code, switches = row["currency_code"], books.switches
    percent = plain(row["discount_value"])
    view: Row = {
        key: printed(row[key], code, switches)
        for key in ("amount", "outstanding", "paid", "discount_total")
    }
    discount = printed(-row["discount_total"], code, switches)
    return view | {
        "net_paid_amount": printed(row["paid"], code, switches),
        "discount_value": percent,
        "discount": {"type": "percent", "rate": percent, "amount": discount},
    }


def _sender(books: Books) -> Row:
    blank = dict.fromkeys(("street", "street2", "city", "province", "code"), "")
    return blank | {"country": books.country}


def _included(books: Books, row: Row, includes: frozenset[str]) -> Row:
    view: Row = {}
    if "lines" in includes:
        view["lines"] = [shown_line(books, row, line, "invoiceid") for line in row["lines"]]
    if "presentation" in includes:
        view["presentation"] = PRESENTATION | {"invoiceid": row["id"]}
    for key in ("allowed_gateways", "late_reminders", "contacts", "direct_links", "audit_logs"):
        if key in includes:
            view[key] = []
    if "late_fee" in includes:
        view["late_fee"] = None
    if "owner" in includes:
        view["owner"] = {"id": 1, "userid": 1, "email": books.owner.email}
    return view


def settle(books: Books, row: Row) -> None:
    """Paid, outstanding and status from the active payments; overpaid is never below zero."""
    booked = [
        p for p in books.payments.values() if p["invoiceid"] == row["id"] and p["vis_state"] == 0
    ]
    total = sum((p["amount"] for p in booked), Decimal(0))
    row["paid"] = min(total, max(row["amount"], Decimal(0)))
    row["outstanding"] = row["amount"] - row["paid"]
    if booked and row["outstanding"] <= 0:
        row["status"] = 4
        row["date_paid"] = max(p["date"] for p in booked)
    elif row["status"] == 4:
        row["status"], row["date_paid"] = 2, None
