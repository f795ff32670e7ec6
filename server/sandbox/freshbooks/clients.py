"""Clients: the parties that are invoiced. Twins are accepted (reference §4)."""

import re
import secrets
from decimal import Decimal

from server.sandbox.freshbooks import checks, stamps
from server.sandbox.freshbooks.errors import not_found, refused
from server.sandbox.freshbooks.money import printed
from server.sandbox.freshbooks.state import Books, Row

_STRINGS = """fname lname organization mob_phone bus_phone fax p_street p_street2 p_city
p_province p_code p_country s_street s_street2 s_city s_province s_code s_country"""
#: Null, not "", in what a trial account printed for a new client.
_NULLS = "home_phone note vat_name vat_number company_industry company_size"
_FLAGS = """allow_late_fees allow_late_notifications allow_email_include_pdf pref_email
pref_gmail"""
STRINGS, NULLS, FLAGS = _STRINGS.split(), _NULLS.split(), _FLAGS.split()

FIELDS: dict[str, checks.Check] = {
    "email": checks.email,
    "language": checks.language,
    "currency_code": checks.currency,
    **dict.fromkeys(STRINGS, checks.full_text),
    **dict.fromkeys(NULLS, checks.text),
    **dict.fromkeys(FLAGS, checks.flag),
}

CONSTANT: Row = {
    "direct_link_token": None,
    "exceeds_client_limit": 0,
    "has_retainer": None,
    "last_activity": None,
    "last_login": None,
    "level": 0,
    "notified": False,
    "num_logins": 0,
    "number_format": None,
    "retainer_id": None,
    "role": "client",
    "statement_token": None,
    "subdomain": None,
}


def create(books: Books, body: Row) -> Row:
    """Nothing is required and nothing is unique."""
    found = checks.accept(body, FIELDS, "client", books.switches)
    row: Row = {
        "email": "",
        "language": "en",
        "currency_code": books.currency,
        **dict.fromkeys(STRINGS, ""),
        **dict.fromkeys(NULLS),
        "allow_late_fees": True,
        "allow_late_notifications": True,
        "allow_email_include_pdf": False,
        "pref_email": True,
        "pref_gmail": False,
        **found,
        "contacts": body.get("contacts") or [],
        "signup_date": stamps.utc(books.now),
    }
    named = row["fname"] or row["lname"] or row["organization"]
    if not named and books.switches.organization_from_email:
        row["organization"] = row["email"]
    row["username"] = _username(books, row)
    return books.add("client", books.clients, row)


def update(books: Books, row: Row, body: Row) -> list[str]:
    """``vis_state`` is a phase of its own; else the given fields change."""
    if "vis_state" in body:
        asked = checks.accept(body, {"vis_state": checks.vis_state}, "client", books.switches)
        row["vis_state"] = asked["vis_state"]
    else:
        if row["vis_state"] == 1:
            raise refused(422, 1011, "Client has been deleted.", object="client")
        row |= checks.accept(body, FIELDS, "client", books.switches)
        if "contacts" in body:
            row["contacts"] = body["contacts"]
    books.touch(books.clients, row)
    return ["client.delete" if row["vis_state"] == 1 else "client.update"]


def shown(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    """The client object of a reply: 53 keys."""
    view = {key: row[key] for key in FIELDS}
    for key in ("id", "username", "uuid", "updated", "signup_date", "vis_state"):
        view[key] = row[key]
    view |= CONSTANT | {"userid": row["id"], "accounting_systemid": books.account_id}
    for key in ("late_reminders", "recent_contacts", "contacts"):
        if key in includes:
            view[key] = row["contacts"] if key == "contacts" else []
    for key in sorted(includes & _BALANCES.keys()):
        view[key] = _balance(books, row, _BALANCES[key])
    return view


#: include key → the invoice statuses it sums up
_BALANCES: dict[str, tuple[int, ...]] = {
    "outstanding_balance": (0, 2, 3),
    "draft_balance": (1,),
    "grand_total_balance": (0, 1, 2, 3, 4),
}


def _balance(books: Books, row: Row, statuses: tuple[int, ...]) -> list[Row]:
    sums: dict[str, Decimal] = {}
    for inv in books.invoices.values():
        if inv["customerid"] == row["id"] and inv["vis_state"] != 1 and inv["status"] in statuses:
            code = inv["currency_code"]
            sums[code] = sums.get(code, Decimal(0)) + inv["outstanding"]
    return [{"amount": printed(total, code, books.switches)} for code, total in sums.items()]


def client_to_bill(books: Books, client_id: int) -> Row:
    """The client an invoice is for: unknown is 404, deleted refused, archived as switched."""
    row = books.clients.get(client_id)
    if row is None:
        raise not_found("client", "userid", client_id)
    archived_refused = row["vis_state"] == 2 and books.switches.archived_client_refused
    if row["vis_state"] == 1 or archived_refused:
        state = "deleted" if row["vis_state"] == 1 else "archived"
        raise refused(
            422,
            1011,
            f"Client has been {state}.",
            field="customerid",
            object="client",
            value=str(client_id),
        )
    return row


def _username(books: Books, row: Row) -> str:
    """ "testclient", the next one "testclient2"."""
    words = row["fname"] + row["lname"] or row["organization"] or row["email"].split("@")[0]
    base = re.sub(r"[^a-z0-9]", "", words.lower()) or secrets.token_hex(4)
    taken = {client["username"] for client in books.clients.values()}
    name, n = base, 2
    while name in taken:
        name, n = f"{base}{n}", n + 1
    return name
