"""Taxes, items and the account's system: read to know names, never referred to by lines (§7)."""

from decimal import Decimal

from server.sandbox.freshbooks import checks
from server.sandbox.freshbooks.errors import refused
from server.sandbox.freshbooks.money import plain, printed
from server.sandbox.freshbooks.state import Books, Row

TAX_FIELDS: dict[str, checks.Check] = {
    "name": checks.full_text,
    "amount": checks.percent,
    "number": checks.text,
    "compound": checks.flag,
}

ITEM_FIELDS: dict[str, checks.Check] = {
    "name": checks.full_text,
    "description": checks.full_text,
    "qty": checks.number,
    "sku": checks.full_text,
    "inventory": checks.text,
    "unit_cost": checks.money,
    "tax1": checks.whole,
    "tax2": checks.whole,
}

ITEM_COPIED = (
    "id",
    "name",
    "description",
    "sku",
    "inventory",
    "tax1",
    "tax2",
    "updated",
    "vis_state",
)


def create_tax(books: Books, body: Row) -> Row:
    checks.require(body, "tax", "name")
    found = checks.accept(body, TAX_FIELDS, "tax", books.switches)
    row = {"amount": Decimal(0), "number": None, "compound": False, **found}
    return books.add("tax", books.taxes, row)


def update_tax(books: Books, row: Row, body: Row) -> list[str]:
    row |= checks.accept(body, TAX_FIELDS, "tax", books.switches)
    books.touch(books.taxes, row)
    return ["tax.update"]


def shown_tax(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    """No vis_state: a tax is really deleted."""
    return {
        "accounting_systemid": books.account_id,
        "id": row["id"],
        "taxid": row["id"],
        "name": row["name"],
        "amount": plain(row["amount"]),
        "number": row["number"],
        "compound": row["compound"],
        "updated": row["updated"],
    }


def refuse_items_without_access(books: Books) -> None:
    """Gated by plan or role: errors with HTTP 200 (reference §2.4)."""
    if not books.switches.items_access:
        raise refused(200, 12001, "You do not have access to items.")


def create_item(books: Books, body: Row) -> Row:
    checks.require(body, "item", "name")
    found = checks.accept(body, ITEM_FIELDS, "item", books.switches)
    blank = {"description": "", "qty": Decimal(1), "sku": "", "inventory": None}
    row = {**blank, "unit_cost": (Decimal(0), None), "tax1": 0, "tax2": 0, **found}
    return books.add("item", books.items, row)


def update_item(books: Books, row: Row, body: Row) -> list[str]:
    if "vis_state" in body:
        row |= checks.accept(body, {"vis_state": checks.vis_state}, "item", books.switches)
    else:
        row |= checks.accept(body, ITEM_FIELDS, "item", books.switches)
    books.touch(books.items, row)
    return ["item.delete" if row["vis_state"] == 1 else "item.update"]


def shown_item(books: Books, row: Row, includes: frozenset[str] = frozenset()) -> Row:
    amount, code = row["unit_cost"]
    return {key: row[key] for key in ITEM_COPIED} | {
        "accounting_systemid": books.account_id,
        "itemid": row["id"],
        "qty": plain(row["qty"]),
        "unit_cost": printed(amount, code or books.currency, books.switches),
    }


def shown_system(books: Books) -> Row:
    """The account itself, in the few keys that a client might read."""
    return {
        "id": books.system_id,
        "systemid": books.system_id,
        "accounting_systemid": books.account_id,
        "account_id": books.account_id,
        "business_id": books.business_id,
        "business_uuid": books.business_uuid,
        "name": books.name,
        "currency_code": books.currency,
        "timezone": books.timezone,
        "country": books.country,
        "active": True,
    }
