"""Custom fields of leads, contacts, companies and product lists."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.kommo.book.base import NOT_A_CHOICE, Book, Refused
from server.sandbox.kommo.book.records import Actor, Choice, Field, Record, Value
from server.sandbox.kommo.book.values import CHOICE_LIKE, accept, written

PHONE_KINDS = ("WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER")
EMAIL_KINDS = ("WORK", "PRIV", "OTHER")
#: §4.7: what exists on lists alone, and on people alone.
CATALOG_ONLY = {"price", "category", "items", "linked_entity", "payer", "supplier"}
TYPES = CATALOG_ONLY | {
    "text", "numeric", "checkbox", "select", "multiselect", "multitext", "date", "url",
    "textarea", "radiobutton", "streetaddress", "smart_address", "birthday", "legal_entity",
    "date_time", "tracking_data", "chained_list", "monetary", "file",
}  # fmt: skip


class Fields(Book):
    """Definitions, and values written by field id or code."""

    def add_field(
        self,
        entity: str,
        type: str,
        name: str,
        code: str | None = None,
        *,
        enums: list[Any] | None = None,
        catalog_id: int | None = None,
        **more: Any,
    ) -> Field:
        """A new field. ``enums``: texts, (text, code) pairs or {"value", "code", "sort"} rows.

        Nothing stops a second field with the same name or code: creating twice makes twins.
        """
        with self.lock:
            siblings = self.fields_of(entity, catalog_id)
            choices = None if enums is None else self._choices(enums)
            if type in ("select", "multiselect", "radiobutton") and not choices:
                raise Refused("NotBlank", "enums", "This value should not be blank.")
            field = Field(
                id=self.new_id(), name=name, code=code, type=type, entity=entity,
                sort=more.pop("sort", 500 + len(siblings)), catalog_id=catalog_id,
                enums=choices, **more,
            )  # fmt: skip
            self.fields[field.id] = field
            return field

    def _choices(self, rows: list[Any]) -> list[Choice]:
        choices = []
        for index, row in enumerate(rows):
            if isinstance(row, Mapping):
                value, code = str(row["value"]), row.get("code")
                sort = int(row.get("sort", index + 1))
            else:
                value, code = row if isinstance(row, tuple) else (row, None)
                sort = index + 1
            choices.append(Choice(self.new_id(), value, sort, code))
        return choices

    def add_standard_fields(self) -> None:
        """What every account has from its first day."""
        self.add_field("contacts", "text", "Position", "POSITION", is_predefined=True)
        for entity in ("contacts", "companies"):
            self.add_field(
                entity, "multitext", "Phone", "PHONE",
                enums=list(PHONE_KINDS), is_predefined=True, is_deletable=False,
            )  # fmt: skip
            self.add_field(
                entity, "multitext", "Email", "EMAIL",
                enums=list(EMAIL_KINDS), is_predefined=True, is_deletable=False,
            )  # fmt: skip
        self.add_field("companies", "url", "Web", "WEB", is_predefined=True)
        self.add_field("companies", "textarea", "Address", "ADDRESS", is_predefined=True)

    def fields_of(self, entity: str, catalog_id: int | None = None) -> list[Field]:
        """In the order of their sort."""
        found = [
            field
            for field in self.fields.values()
            if field.entity == entity and field.catalog_id == catalog_id
        ]
        return sorted(found, key=lambda field: (field.sort, field.id))

    def field(self, entity: str, key: int | str, catalog_id: int | None = None) -> Field:
        """By id, code or name. Raises KeyError."""
        for field in self.fields_of(entity, catalog_id):
            if key in (field.id, field.code, field.name):
                return field
        raise KeyError(key)

    def delete_field(self, field_id: int) -> None:
        """The definition and all its values go."""
        with self.lock:
            field = self.fields.pop(field_id)
            for record in self._records(field.entity):
                record.fields.pop(field_id, None)

    def _records(self, entity: str) -> list[Record]:
        rows: dict[str, Any] = {
            "leads": self.deals,
            "contacts": self.contacts,
            "companies": self.companies,
            "catalogs": self.elements,
        }
        return list(rows[entity].values())

    def typed(
        self, entity: str, values: Mapping[int | str, Any], catalog_id: int | None = None
    ) -> list[dict[str, Any]]:
        """``{field id, code or name: what a user types}`` as the API's rows; None clears."""
        rows = []
        for key, value in values.items():
            field = self.field(entity, key, catalog_id)
            rows.append(
                {"field_id": field.id, "values": None if value is None else written(field, value)}
            )
        return rows

    def write_values(
        self, record: Record, entity: str, rows: list[Any], catalog_id: int | None = None
    ) -> list[Field]:
        """Overwrite the named fields, all or none; returns those whose value changed."""
        checked = self.checked_values(entity, rows, catalog_id)
        changed = []
        for field, values in checked:
            if record.fields.get(field.id, []) != values:
                changed.append(field)
            if values:
                record.fields[field.id] = values
            else:
                record.fields.pop(field.id, None)
        return changed

    def checked_values(
        self, entity: str, rows: list[Any], catalog_id: int | None = None
    ) -> list[tuple[Field, list[Value]]]:
        """Raises Refused for the first row that the vendor would not take."""
        known = self.fields_of(entity, catalog_id)
        checked = []
        for index, row in enumerate(rows):
            path = f"custom_fields_values.{index}"
            field = self._named(known, row, path)
            values = row.get("values")
            if values is not None and not isinstance(values, list):
                raise Refused("InvalidType", f"{path}.values", "This value should be an array.")
            strict = self.switches.strict_text
            checked.append(
                (field, accept(field, values or [], f"{path}.values", strict_text=strict))
            )
        return checked

    @staticmethod
    def _named(known: list[Field], row: Any, path: str) -> Field:
        if not isinstance(row, Mapping):
            raise Refused("InvalidType", path, "This value should be of type array.")
        if row.get("field_id") is not None:
            for field in known:
                if field.id == row["field_id"]:
                    return field
            raise Refused("NotSupportedChoice", f"{path}.field_id", NOT_A_CHOICE)
        for field in known:
            if field.code is not None and field.code == row.get("field_code"):
                return field
        raise Refused("NotSupportedChoice", f"{path}.field_code", NOT_A_CHOICE)

    def value_of(self, record: Record, entity: str, key: int | str) -> Any:
        """The first value of a field, None when empty; for tests and the board."""
        catalog_id = getattr(record, "catalog_id", None)
        values = record.fields.get(self.field(entity, key, catalog_id).id)
        return values[0]["value"] if values else None

    def forbid_api_only(self, rows: list[dict[str, Any]], by: Actor) -> None:
        """A user sees an api-only field and cannot edit it. Raises PermissionError."""
        for row in rows:
            if not by.by_api and self.fields[row["field_id"]].is_api_only:
                raise PermissionError("this field is filled by an integration only")


__all__ = ["CATALOG_ONLY", "CHOICE_LIKE", "TYPES", "Fields"]
