"""Lists and their elements; the products list has its own field codes (§4.5)."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.kommo.book import v2
from server.sandbox.kommo.book.base import id_of, touch
from server.sandbox.kommo.book.parties import Parties
from server.sandbox.kommo.book.records import Actor, Catalog, Element

PRODUCT_FIELDS = (
    ("text", "SKU", "SKU"),
    ("textarea", "Description", "DESCRIPTION"),
    ("price", "Price", "PRICE"),
    ("price", "Special price", "SPECIAL_PRICE_1"),
    ("price", "Wholesale price", "WHOLESALE_PRICE"),
    ("category", "Group", "GROUP"),
    ("text", "External id", "EXTERNAL_ID"),
)
MAX_CATALOGS = 10


class Catalogs(Parties):
    """What is sold."""

    def add_catalog(self, name: str, type: str = "products") -> Catalog:
        """A list; ``products`` comes with SKU, PRICE and the rest."""
        with self.lock:
            at = self.now()
            catalog = Catalog(
                self.new_id(), name, type, self.owner().user_id, at, at, self._next_sort
            )  # fmt: skip
            self.catalogs[catalog.id] = catalog
            if type == "products":
                self._add_product_fields(catalog.id)
            return catalog

    def _add_product_fields(self, catalog_id: int) -> None:
        for kind, name, code in PRODUCT_FIELDS:
            self.add_field(
                "catalogs", kind, name, code, catalog_id=catalog_id,
                is_predefined=True, is_deletable=code not in ("SKU", "PRICE"),
                is_visible=code != "EXTERNAL_ID", nested=[] if kind == "category" else None,
            )  # fmt: skip
        self.add_field(
            "catalogs", "select", "Unit", "UNIT", enums=[("pcs", "pcs"), ("h", "h"), ("kg", "kg")],
            catalog_id=catalog_id, is_predefined=True,
        )  # fmt: skip

    @property
    def _next_sort(self) -> int:
        return 10 * (len(self.catalogs) + 1)

    @property
    def products_catalog(self) -> Catalog:
        return next(one for one in self.catalogs.values() if one.type == "products")

    def add_element(
        self,
        catalog: Any,
        name: str,
        *,
        sku: str | None = None,
        price: Any = None,
        fields: Mapping[int | str, Any] | None = None,
    ) -> Element:
        """As a user does it; ``catalog``: a row or its id."""
        catalog_id = id_of(catalog)
        values: dict[int | str, Any] = dict(fields or {})
        if sku is not None:
            values["SKU"] = sku
        if price is not None:
            values["PRICE"] = price
        row = {"name": name, "custom_fields_values": self.typed("catalogs", values, catalog_id)}
        return self.make_element(catalog_id, row, self.owner())

    def make_element(self, catalog_id: int, row: Mapping[str, Any], by: Actor) -> Element:
        """A new element from a row in the API's shape. Raises Refused."""
        values = row.get("custom_fields_values") or []
        with self.lock:
            self.checked_values("catalogs", values, catalog_id)
            at = self.now()
            element = Element(
                self.new_id(), str(row.get("name") or ""), by.stamp, by.stamp, at, at,
                catalog_id=catalog_id,
            )  # fmt: skip
            self.write_values(element, "catalogs", values, catalog_id)
            self.elements[element.id] = element
            self._tell_element(element, "add", by)
            return element

    def change_element(self, element: Element, row: Mapping[str, Any], by: Actor) -> Element:
        """Apply a row in the API's shape. Raises Refused."""
        values = row.get("custom_fields_values") or []
        with self.lock:
            self.checked_values("catalogs", values, element.catalog_id)
            if row.get("name"):
                element.name = str(row["name"])
            self.write_values(element, "catalogs", values, element.catalog_id)
            touch(element, by, self.now())
            self._tell_element(element, "update", by)
            return element

    def update_element(
        self, element_id: int, *, fields: Mapping[int | str, Any] | None = None, **changes: Any
    ) -> Element:
        """As a user does it: ``name=, fields={...}``."""
        element = self.elements[element_id]
        row = dict(changes)
        row["custom_fields_values"] = self.typed("catalogs", fields or {}, element.catalog_id)
        return self.change_element(element, row, self.owner())

    def delete_element(self, element: Any) -> None:
        """The product is gone; links to it stay on the deals."""
        row = self.elements[id_of(element)]
        with self.lock:
            row.is_deleted = True
            self._tell_element(row, "delete", self.owner())

    def _tell_element(self, element: Element, action: str, by: Actor) -> None:
        row = v2.element_row(element, self.fields)
        self.fire(f"{action}_catalog", ("catalogs", action, row), by)
