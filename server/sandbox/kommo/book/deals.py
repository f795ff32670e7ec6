"""Deals (Kommo: leads): what users and integrations do with them, and what that sets off."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from server.sandbox.kommo.book import v2
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused, id_of, touch
from server.sandbox.kommo.book.fields import Fields
from server.sandbox.kommo.book.hooks import Hooks
from server.sandbox.kommo.book.people import People
from server.sandbox.kommo.book.pipelines import Pipelines
from server.sandbox.kommo.book.records import LOST, WON, Actor, Deal, Field, ProductLink

Row = Mapping[str, Any]
#: (element id, quantity, price field id or None); the last two may be left out.
Product = tuple[Any, ...]
USER_EDITS = {"name", "price", "responsible_user_id", "loss_reason_id", "tags_to_add"}


class Deals(Fields, Hooks, People, Pipelines):
    """Create, change, move, delete and restore; each writes events and queues hooks."""

    def add_deal(  # noqa: PLR0913 who calls names what he gives
        self,
        name: str = "",
        price: Any = None,
        *,
        pipeline_id: int | None = None,
        stage_id: int | None = None,
        contact: Any = None,
        company: Any = None,
        fields: Mapping[int | str, Any] | None = None,
        products: Sequence[Product] = (),
        tags: Sequence[str] = (),
        responsible_user_id: int | None = None,
        by: Actor | None = None,
    ) -> Deal:  # fmt: skip
        """As a user does it. ``contact`` and ``company``: a row or its id; ``price`` exact."""
        row: dict[str, Any] = {"name": name, "pipeline_id": pipeline_id, "status_id": stage_id}
        if price is not None:
            row["price"] = Decimal(str(price))
        if responsible_user_id is not None:
            row["responsible_user_id"] = responsible_user_id
        row["custom_fields_values"] = self.typed("leads", fields or {})
        row["_embedded"] = {
            "contacts": [] if contact is None else [{"id": id_of(contact), "is_main": True}],
            "companies": [] if company is None else [{"id": id_of(company)}],
            "tags": [{"name": tag} for tag in tags],
        }
        return self.make_deal(row, by or self.owner(), products)

    def check_deal(self, row: Row, deal: Deal | None = None) -> None:
        """Raises Refused for what the API would not take, before anything is written."""
        at = (deal.pipeline_id, deal.status_id) if deal else None
        self.place(row.get("pipeline_id"), row.get("status_id"), at)
        user = row.get("responsible_user_id")
        if user is not None and user not in self.users:
            raise Refused("NotSupportedChoice", "responsible_user_id", NOT_A_CHOICE)
        self.checked_values("leads", row.get("custom_fields_values") or [])
        embedded = row.get("_embedded") or {}
        for kind, known in (("contacts", self.contacts), ("companies", self.companies)):
            for index, one in enumerate(embedded.get(kind) or []):
                if one.get("id") not in known:
                    path = f"_embedded.{kind}.{index}.id"
                    raise Refused("NotSupportedChoice", path, NOT_A_CHOICE)

    def make_deal(self, row: Row, by: Actor, products: Sequence[Product] = ()) -> Deal:
        """A new deal from a row in the API's shape. Raises Refused."""
        with self.lock:
            self.check_deal(row)
            pipeline_id, stage_id = self.place(row.get("pipeline_id"), row.get("status_id"))
            at = self.now()
            deal = Deal(
                id=self.new_id(),
                name=str(row.get("name") or ""),
                created_by=row.get("created_by", by.stamp),
                updated_by=by.stamp,
                created_at=row.get("created_at") or at,
                updated_at=at,
                responsible_user_id=row.get("responsible_user_id") or by.user_id,
                pipeline_id=pipeline_id,
                status_id=stage_id,
                price=row.get("price"),
                closed_at=at if stage_id in (WON, LOST) else None,
            )
            if not deal.name:
                deal.name = f"Lead #{deal.id}"
            self.write_values(deal, "leads", row.get("custom_fields_values") or [])
            self._embed(deal, row)
            for product in products:
                deal.products.append(self.product_link(*product))
            self.deals[deal.id] = deal
            self.note_event("lead_added", ("lead", deal.id), by, self._added_value(deal))
            self._tell(deal, "add_lead", "add", by)
            self.fire_stage(deal, None)
            return deal

    def _added_value(self, deal: Deal) -> list[dict[str, Any]]:
        return [_stage_value(deal.pipeline_id, deal.status_id)] if self._stage_in_added else []

    @property
    def _stage_in_added(self) -> bool:
        return self.switches.lead_added_has_status

    def product_link(
        self, element: Any, quantity: Any = 1, price_id: int | None = None
    ) -> ProductLink:
        """A link as it stands on a deal. Raises KeyError for an element that is not there."""
        row = self.elements[id_of(element)]
        return ProductLink(row.id, row.catalog_id, Decimal(str(quantity)), price_id)

    def _embed(self, deal: Deal, row: Row) -> None:
        embedded = row.get("_embedded") or {}
        for one in embedded.get("contacts") or []:
            deal.contacts.append(one["id"])
            if one.get("is_main") or deal.main_contact_id is None:
                deal.main_contact_id = one["id"]
        for one in embedded.get("companies") or []:
            deal.company_id = one["id"]
        if "tags" in embedded:
            deal.tags = self.tagged("leads", embedded["tags"] or [])
        added = self.tagged("leads", row.get("tags_to_add") or [])
        deal.tags.extend(tag for tag in added if tag not in deal.tags)
        gone = {(one.get("id"), one.get("name")) for one in row.get("tags_to_delete") or []}
        deal.tags = [
            t for t in deal.tags if (t.id, None) not in gone and (None, t.name) not in gone
        ]

    def update_deal(
        self,
        deal_id: int,
        *,
        fields: Mapping[int | str, Any] | None = None,
        products: Sequence[Product] | None = None,
        by: Actor | None = None,
        **changes: Any,
    ) -> Deal:
        """As a user does it: ``fields=, products=`` and any of ``USER_EDITS``.

        Raises PermissionError for a field that only integrations fill.
        """
        by = by or self.owner()
        if unknown := changes.keys() - USER_EDITS:
            raise TypeError(f"a deal has no {', '.join(sorted(unknown))}")
        if changes.get("price") is not None:
            changes["price"] = Decimal(str(changes["price"]))
        if fields is not None:
            changes["custom_fields_values"] = self.typed("leads", fields)
            self.forbid_api_only(changes["custom_fields_values"], by)
        with self.lock:
            deal = self.deals[deal_id]
            if products is not None:
                deal.products = [self.product_link(*product) for product in products]
            return self.change_deal(deal, changes, by)

    def move_deal(
        self, deal_id: int, stage_id: int, pipeline_id: int | None = None, by: Actor | None = None
    ) -> Deal:
        """As a user drags it; without ``pipeline_id`` the pipeline that has the stage."""
        deal = self.deals[deal_id]
        if pipeline_id is None:
            homes = [p.id for p in self.pipelines.values() if stage_id in {s.id for s in p.stages}]
            pipeline_id = deal.pipeline_id if deal.pipeline_id in homes else homes[0]
        row = {"pipeline_id": pipeline_id, "status_id": stage_id}
        return self.change_deal(deal, row, by or self.owner())

    def change_deal(self, deal: Deal, row: Row, by: Actor) -> Deal:
        """Apply a row in the API's shape; one update hook, one status hook if it moved."""
        with self.lock:
            self.check_deal(row, deal)
            old_place, old_user = (deal.pipeline_id, deal.status_id), deal.responsible_user_id
            place = self.place(row.get("pipeline_id"), row.get("status_id"), old_place)
            self._note_changes(deal, row, by)
            self._apply(deal, row, by)
            touch(deal, by, self.now())
            if place != old_place:
                self._move(deal, old_place, place, by)
            if deal.responsible_user_id != old_user:
                old = {"old_responsible_user_id": old_user}
                self._tell(deal, "responsible_lead", "responsible", by, **old)
            if place == old_place or self.switches.move_fires_update:
                self._tell(deal, "update_lead", "update", by)
            return deal

    def _apply(self, deal: Deal, row: Row, by: Actor) -> None:
        for key in ("name", "price", "responsible_user_id", "loss_reason_id", "created_at"):
            if key in row:
                setattr(deal, key, row[key])
        for field in self.write_values(deal, "leads", row.get("custom_fields_values") or []):
            self._note_field(deal, field, by)
        self._embed(deal, row)

    def _move(self, deal: Deal, old: tuple[int, int], new: tuple[int, int], by: Actor) -> None:
        deal.pipeline_id, deal.status_id = new
        deal.closed_at = self.now() if new[1] in (WON, LOST) else None
        after, before = [_stage_value(*new)], [_stage_value(*old)]
        self.note_event("lead_status_changed", ("lead", deal.id), by, after, before)
        self._tell(deal, "status_lead", "status", by, old_status_id=old[1])
        self.fire_stage(deal, old)

    def _note_changes(self, deal: Deal, row: Row, by: Actor) -> None:
        lead = ("lead", deal.id)
        if "price" in row and row["price"] != deal.price:
            after, before = int(row["price"] or 0), int(deal.price or 0)
            self.note_event(
                "sale_field_changed", lead, by,
                [{"sale_field_value": {"sale": after}}], [{"sale_field_value": {"sale": before}}],
            )  # fmt: skip
        if "name" in row and row["name"] != deal.name:
            self.note_event(
                "name_field_changed", lead, by,
                [{"name_field_value": {"name": row["name"]}}],
                [{"name_field_value": {"name": deal.name}}],
            )  # fmt: skip
        user = row.get("responsible_user_id", deal.responsible_user_id)
        if user != deal.responsible_user_id:
            self.note_event(
                "entity_responsible_changed", lead, by,
                [{"responsible_user": {"id": user}}],
                [{"responsible_user": {"id": deal.responsible_user_id}}],
            )  # fmt: skip

    def _note_field(self, deal: Deal, field: Field, by: Actor) -> None:
        values = deal.fields.get(field.id, [])
        after = [
            {
                "custom_field_value": {
                    "field_id": field.id,
                    "field_type": field.type,
                    "enum_id": value.get("enum_id"),
                    "text": str(value.get("value")),
                }
            }
            for value in values
        ]
        self.note_event(f"custom_field_{field.id}_value_changed", ("lead", deal.id), by, after)

    def delete_deal(self, deal_id: int, by: Actor | None = None) -> None:
        """Into the trash."""
        by = by or self.owner()
        with self.lock:
            deal = self.deals[deal_id]
            deal.is_deleted = True
            touch(deal, by, self.now())
            self.note_event("lead_deleted", ("lead", deal.id), by)
            self.fire("delete_lead", ("leads", "delete", v2.deleted_deal_row(deal)), by)

    def restore_deal(self, deal_id: int, by: Actor | None = None) -> Deal:
        """Out of the trash, into the stage where it was."""
        by = by or self.owner()
        with self.lock:
            deal = self.deals[deal_id]
            deal.is_deleted = False
            touch(deal, by, self.now())
            self.note_event("lead_restored", ("lead", deal.id), by)
            self._tell(deal, "restore_lead", "restore", by)
            return deal

    def _tell(self, deal: Deal, code: str, action: str, by: Actor, **old: int | None) -> None:
        row = v2.deal_row(deal, self.fields, self.account_id, **old)
        self.fire(code, ("leads", action, row), by)

    def tell_updated(self, deal: Deal, by: Actor) -> None:
        """Something around the deal changed (a link): touched, and an update hook."""
        touch(deal, by, self.now())
        self._tell(deal, "update_lead", "update", by)


def _stage_value(pipeline_id: int, stage_id: int) -> dict[str, Any]:
    return {"lead_status": {"id": stage_id, "pipeline_id": pipeline_id}}
