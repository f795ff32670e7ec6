"""The accounting resources in one table: path, keys, scope, searches and what can be done."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from server.sandbox.freshbooks import (
    catalog,
    clients,
    credit_notes,
    invoice_view,
    invoices,
    payments,
)
from server.sandbox.freshbooks.listing import Searches
from server.sandbox.freshbooks.state import Books, Row, Table


@dataclass(frozen=True)
class Resource:
    """``delete``: what HTTP DELETE does: "hide" (vis_state 1), "real", or "" for 405."""

    path: str
    one: str
    many: str
    scope: str
    id_key: str
    table: Callable[[Books], Table]
    create: Callable[[Books, Row], Row]
    update: Callable[[Books, Row, Row], list[str]]
    shown: Callable[[Books, Row, frozenset[str]], Row]
    searches: Searches
    delete: str = ""
    gate: Callable[[Books], None] = lambda books: None


def _same(*keys: str) -> dict[str, Callable[[Row], object]]:
    return {key: itemgetter(key) for key in keys}


def _has(fits: Callable[[Books, Row], object]) -> Callable[[Books, Row], str]:
    """Whether a client has an invoice, not deleted, that fits: "true" or "false"."""

    def answer(books: Books, client: Row) -> str:
        own = (inv for inv in books.invoices.values() if inv["customerid"] == client["id"])
        return str(any(inv["vis_state"] != 1 and fits(books, inv) for inv in own)).lower()

    return answer


def _invoice_of(books: Books, payment: Row) -> Row:
    return books.invoices[payment["invoiceid"]]


#: Reference §2.3: create_date_min/max, status, statusid and payment_status are not recognised.
INVOICES = Resource(
    path="invoices/invoices",
    one="invoice",
    many="invoices",
    scope="invoices",
    id_key="invoiceid",
    table=lambda books: books.invoices,
    create=invoices.create,
    update=invoices.update,
    shown=invoice_view.shown,
    delete="hide",
    searches=Searches(
        ids={"customerid": itemgetter("customerid"), "invoiceid": itemgetter("id")},
        exact=_same("invoice_number"),
        flags={
            "paid": lambda row: row["status"] == 4,
            "outstanding": lambda row: row["status"] != 1 and row["outstanding"] > 0,
        },
        days={"date": itemgetter("create_date"), "updated": itemgetter("updated")},
        sorts={"invoice_date": itemgetter("create_date")},
        computed={"v3_status": invoice_view.v3_status},
    ),
)

CLIENTS = Resource(
    path="users/clients",
    one="client",
    many="clients",
    scope="clients",
    id_key="userid",
    table=lambda books: books.clients,
    create=clients.create,
    update=clients.update,
    shown=clients.shown,
    searches=Searches(
        ids={"userid": itemgetter("id")},
        exact=_same("email", "username"),
        like={
            **_same("email", "organization", "fname", "lname", "note"),
            "user": lambda row: f"{row['fname']} {row['lname']} {row['organization']}",
            "address": lambda row: f"{row['p_street']} {row['p_street2']} {row['p_city']}",
            "phone": lambda row: f"{row['bus_phone']} {row['mob_phone']} {row['home_phone']}",
        },
        days={"updated": itemgetter("updated")},
        sorts={
            "client_id": itemgetter("id"),
            "organization_name": itemgetter("organization"),
            "fullname": lambda row: f"{row['fname']} {row['lname']}",
            **_same("email", "bus_phone", "updated"),
        },
        computed={
            "has_draft": _has(lambda books, inv: inv["status"] == 1),
            "has_outstanding": _has(lambda books, inv: inv["status"] != 1 and inv["outstanding"]),
            "has_overdue": _has(lambda books, inv: invoice_view.v3_status(books, inv) == "overdue"),
        },
    ),
)

PAYMENTS = Resource(
    path="payments/payments",
    one="payment",
    many="payments",
    scope="payments",
    id_key="logid",
    table=lambda books: books.payments,
    create=payments.create,
    update=payments.update,
    shown=payments.shown,
    searches=Searches(
        ids={
            "logid": itemgetter("id"),
            "customerid": itemgetter("clientid"),
            **_same("clientid", "invoiceid"),
        },
        exact={"type": itemgetter("type"), "currency": itemgetter("code")}
        | {"notes": itemgetter("note")},
        flags=_same("from_credit"),
        days=_same("date", "updated"),
        amounts=_same("amount"),
        computed={
            "number": lambda books, row: str(_invoice_of(books, row)["invoice_number"]),
            "payment_or_credit": lambda _, row: "credit" if row["from_credit"] else "invoice",
        },
    ),
)

CREDIT_NOTES = Resource(
    path="credit_notes/credit_notes",
    one="credit_note",
    many="credit_notes",
    scope="credit_notes",
    id_key="creditid",
    table=lambda books: books.credit_notes,
    create=credit_notes.create,
    update=credit_notes.update,
    shown=credit_notes.shown,
    searches=Searches(ids=_same("clientid"), days={"date": itemgetter("create_date")}),
)

TAXES = Resource(
    path="taxes/taxes",
    one="tax",
    many="taxes",
    scope="taxes",
    id_key="taxid",
    table=lambda books: books.taxes,
    create=catalog.create_tax,
    update=catalog.update_tax,
    shown=catalog.shown_tax,
    delete="real",
    searches=Searches(
        ids={"taxid": itemgetter("id")},
        exact=_same("name", "number"),
        flags=_same("compound"),
        days={"updated": itemgetter("updated")},
    ),
)

ITEMS = Resource(
    path="items/items",
    one="item",
    many="items",
    scope="billable_items",
    id_key="itemid",
    table=lambda books: books.items,
    create=catalog.create_item,
    update=catalog.update_item,
    shown=catalog.shown_item,
    gate=catalog.refuse_items_without_access,
    searches=Searches(ids={"itemid": itemgetter("id")}, exact=_same("name", "sku")),
)

ALL = {r.path: r for r in (INVOICES, CLIENTS, PAYMENTS, CREDIT_NOTES, TAXES, ITEMS)}
