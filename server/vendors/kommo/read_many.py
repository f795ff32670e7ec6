"""Many deals become sales in few calls: one call for 250 contacts, companies or products.

For looking back over weeks; a deal that is billed is read on its own (``read``), as it is now.
"""

from collections.abc import Collection, Sequence
from zoneinfo import ZoneInfo

from server.core.sale import Sale
from server.vendors.http import shaped
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.read import (
    SOURCE,
    Found,
    Link,
    company_of,
    main_contact,
    products_of,
    sale_of,
)
from server.vendors.kommo.records import Row


def read_sales(
    client: KommoClient,
    deals: Sequence[Row],
    *,
    currency: str,
    timezone: str,
    product_catalogs: Collection[int],
) -> list[Sale]:
    """In the order of ``deals``, which come with their links. Raises the outcomes.

    ``currency`` and ``timezone`` are the account's; ``product_catalogs`` hold what is sold.
    """
    linked = [shaped(SOURCE, lambda deal: _linked(deal, product_catalogs), deal) for deal in deals]
    people = {row["id"]: row for row in client.contacts(filter(None, (one[0] for one in linked)))}
    firms = {row["id"]: row for row in client.companies(filter(None, (one[1] for one in linked)))}
    elements = _elements(client, [link for one in linked for link in one[2]])
    found = [
        Found(
            deal=deal,
            contact_id=contact,
            contact=people.get(contact),
            company_id=company,
            company=firms.get(company),
            links=links,
            elements=elements,
            zone=ZoneInfo(timezone),
        )
        for deal, (contact, company, links) in zip(deals, linked, strict=True)
    ]
    return [shaped(SOURCE, lambda one: sale_of(one, currency), one) for one in found]


def _linked(
    deal: Row, catalogs: Collection[int]
) -> tuple[int | None, int | None, tuple[Link, ...]]:
    """A deal's main contact, its company, and the products that are sold."""
    links = tuple(link for link in products_of(deal) if link.catalog_id in catalogs)
    return main_contact(deal), company_of(deal), links


def _elements(client: KommoClient, links: Sequence[Link]) -> dict[tuple[int, int], Row]:
    wanted: dict[int, set[int]] = {}
    for link in links:
        wanted.setdefault(link.catalog_id, set()).add(link.element_id)
    return {
        (catalog_id, row["id"]): row
        for catalog_id, ids in sorted(wanted.items())
        for row in client.elements(catalog_id, ids)
    }
