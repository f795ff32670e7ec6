"""FreshBooks' answers in our words: small readers that name only what we use.

A reader raises KeyError, TypeError or ValueError on a foreign shape; who calls it turns that into
*FreshBooks answered something else*. Source: reference freshbooks §1.4, §2.5, §3.2, §4.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from server.core.clock import known_zone
from server.core.money import Money

Row = dict[str, Any]

# Stamps carry no zone and are New York's, wherever the business is (§2.5, seen live).
EASTERN = ZoneInfo("America/New_York")


class VisState(IntEnum):
    ACTIVE = 0
    DELETED = 1
    ARCHIVED = 2


@dataclass(frozen=True)
class Business:
    """``account_id`` stands in accounting paths, ``business_id`` in others. ``role`` is the
    person's in the business; ``account_role`` "client" may read and never write.
    """

    business_id: int
    account_id: str
    name: str
    role: str
    timezone: str
    account_role: str = ""


@dataclass(frozen=True)
class Identity:
    id: int
    email: str
    businesses: tuple[Business, ...]
    name: str = ""  # of the person, "" where FreshBooks has none


@dataclass(frozen=True)
class FoundClient:
    id: int
    email: str
    organization: str
    vat_number: str
    vis_state: int
    name: str = ""  # of the person, "" where there is none


@dataclass(frozen=True)
class Invoice:
    """As FreshBooks has it now. ``tax`` is None where the answer came without its lines.

    ``status``: 1 draft, 2 sent, …; decide by ``v3_status``, ``payment_status`` and
    ``outstanding`` (§3.4). ``updated`` is aware UTC.
    """

    id: int
    number: str
    customer_id: int
    currency: str
    amount: Money
    tax: Money | None
    outstanding: Money
    status: int
    v3_status: str
    payment_status: str
    vis_state: int
    po_number: str
    notes: str
    create_date: date
    due_date: date | None
    updated: datetime | None = None


@dataclass(frozen=True)
class Callback:
    """A webhook's registration: one event, one address, its own verifier (sent to the address)."""

    id: int
    event: str
    uri: str
    verified: bool


def read_identity(row: Row) -> Identity:
    roles = {str(role.get("accountid")): str(role.get("role")) for role in row.get("roles") or ()}
    memberships = row.get("business_memberships") or ()
    named = {str(item["business"].get("account_id")) for item in memberships}
    spare = [account_id for account_id in roles if account_id not in named]
    found = [_business(item, roles, spare) for item in memberships]
    return Identity(
        id=int(row.get("identity_id") or row["id"]),
        email=str(row.get("email") or ""),
        businesses=tuple(business for business in found if business),
        name=f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip(),
    )


def _business(row: Row, roles: dict[str, str], spare: list[str]) -> Business | None:
    """None where neither the business nor the roles name an account (§1.4: it can be null)."""
    business = row["business"]
    account_id = business.get("account_id") or (spare[0] if len(spare) == 1 else None)
    if not account_id:
        return None
    return Business(
        business_id=int(business["id"]),
        account_id=str(account_id),
        name=str(business.get("name") or ""),
        role=str(row.get("role") or ""),
        timezone=known_zone(business.get("timezone")),
        account_role=roles.get(str(account_id), ""),
    )


def read_client(row: Row) -> FoundClient:
    return FoundClient(
        id=int(row["id"]),
        email=str(row.get("email") or ""),
        organization=str(row.get("organization") or ""),
        vat_number=str(row.get("vat_number") or ""),
        vis_state=int(row["vis_state"]),
        name=f"{row.get('fname') or ''} {row.get('lname') or ''}".strip(),
    )


def read_invoice(row: Row) -> Invoice:
    currency = str(row["currency_code"])
    amount = _money(row["amount"], currency)
    return Invoice(
        id=int(row["id"]),
        number=str(row["invoice_number"]),
        customer_id=int(row["customerid"]),
        currency=currency,
        amount=amount,
        tax=_tax(row, amount),
        outstanding=_money(row["outstanding"], currency),
        status=int(row["status"]),
        v3_status=str(row["v3_status"]),
        payment_status=str(row.get("payment_status") or ""),
        vis_state=int(row["vis_state"]),
        po_number=str(row.get("po_number") or ""),
        notes=str(row.get("notes") or ""),
        create_date=date.fromisoformat(row["create_date"]),
        due_date=date.fromisoformat(row["due_date"]) if row.get("due_date") else None,
        updated=stamp(row["updated"]) if row.get("updated") else None,
    )


def read_callback(row: Row) -> Callback:
    return Callback(
        id=int(row["callbackid"]),
        event=str(row["event"]),
        uri=str(row["uri"]),
        verified=bool(row["verified"]),
    )


def stamp(text: str) -> datetime:
    """ "2026-06-29 12:52:44" of New York, or ISO with a zone, as aware UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=EASTERN)).astimezone(UTC)


def web_address(told: str) -> str:
    """None is "": our pages and Kommo's make a link of it, and "javascript:" would run."""
    return told if told.lower().startswith(("https://", "http://")) else ""


def invoice_page(app_url: str, account_id: str, invoice_id: int) -> str:
    """FreshBooks' own page of an invoice, for those who may sign in there (§3.5)."""
    return f"{app_url}/#/invoice/{quote(account_id, safe='')}-{invoice_id}"


def _tax(row: Row, amount: Money) -> Money | None:
    """Total - lines - discount; no field tells it. ``discount_total`` is negative (§3.2)."""
    if "lines" not in row:
        return None
    discount = _money(row.get("discount_total") or {"amount": "0"}, amount.currency)
    net = sum((line.amount for line in _line_amounts(row["lines"], amount.currency)), Decimal(0))
    return Money(amount.amount - net - discount.amount, amount.currency)


def _line_amounts(lines: Iterable[Row], currency: str) -> list[Money]:
    return [_money(line["amount"], currency) for line in lines]


def _money(node: Row, currency: str) -> Money:
    """Amounts are strings, in a few places numbers. Of another currency: a foreign shape."""
    if node.get("code", currency) != currency:
        raise ValueError("two currencies on one invoice")
    return Money(Decimal(str(node["amount"])), currency)
