"""Credit notes: they belong to a client, and pay invoices by payments of type Credit (§5.2)."""

from decimal import Decimal

from server.sandbox.freshbooks import checks
from server.sandbox.freshbooks.clients import client_to_bill
from server.sandbox.freshbooks.errors import invalid, refused
from server.sandbox.freshbooks.invoice_lines import accepted_lines, add_up, shown_line
from server.sandbox.freshbooks.money import printed
from server.sandbox.freshbooks.state import Books, Row

CLIENT_COPY = {
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


def credit_type(value: object) -> str:
    """ "overpayment" exists too, but only the system makes it."""
    if value not in ("goodwill", "prepayment"):
        raise checks.Bad(1004, "must be one of goodwill or prepayment.")
    return str(value)


FIELDS: dict[str, checks.Check] = {
    "clientid": checks.whole,
    "create_date": checks.day,
    "credit_number": checks.text,
    "credit_type": credit_type,
    "currency_code": checks.currency,
    "language": checks.language,
    "notes": checks.full_text,
    "terms": checks.text,
    **dict.fromkeys(CLIENT_COPY, checks.full_text),
}


def create(books: Books, body: Row) -> Row:
    """The wrapper is singular; a plural one leaves ``clientid`` unseen and so required."""
    checks.require(body, "credit_note", "clientid")
    found = checks.accept(body, FIELDS, "credit_note", books.switches)
    client = client_to_bill(books, found["clientid"])
    row = _blank(books, client) | found
    row["lines"] = accepted_lines(books, body.get("lines"), row["currency_code"])
    return _numbered(books, row)


def from_overpayment(books: Books, payment: Row, surplus: Decimal) -> Row:
    """What was paid too much becomes the client's credit."""
    client = books.clients[payment["clientid"]]
    row = _blank(books, client) | {
        "currency_code": payment["code"],
        "credit_type": "overpayment",
    }
    entry = {"name": "Overpayment", "unit_cost": {"amount": str(surplus), "code": payment["code"]}}
    row["lines"] = accepted_lines(books, [entry], payment["code"])
    return _numbered(books, row)


def update(books: Books, row: Row, body: Row) -> list[str]:
    """``vis_state`` is a phase of its own; else fields and the whole set of lines change."""
    if "vis_state" in body:
        asked = checks.accept(body, {"vis_state": checks.vis_state}, "credit_note", books.switches)
        row["vis_state"] = asked["vis_state"]
    else:
        if row["vis_state"] == 1:
            raise refused(422, 1011, "Credit note has been deleted.", object="credit_note")
        found = checks.accept(body, FIELDS, "credit_note", books.switches)
        found.pop("clientid", None)
        code = str(found.get("currency_code", row["currency_code"]))
        if body.get("lines") is not None:
            found["lines"] = accepted_lines(books, body["lines"], code)
        row |= found
        add_up(books, row)
    books.touch(books.credit_notes, row)
    return ["credit_note.delete" if row["vis_state"] == 1 else "credit_note.update"]


def shown(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    """The credit note object of a reply; ``paid`` is how much of it is used."""
    view = {key: row[key] for key in FIELDS}
    used = _used(books, row)
    state = "unpaid" if not used else "partial" if used < row["amount"] else "paid"
    lines = row["lines"]
    view |= {
        "id": row["id"],
        "creditid": row["id"],
        "accounting_systemid": books.account_id,
        "amount": printed(row["amount"], row["currency_code"], books.switches),
        "paid": printed(used, row["currency_code"], books.switches),
        "payment_status": state,
        "status": "created",
        "display_status": "created",
        "current_organization": books.clients[row["clientid"]]["organization"],
        "description": lines[0]["description"] if lines else "",
        "dispute_status": None,
        "ext_archive": 0,
        "last_order_status": None,
        "payment_type": None,
        "sentid": 1,
        "template": "clean-grouped",
        "vis_state": row["vis_state"],
    }
    if "lines" in includes:
        view["lines"] = [shown_line(books, row, line, "creditid") for line in lines]
    return view


def refuse_without_credit(books: Books, payment: Row) -> None:
    """A payment of type Credit draws on the client's total credit in that currency."""
    client_id, code = payment["clientid"], payment["code"]
    if payment["amount"] > _granted(books, client_id, code) - _drawn(books, client_id, code):
        message = "The client does not have enough credit."
        raise invalid(1004, message, "amount", payment["amount"], "payment")


def _blank(books: Books, client: Row) -> Row:
    copied = {ours: client[theirs] or "" for ours, theirs in CLIENT_COPY.items()}
    return {
        **copied,
        "clientid": client["id"],
        "create_date": books.today.isoformat(),
        "credit_number": "",
        "credit_type": "goodwill",
        "currency_code": client["currency_code"],
        "language": client["language"],
        "notes": "",
        "terms": None,
        "discount_value": Decimal(0),
    }


def _numbered(books: Books, row: Row) -> Row:
    if not row["credit_number"]:
        books.last_numbers["credit_note"] += 1
        row["credit_number"] = f"{books.last_numbers['credit_note']:07d}"
    add_up(books, row)
    return books.add("credit_note", books.credit_notes, row)


def _of_client(books: Books, client_id: int, code: str) -> list[Row]:
    return [
        note
        for note in books.credit_notes.values()
        if note["clientid"] == client_id and note["currency_code"] == code and not note["vis_state"]
    ]


def _granted(books: Books, client_id: int, code: str) -> Decimal:
    return sum((note["amount"] for note in _of_client(books, client_id, code)), Decimal(0))


def _drawn(books: Books, client_id: int, code: str) -> Decimal:
    drawn = (
        payment["amount"]
        for payment in books.payments.values()
        if payment["from_credit"] and payment["clientid"] == client_id
        if payment["code"] == code and not payment["vis_state"]
    )
    return sum(drawn, Decimal(0))


def _used(books: Books, row: Row) -> Decimal:
    """Drawn credit is counted against the oldest notes first; which one pays cannot be chosen."""
    left = _drawn(books, row["clientid"], row["currency_code"])
    for note in _of_client(books, row["clientid"], row["currency_code"]):
        used: Decimal = min(left, note["amount"])
        if note is row:
            return used
        left -= used
    return Decimal(0)
