"""Custom fields that the emulated account cannot hold, in the shapes of the reference (§4.7)."""

from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.core.sale import FieldValue
from server.vendors.kommo.values import read_fields

UTC = ZoneInfo("UTC")


def read(kind: str, *values: Any, zone: ZoneInfo = UTC) -> dict[str, tuple[FieldValue, ...]]:
    custom = {"field_id": 7, "field_code": "X", "field_type": kind, "values": list(values)}
    return read_fields({"custom_fields_values": [custom]}, "company", zone)


def test_an_address_is_whole_and_by_its_parts() -> None:
    fields = read(
        "smart_address",
        {"value": "Main St 1", "enum_id": 1, "enum_code": "address_line_1"},
        {"value": "Porto", "enum_id": 3, "enum_code": "city"},
        {"value": "4000", "enum_id": 5, "enum_code": "zip"},
    )
    assert [value.text for value in fields["company.code.X"]] == ["Main St 1", "Porto", "4000"]
    assert fields["company.code.X.city"] == (FieldValue("Porto"),)
    assert fields["company.cf.7.zip"] == (FieldValue("4000"),)


def test_a_legal_entity_is_its_name_and_its_parts() -> None:
    fields = read(
        "legal_entity",
        {"value": {"name": "Acme", "entity_type": 2, "vat_id": "LT1", "external_uid": None}},
    )
    assert fields["company.code.X"] == (FieldValue("Acme"),)
    assert fields["company.code.X.vat_id"] == (FieldValue("LT1"),)
    assert "company.code.X.external_uid" not in fields


def test_several_phones_keep_their_kind() -> None:
    fields = read(
        "multitext",
        {"value": "+1", "enum_id": 1, "enum_code": "WORK"},
        {"value": "+2", "enum_id": 2, "enum_code": "MOB"},
    )
    assert [(v.text, v.enum_code) for v in fields["company.code.X"]] == [
        ("+1", "WORK"),
        ("+2", "MOB"),
    ]


@pytest.mark.parametrize(
    ("zone", "value", "day"),
    [
        ("Europe/Vilnius", 1_767_218_400, date(2026, 1, 1)),
        ("UTC", 1_767_218_400, date(2025, 12, 31)),
        ("Europe/Vilnius", "1767218400", date(2026, 1, 1)),
        ("UTC", "2026-01-01T00:00:00+02:00", date(2026, 1, 1)),
        ("UTC", "2026-01-01", date(2026, 1, 1)),
        ("UTC", "next week", None),
        ("UTC", 10**20, None),
    ],
)
def test_a_date_is_the_day_that_the_account_means(zone: str, value: Any, day: date | None) -> None:
    (found,) = read("date", {"value": value}, zone=ZoneInfo(zone))["company.code.X"]
    assert found.day == day
    assert found.text == (day.isoformat() if day else str(value))


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [
        ("12.50", "12.50", Decimal("12.50")),
        (Decimal("12.50"), "12.50", Decimal("12.50")),
        (12, "12", Decimal(12)),
        ("twelve", "twelve", None),
        ("NaN", "NaN", None),
    ],
)
def test_a_number_may_come_as_text_or_number(value: Any, text: str, number: Decimal | None) -> None:
    assert read("numeric", {"value": value})["company.code.X"] == (FieldValue(text, number),)


def test_what_has_no_value_is_no_value() -> None:
    assert read("text", {"value": None})["company.code.X"] == ()
    assert read("chained_list", {"catalog_id": 1, "catalog_element_id": 2})["company.cf.7"] == ()
    assert read_fields({"custom_fields_values": None}, "deal", UTC) == {}


def test_a_file_is_its_name_and_an_object_without_one_is_empty() -> None:
    assert read("file", {"value": {"file_uuid": "u", "file_name": "a.pdf"}})["company.cf.7"] == (
        FieldValue("a.pdf"),
    )
    assert read("items", {"value": {"sku": "1"}})["company.cf.7"] == (FieldValue(""),)
