"""A deal becomes a sale: one deal, at most one contact and one company, one call a product list.

A hook's data is a snapshot of long ago; this is what stands there now. Source: reference kommo
§4.2 (deals; §4.2.1 the amount), §4.3, §4.4 (the link's quantity and price field), §4.5, §4.7.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from server.core.errors import Problem
from server.core.messages import N_
from server.core.money import Money, decimal_of
from server.core.said import say
from server.core.sale import FieldValue, Party, Place, Sale, SaleLine
from server.vendors.http import shaped
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.records import Row, moment
from server.vendors.kommo.values import read_fields

SOURCE = "kommo"
WON, LOST = 142, 143  # in every pipeline, §4.6
_PRICE = "PRICE"  # the code of a product's standard price field

_GONE = {
    "contact": (
        N_("The deal's contact was deleted or merged in Kommo."),
        N_("Open the deal in Kommo and choose its contact again."),
    ),
    "company": (
        N_("The deal's company was deleted or merged in Kommo."),
        N_("Open the deal in Kommo and choose its company again."),
    ),
    "product": (
        N_("The deal's product was deleted or merged in Kommo."),
        N_("Open the deal in Kommo and choose its product again."),
    ),
}

Filled = dict[str, tuple[FieldValue, ...]]


@dataclass(frozen=True)
class Link:
    """A product on the deal. ``price_id``: the price field chosen there; None: the standard one."""

    element_id: int
    catalog_id: int
    quantity: Decimal
    price_id: int | None


@dataclass(frozen=True)
class Found:
    """Everything that was read for one deal."""

    deal: Row
    contact_id: int | None
    contact: Row | None
    company_id: int | None
    company: Row | None
    links: tuple[Link, ...]
    elements: Mapping[tuple[int, int], Row]  # by list and element
    zone: ZoneInfo


def read_sale(
    client: KommoClient,
    deal_id: int,
    *,
    currency: str,
    timezone: str = "UTC",
    product_catalogs: Collection[int] | None = None,
) -> Sale | None:
    """None when the deal is deleted or was never there.

    ``currency`` and ``timezone`` are the account's: Kommo has one currency an account and stores
    dates as moments. ``product_catalogs``: the lists whose elements are sold; None: every list.
    What cannot be read as it should be is in the sale's ``problems``.
    """
    deal = client.deal(deal_id)
    if deal is None or deal.get("is_deleted"):
        return None
    found = _gather(client, deal, ZoneInfo(timezone), product_catalogs)
    return shaped(SOURCE, lambda found: sale_of(found, currency), found)


def _gather(
    client: KommoClient, deal: Row, zone: ZoneInfo, catalogs: Collection[int] | None
) -> Found:
    contact_id = shaped(SOURCE, main_contact, deal)
    company_id = shaped(SOURCE, company_of, deal)
    links = tuple(
        link
        for link in shaped(SOURCE, products_of, deal)
        if catalogs is None or link.catalog_id in catalogs
    )
    elements: dict[tuple[int, int], Row] = {}
    for catalog_id in sorted({link.catalog_id for link in links}):
        ids = [link.element_id for link in links if link.catalog_id == catalog_id]
        elements |= {(catalog_id, row["id"]): row for row in client.elements(catalog_id, ids)}
    return Found(
        deal=deal,
        contact_id=contact_id,
        contact=next(iter(client.contacts([contact_id])), None) if contact_id else None,
        company_id=company_id,
        company=client.company(company_id) if company_id else None,
        links=links,
        elements=elements,
        zone=zone,
    )


def alone(deal: Row, timezone: str) -> Found:
    """A deal with nothing of what it is linked with."""
    return Found(deal, None, None, None, None, (), {}, ZoneInfo(timezone))


def sale_of(found: Found, currency: str) -> Sale:
    deal = found.deal
    amount, problems = amount_of(deal, currency)
    missing = [
        link for link in found.links if (link.catalog_id, link.element_id) not in found.elements
    ]
    problems += _gone("contact", found.contact_id, found.contact)
    problems += _gone("company", found.company_id, found.company)
    problems += [problem for link in missing for problem in _gone("product", link.element_id, None)]
    return Sale(
        source=SOURCE,
        source_id=str(int(deal["id"])),
        title=str(deal.get("name") or ""),
        currency=currency,
        amount=amount,
        party=Party(
            contact_id=found.contact_id if found.contact else None,
            company_id=found.company_id if found.company else None,
        ),
        lines=tuple(_line(found, link) for link in found.links if link not in missing),
        fields=_deal_fields(found, amount) | _party_fields(found),
        place=Place(int(deal["pipeline_id"]), int(deal["status_id"])),
        responsible_user=_int(deal.get("responsible_user_id")),
        problems=tuple(problems),
        sparse=True,  # Kommo leaves empty fields out
    )


def amount_of(deal: Row, currency: str) -> tuple[Money | None, list[Problem]]:
    """The exact amount is ``price_with_minor_units``, in major units; ``price`` is its integer
    part. Kommo has no empty amount but 0.
    """
    exact, whole = _decimal(deal.get("price_with_minor_units")), _decimal(deal.get("price"))
    problems = []
    if exact is not None and whole is not None and int(exact) != int(whole):
        problems.append(
            Problem(
                "deal.price",
                say(
                    "Kommo tells two amounts of this deal: %(one)s and %(other)s.",
                    one=whole,
                    other=exact,
                ),
                say("Type the amount into the deal again."),
            )
        )
    amount = whole if exact is None else exact
    return (Money(amount, currency) if amount else None), problems


def _line(found: Found, link: Link) -> SaleLine:
    element = found.elements[link.catalog_id, link.element_id]
    name = str(element.get("name") or "")
    price = _price(element, link.price_id)
    own = {"id": link.element_id, "name": name, "quantity": link.quantity, "price": price}
    return SaleLine(
        product_id=link.element_id,
        name=name,
        quantity=link.quantity,
        unit_price=price,
        fields=_own(own, "product") | read_fields(element, "product", found.zone),
    )


def _price(element: Row, price_id: int | None) -> Decimal | None:
    """From the price field that the link names: the link itself carries no price (§4.4)."""
    for custom in element.get("custom_fields_values") or ():
        chosen = (
            custom.get("field_id") == price_id if price_id else custom.get("field_code") == _PRICE
        )
        if chosen and custom.get("values"):
            return _decimal(custom["values"][0].get("value"))
    return None


def _deal_fields(found: Found, amount: Money | None) -> Filled:
    deal = found.deal
    tags = (deal.get("_embedded") or {}).get("tags") or ()
    created = deal.get("created_at")
    day = moment(created).astimezone(found.zone).date() if created else None
    own = {
        "id": deal["id"],
        "name": deal.get("name"),
        "price": amount.amount if amount else None,
        "responsible_user_id": deal.get("responsible_user_id"),
    }
    fields = _own(own, "deal") | read_fields(deal, "deal", found.zone)
    fields["deal.tags"] = tuple(FieldValue(str(tag["name"])) for tag in tags)
    fields["deal.created_at"] = (FieldValue(day.isoformat(), day=day),) if day else ()
    return fields


def _party_fields(found: Found) -> Filled:
    fields: Filled = {}
    if found.contact:
        names = {
            name: found.contact.get(name) for name in ("id", "name", "first_name", "last_name")
        }
        fields |= _own(names, "contact") | read_fields(found.contact, "contact", found.zone)
    if found.company:
        names = {name: found.company.get(name) for name in ("id", "name")}
        fields |= _own(names, "company") | read_fields(found.company, "company", found.zone)
    return fields


def _own(values: Mapping[str, Any], prefix: str) -> Filled:
    """Built-in attributes as fields; what is empty has no value."""
    return {f"{prefix}.{name}": _field(value) for name, value in values.items()}


def _field(value: Any) -> tuple[FieldValue, ...]:
    if value is None or value == "":
        return ()
    if isinstance(value, int | Decimal):
        return (
            FieldValue(f"{value:f}" if isinstance(value, Decimal) else str(value), Decimal(value)),
        )
    return (FieldValue(str(value)),)


def _gone(what: str, linked_id: int | None, row: Row | None) -> list[Problem]:
    if linked_id is None or row is not None:
        return []
    reason, todo = _GONE[what]
    return [Problem(what, say(reason), say(todo))]


def main_contact(deal: Row) -> int | None:
    contacts = deal["_embedded"].get("contacts") or ()
    ranked = sorted(contacts, key=lambda contact: not contact.get("is_main"))
    return int(ranked[0]["id"]) if ranked else None


def company_of(deal: Row) -> int | None:
    companies = deal["_embedded"].get("companies") or ()
    return int(companies[0]["id"]) if companies else None


def products_of(deal: Row) -> tuple[Link, ...]:
    return tuple(
        Link(
            element_id=int(row["id"]),
            catalog_id=int(row["metadata"]["catalog_id"]),
            quantity=Decimal(str(row["metadata"].get("quantity", 1))),
            price_id=_int(row["metadata"].get("price_id")),
        )
        for row in deal["_embedded"].get("catalog_elements") or ()
    )


def _decimal(value: Any) -> Decimal | None:
    return None if value is None or isinstance(value, bool) else decimal_of(str(value))


def _int(value: Any) -> int | None:
    return int(value) if value else None
