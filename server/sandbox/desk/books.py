"""FreshBooks' side of the page: what stands in the books, as its own user sees it."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from server.sandbox.freshbooks.acts import Business
from server.sandbox.freshbooks.invoice_view import due_date, v3_status
from server.sandbox.freshbooks.money import plain, printed

if TYPE_CHECKING:
    from server.sandbox import Sandbox

Row = dict[str, Any]


def books(sandbox: "Sandbox") -> list[Row]:
    """One entry a business; the newest invoice first."""
    world = sandbox.freshbooks
    with world.env.lock:
        return [_business(world.app_url, business) for business in world.businesses]


def _business(app_url: str, business: Business) -> Row:
    invoices = [_invoice(app_url, business, row) for row in business.invoices.values()]
    return {
        "account": business.account_id,
        "name": business.name,
        "invoices": invoices[::-1],
        "clients": [_client(business, row) for row in business.clients.values()][::-1],
        "mails": [
            {
                "id": mail.id,
                "number": business.invoices[mail.invoice_id]["invoice_number"],
                "to": ", ".join(mail.recipients),
                "subject": mail.subject,
            }
            for mail in business.mails.values()
        ][::-1],
    }


def client_name(row: Row) -> str:
    person = f"{row['fname'] or ''} {row['lname'] or ''}".strip()
    return row["organization"] or person or row["email"] or f"client {row['id']}"


def _client(business: Business, row: Row) -> Row:
    mine = [one for one in business.invoices.values() if one["customerid"] == row["id"]]
    return {
        "id": row["id"],
        "name": client_name(row),
        "person": f"{row['fname'] or ''} {row['lname'] or ''}".strip(),
        "email": row["email"] or "",
        "vat": f"{row['vat_name'] or ''} {row['vat_number'] or ''}".strip(),
        "place": ", ".join(filter(None, (row["p_street"], row["p_city"], row["p_country"]))),
        "invoices": sum(one["vis_state"] != 1 for one in mine),
        "gone": {1: "deleted", 2: "archived"}.get(row["vis_state"], ""),
    }


def _invoice(app_url: str, business: Business, row: Row) -> Row:
    code = row["currency_code"]

    def money(amount: Decimal) -> str:
        return printed(amount, code, business.switches)["amount"]

    client = business.clients.get(row["customerid"])
    deleted = row["vis_state"] == 1
    sums = ("amount", "outstanding", "paid", "tax", "subtotal")
    return {
        **{name: money(row[name]) for name in sums},
        "id": row["id"],
        "number": row["invoice_number"],
        "client": client_name(client) if client else "",
        "currency": code,
        "discount": money(row["discount_total"]) if row["discount_total"] else "",
        "percent": plain(row["discount_value"]),
        "status": "deleted" if deleted else v3_status(business, row),
        "created": row["create_date"],
        "due": due_date(row).isoformat(),
        "po": row["po_number"] or "",
        "notes": row["notes"] or "",
        "lines": [_line(line, money) for line in row["lines"]],
        "payments": _payments(business, row, money),
        "mails": sum(mail.invoice_id == row["id"] for mail in business.mails.values()),
        "page": f"{app_url}/#/invoice/{business.account_id}-{row['id']}",
        "open": not deleted and row["outstanding"] > 0,
    }


def _line(line: Row, money: Any) -> Row:
    return {
        "name": line["name"],
        "description": line["description"],
        "quantity": plain(line["qty"]),
        "price": money(line["unit_cost"]),
        "amount": money(line["amount"]),
        "taxes": [
            f"{line[f'taxName{n}']} {plain(Decimal(line[f'taxAmount{n}']))}\u00a0%"
            for n in ("1", "2")
            if line[f"taxName{n}"]
        ],
    }


def _payments(business: Business, row: Row, money: Any) -> list[Row]:
    return [
        {"id": one["id"], "amount": money(one["amount"]), "type": one["type"], "date": one["date"]}
        for one in business.payments.values()
        if one["invoiceid"] == row["id"] and one["vis_state"] == 0
    ]
