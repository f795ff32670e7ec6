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
    contacts = {deal["id"]: shaped(SOURCE, main_contact, deal) for deal in deals}
    companies = {deal["id"]: shaped(SOURCE, company_of, deal) for deal in deals}
    links = {
        deal["id"]: tuple(
            link
            for link in shaped(SOURCE, products_of, deal)
            if link.catalog_id in product_catalogs
        )
        for deal in deals
    }
    people = {row["id"]: row for row in client.contacts(filter(None, contacts.values()))}
    firms = {row["id"]: row for row in client.companies(filter(None, companies.values()))}
    elements = _elements(client, [link for of_deal in links.values() for link in of_deal])
    found = [
        Found(
            deal=deal,
            contact_id=contacts[deal["id"]],
            contact=people.get(contacts[deal["id"]]),
            company_id=companies[deal["id"]],
            company=firms.get(companies[deal["id"]]),
            links=links[deal["id"]],
            elements=elements,
            zone=ZoneInfo(timezone),
        )
        for deal in deals
    ]
    return [shaped(SOURCE, lambda one: sale_of(one, currency), one) for one in found]


def _elements(client: KommoClient, links: Sequence[Link]) -> dict[tuple[int, int], Row]:
    wanted: dict[int, set[int]] = {}
    for link in links:
        wanted.setdefault(link.catalog_id, set()).add(link.element_id)
    return {
        (catalog_id, row["id"]): row
        for catalog_id, ids in sorted(wanted.items())
        for row in client.elements(catalog_id, ids)
    }
