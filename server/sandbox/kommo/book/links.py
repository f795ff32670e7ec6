"""Links between cards, and the quantity of a product on a deal (§4.4)."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.catalogs import Catalogs
from server.sandbox.kommo.book.parties import SINGULAR
from server.sandbox.kommo.book.records import Actor, Contact, Deal, ProductLink

Row = Mapping[str, Any]


class LinkBroken(Exception):
    """The vendor answers 500: seen when an already linked product is linked again."""


class Links(Catalogs):
    """``POST /{entity}/{id}/link`` and ``unlink``, whose rows are checked before any is applied."""

    def check_link(self, entity: str, row: Row) -> None:
        """Raises Refused for a target that is not there."""
        known: dict[str, Mapping[int, Any]] = {
            "leads": self.deals,
            "contacts": self.contacts,
            "companies": self.companies,
            "catalog_elements": self.elements,
        }
        kind = row.get("to_entity_type")
        if kind not in known or (entity == kind):
            raise Refused("NotSupportedChoice", "to_entity_type", NOT_A_CHOICE)
        target = known[kind].get(row.get("to_entity_id"))  # type: ignore[arg-type]
        if target is None or target.is_deleted:
            raise Refused("NotSupportedChoice", "to_entity_id", NOT_A_CHOICE)
        if kind == "catalog_elements":
            metadata = row.get("metadata") or {}
            if metadata.get("catalog_id") != target.catalog_id:
                raise Refused("NotSupportedChoice", "metadata.catalog_id", NOT_A_CHOICE)
            _quantity(metadata)

    def link(self, entity: str, entity_id: int, row: Row, by: Actor) -> None:
        """One row, already checked. Raises LinkBroken."""
        kind, target = row["to_entity_type"], row["to_entity_id"]
        metadata = row.get("metadata") or {}
        with self.lock:
            if entity != "leads" and kind == "leads":
                flipped = {**row, "to_entity_type": entity, "to_entity_id": entity_id}
                self.link("leads", target, flipped, by)
                return
            if entity == "leads":
                self._link_deal(self.deals[entity_id], kind, target, metadata)
                self.tell_updated(self.deals[entity_id], by)
            elif {entity, kind} == {"contacts", "companies"}:
                pair = {entity: entity_id, kind: target}
                self.contacts[pair["contacts"]].company_id = pair["companies"]
            self._note_link("entity_linked", entity, entity_id, row, by)

    def _link_deal(self, deal: Deal, kind: str, target: int, metadata: Row) -> None:
        if kind == "contacts":
            if target not in deal.contacts:
                deal.contacts.append(target)
            if metadata.get("is_main") or deal.main_contact_id is None:
                deal.main_contact_id = target
        elif kind == "companies":
            deal.company_id = target
        else:
            self._link_product(deal, target, metadata)

    def _link_product(self, deal: Deal, element_id: int, metadata: Row) -> None:
        there = next((one for one in deal.products if one.element_id == element_id), None)
        if there is not None and self.switches.relink_status == 500:
            raise LinkBroken
        if there is None:
            there = ProductLink(element_id, metadata["catalog_id"])
            deal.products.append(there)
        there.quantity = _quantity(metadata)
        there.price_id = self._price_id(metadata)

    def _price_id(self, metadata: Row) -> int | None:
        """The standard PRICE field is the default and is not told on reading."""
        price_id = metadata.get("price_id")
        if price_id is None or self.fields[price_id].code == "PRICE":
            return None
        return int(price_id)

    def unlink(self, entity: str, entity_id: int, row: Row, by: Actor) -> None:
        """One row, already checked; unlinking what is not linked changes nothing."""
        kind, target = row["to_entity_type"], row["to_entity_id"]
        with self.lock:
            if entity != "leads" and kind == "leads":
                flipped = {**row, "to_entity_type": entity, "to_entity_id": entity_id}
                self.unlink("leads", target, flipped, by)
                return
            if entity == "leads":
                self._unlink_deal(self.deals[entity_id], kind, target)
                self.tell_updated(self.deals[entity_id], by)
            elif {entity, kind} == {"contacts", "companies"}:
                pair = {entity: entity_id, kind: target}
                contact = self.contacts[pair["contacts"]]
                contact.company_id = None
            self._note_link("entity_unlinked", entity, entity_id, row, by)

    @staticmethod
    def _unlink_deal(deal: Deal, kind: str, target: int) -> None:
        if kind == "contacts":
            deal.contacts = [one for one in deal.contacts if one != target]
            if deal.main_contact_id == target:
                deal.main_contact_id = deal.contacts[0] if deal.contacts else None
        elif kind == "companies" and deal.company_id == target:
            deal.company_id = None
        elif kind == "catalog_elements":
            deal.products = [one for one in deal.products if one.element_id != target]

    def _note_link(self, kind: str, entity: str, entity_id: int, row: Row, by: Actor) -> None:
        target = {
            "type": SINGULAR.get(row["to_entity_type"], "catalog_element"),
            "id": row["to_entity_id"],
        }
        link = [{"link": {"entity": target}}]
        after, before = (link, []) if kind == "entity_linked" else ([], link)
        self.note_event(kind, (SINGULAR[entity], entity_id), by, after, before)

    def links_of(self, entity: str, entity_id: int) -> list[dict[str, Any]]:
        """Rows as ``GET /{entity}/{id}/links`` shows them."""
        if entity == "leads":
            return _deal_links(self.deals[entity_id])
        party = self.party(entity, entity_id)
        if party is None:
            return []
        rows = [_link(deal_id, "leads") for deal_id in self.deals_of(party)]
        if isinstance(party, Contact) and party.company_id is not None:
            rows.append(_link(party.company_id, "companies"))
        if entity == "companies":
            staff = [c.id for c in self.contacts.values() if c.company_id == entity_id]
            rows.extend(_link(contact_id, "contacts") for contact_id in staff)
        return rows


def _deal_links(deal: Deal) -> list[dict[str, Any]]:
    rows = [
        {
            "to_entity_id": one.element_id,
            "to_entity_type": "catalog_elements",
            "metadata": product_metadata(one),
        }
        for one in deal.products
    ]
    for contact_id in deal.contacts:
        main = {"main_contact": contact_id == deal.main_contact_id}
        rows.append(_link(contact_id, "contacts", main))
    if deal.company_id is not None:
        rows.append(_link(deal.company_id, "companies"))
    return rows


def _link(target: int, kind: str, metadata: Any = None) -> dict[str, Any]:
    return {"to_entity_id": target, "to_entity_type": kind, "metadata": metadata}


def product_metadata(link: ProductLink) -> dict[str, Any]:
    """Quantity 2 reads as 2, 2.5 as 2.5; ``price_id`` only where it is not the standard one."""
    whole = link.quantity == link.quantity.to_integral_value()
    metadata: dict[str, Any] = {
        "quantity": int(link.quantity) if whole else float(link.quantity),
        "catalog_id": link.catalog_id,
    }
    if link.price_id is not None:
        metadata["price_id"] = link.price_id
    return metadata


def _quantity(metadata: Row) -> Decimal:
    try:
        quantity = Decimal(str(metadata.get("quantity", 1)))
    except InvalidOperation:
        quantity = Decimal(-1)
    if not quantity.is_finite() or quantity <= 0:
        raise Refused("InvalidType", "metadata.quantity", "This value should be positive.")
    return quantity
