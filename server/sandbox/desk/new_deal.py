"""A deal added on the board, with its contact and one product at most."""

from decimal import Decimal
from typing import Any

from server.sandbox.kommo.account import Account

from .amounts import amount_in
from .said import Impossible


def make_deal(account: Account, order: dict[str, Any]) -> str:
    """``name``, ``price``, ``stage`` and ``pipeline``; ``contact`` an id, or ``contact_name`` with
    ``email`` and ``company`` for a new one; ``product`` with ``quantity``; ``fields`` by id.
    """
    name = str(order.get("name", "")).strip()
    if not name:
        raise Impossible("a deal needs a name")
    fields: dict[int | str, Any] = {
        int(key): value for key, value in (order.get("fields") or {}).items() if value
    }
    products = []
    if order.get("product"):
        products.append((int(order["product"]), Decimal(str(order.get("quantity") or 1))))
    # The amount is read before anything is made, so that a wrong one leaves no contact behind.
    amount = amount_in(str(order.get("price", "")))
    contact, company = _people(account, order)
    account.add_deal(
        name, amount, pipeline_id=int(order["pipeline"]), stage_id=int(order["stage"]),
        contact=contact, company=company, fields=fields, products=products,
    )  # fmt: skip
    return f"{name}: added."


def _people(account: Account, order: dict[str, Any]) -> tuple[int | None, int | None]:
    """Ids of contact and company, either may be missing."""
    if order.get("contact"):
        known = account.contacts[int(order["contact"])]
        return known.id, known.company_id
    company = str(order.get("company", "")).strip()
    company_id = account.add_company(company).id if company else None
    name = str(order.get("contact_name", "")).strip()
    if not name:
        return None, company_id
    email = str(order.get("email", "")).strip() or None
    return account.add_contact(name, email=email, company=company_id).id, company_id
