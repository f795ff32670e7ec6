"""Contacts and companies: create, change, merge, delete."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.kommo.book import v2
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused, id_of, touch
from server.sandbox.kommo.book.deals import Deals
from server.sandbox.kommo.book.records import Actor, Card, Company, Contact

Row = Mapping[str, Any]
Party = Contact | Company
SINGULAR = {"leads": "lead", "contacts": "contact", "companies": "company"}


class Parties(Deals):
    """Who the deal is with."""

    def add_contact(
        self,
        name: str = "",
        *,
        first_name: str = "",
        last_name: str = "",
        email: str | None = None,
        phone: str | None = None,
        company: Any = None,
        fields: Mapping[int | str, Any] | None = None,
    ) -> Contact:
        """As a user does it; ``company``: a row or its id."""
        values: dict[int | str, Any] = {"EMAIL": email, "PHONE": phone, **(fields or {})}
        row: dict[str, Any] = {
            "name": name,
            "first_name": first_name,
            "last_name": last_name,
            "custom_fields_values": self.typed("contacts", _filled(values)),
        }
        if company is not None:
            row["_embedded"] = {"companies": [{"id": id_of(company)}]}
        made = self.make_party("contacts", row, self.owner())
        assert isinstance(made, Contact)
        return made

    def add_company(
        self,
        name: str,
        *,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
        fields: Mapping[int | str, Any] | None = None,
    ) -> Company:
        """As a user does it."""
        values: dict[int | str, Any] = {"EMAIL": email, "PHONE": phone, "ADDRESS": address}
        row = {
            "name": name,
            "custom_fields_values": self.typed("companies", _filled({**values, **(fields or {})})),
        }
        made = self.make_party("companies", row, self.owner())
        assert isinstance(made, Company)
        return made

    def party(self, entity: str, party_id: int) -> Party | None:
        rows: Mapping[int, Party] = self.contacts if entity == "contacts" else self.companies
        return rows.get(party_id)

    def check_party(self, entity: str, row: Row) -> None:
        """Raises Refused before anything is written."""
        user = row.get("responsible_user_id")
        if user is not None and user not in self.users:
            raise Refused("NotSupportedChoice", "responsible_user_id", NOT_A_CHOICE)
        self.checked_values(entity, row.get("custom_fields_values") or [])
        for index, one in enumerate((row.get("_embedded") or {}).get("companies") or []):
            if one.get("id") not in self.companies:
                path = f"_embedded.companies.{index}.id"
                raise Refused("NotSupportedChoice", path, NOT_A_CHOICE)

    def make_party(self, entity: str, row: Row, by: Actor) -> Party:
        """A new contact or company from a row in the API's shape. Raises Refused."""
        with self.lock:
            self.check_party(entity, row)
            at, kind = self.now(), Contact if entity == "contacts" else Company
            party: Party = kind(
                id=self.new_id(),
                name="",
                created_by=row.get("created_by", by.stamp),
                updated_by=by.stamp,
                created_at=row.get("created_at") or at,
                updated_at=at,
                responsible_user_id=row.get("responsible_user_id") or by.user_id,
            )
            self._fill(party, entity, row)
            if isinstance(party, Contact):
                self.contacts[party.id] = party
            else:
                self.companies[party.id] = party
            self.note_event(f"{SINGULAR[entity]}_added", (SINGULAR[entity], party.id), by)
            self._tell_party(party, entity, "add", by)
            return party

    def change_party(self, party: Party, entity: str, row: Row, by: Actor) -> Party:
        """Apply a row in the API's shape. Raises Refused."""
        with self.lock:
            self.check_party(entity, row)
            self._fill(party, entity, row)
            touch(party, by, self.now())
            self._tell_party(party, entity, "update", by)
            return party

    def update_contact(self, contact_id: int, **changes: Any) -> Contact:
        """As a user does it: ``name=, first_name=, last_name=, fields={...}``."""
        row = dict(changes)
        row["custom_fields_values"] = self.typed("contacts", row.pop("fields", {}))
        contact = self.contacts[contact_id]
        self.change_party(contact, "contacts", row, self.owner())
        return contact

    def update_company(self, company_id: int, **changes: Any) -> Company:
        """As a user does it: ``name=, fields={...}``."""
        row = dict(changes)
        row["custom_fields_values"] = self.typed("companies", row.pop("fields", {}))
        company = self.companies[company_id]
        self.change_party(company, "companies", row, self.owner())
        return company

    def _fill(self, party: Party, entity: str, row: Row) -> None:
        if row.get("responsible_user_id"):
            party.responsible_user_id = row["responsible_user_id"]
        if isinstance(party, Contact):
            _rename(party, row)
        elif row.get("name"):
            party.name = str(row["name"])
        self.write_values(party, entity, row.get("custom_fields_values") or [])
        embedded = row.get("_embedded") or {}
        if isinstance(party, Contact):
            for one in embedded.get("companies") or []:
                party.company_id = one["id"]
        if "tags" in embedded:
            party.tags = self.tagged(entity, embedded["tags"] or [])
        for tag in self.tagged(entity, row.get("tags_to_add") or []):
            if tag not in party.tags:
                party.tags.append(tag)
        gone = {one.get("id") or one.get("name") for one in row.get("tags_to_delete") or []}
        party.tags = [tag for tag in party.tags if not {tag.id, tag.name} & gone]

    def merge_contacts(self, keep: Any, lose: Any) -> Contact:
        """Two cards become one: deals move to ``keep``, ``lose`` is gone for the API."""
        kept, lost = self.contacts[id_of(keep)], self.contacts[id_of(lose)]
        by = self.owner()
        with self.lock:
            for field_id, values in lost.fields.items():
                kept.fields.setdefault(field_id, values)
            kept.company_id = kept.company_id or lost.company_id
            for deal in self.deals.values():
                deal.contacts = list(
                    dict.fromkeys(kept.id if one == lost.id else one for one in deal.contacts)
                )
                if deal.main_contact_id == lost.id:
                    deal.main_contact_id = kept.id
            lost.is_deleted = True
            touch(kept, by, self.now())
            after = [{"merged_entity": {"id": lost.id, "type": "contact"}}]
            self.note_event("entity_merged", ("contact", kept.id), by, after)
            self._tell_party(kept, "contacts", "update", by)
            self.fire("delete_contact", ("contacts", "delete", v2.deleted_party_row(lost)), by)
            return kept

    def delete_contact(self, contact: Any) -> None:
        """The card is gone, also from its deals."""
        self._delete(self.contacts[id_of(contact)], "contacts")

    def delete_company(self, company: Any) -> None:
        """The card is gone, also from its deals and contacts."""
        self._delete(self.companies[id_of(company)], "companies")

    def _delete(self, party: Party, entity: str) -> None:
        by = self.owner()
        with self.lock:
            party.is_deleted = True
            touch(party, by, self.now())
            cards: list[Card] = [*self.deals.values(), *self.contacts.values()]
            for card in cards:
                _forget(card, party)
            kind = SINGULAR[entity]
            self.note_event(f"{kind}_deleted", (kind, party.id), by)
            self.fire(f"delete_{kind}", ("contacts", "delete", v2.deleted_party_row(party)), by)

    def deals_of(self, party: Party) -> list[int]:
        """Ids of the living deals that the contact or company is on."""
        is_contact = isinstance(party, Contact)
        return [
            deal.id
            for deal in self.deals.values()
            if not deal.is_deleted
            and (party.id in deal.contacts if is_contact else deal.company_id == party.id)
        ]

    def _tell_party(self, party: Party, entity: str, action: str, by: Actor) -> None:
        company = None
        if isinstance(party, Contact) and party.company_id is not None:
            company = self.companies.get(party.company_id)
        row = v2.party_row(party, self.fields, self.account_id, company, self.deals_of(party))
        self.fire(f"{action}_{SINGULAR[entity]}", ("contacts", action, row), by)


def _filled(values: Mapping[int | str, Any]) -> dict[int | str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _rename(contact: Contact, row: Row) -> None:
    """A name and its two parts follow each other, whichever is given."""
    if row.get("first_name") or row.get("last_name"):
        contact.first_name = str(row.get("first_name") or contact.first_name)
        contact.last_name = str(row.get("last_name") or contact.last_name)
        contact.name = str(row.get("name") or f"{contact.first_name} {contact.last_name}".strip())
    elif row.get("name"):
        contact.name = str(row["name"])
        contact.first_name, _, contact.last_name = contact.name.partition(" ")


def _forget(card: Card, party: Party) -> None:
    if hasattr(card, "contacts"):
        card.contacts = [one for one in card.contacts if one != party.id]
        if getattr(card, "main_contact_id", None) == party.id:
            card.main_contact_id = card.contacts[0] if card.contacts else None  # type: ignore[attr-defined]
    if getattr(card, "company_id", None) == party.id:
        card.company_id = None  # type: ignore[attr-defined]
