"""The deal's own fields: found by code, made when missing, written by their ids."""

from decimal import Decimal
from typing import Any

import pytest

from server.core.errors import NotOurs, TryLater
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.fields import DEAL_FIELDS, Choice, FieldSpec


def test_missing_fields_are_made_once_and_api_only(client: KommoClient, account: Any) -> None:
    made = client.ensure_deal_fields()
    assert set(made) == {spec.code for spec in DEAL_FIELDS}
    assert client.ensure_deal_fields() == made
    ours = [row for row in client.deal_fields() if row["code"] in made]
    assert len(ours) == len(DEAL_FIELDS)
    assert all(row["is_api_only"] for row in ours)


def test_fields_are_found_behind_the_page_that_kommo_shows(
    client: KommoClient, account: Any
) -> None:
    for index in range(120):
        account.add_field("leads", "text", f"Field {index}")
    late = account.add_field("leads", "url", "Renamed by somebody", "BILLHOOK_LINK", sort=9000)
    assert client.ensure_deal_fields()["BILLHOOK_LINK"] == late.id
    assert len(client.deal_fields()) == 121 + len(DEAL_FIELDS) - 1


def test_of_twins_the_lowest_id_is_the_field(client: KommoClient, account: Any) -> None:
    first = account.add_field("leads", "url", "Invoice", "BILLHOOK_LINK", sort=9000)
    account.add_field("leads", "url", "Invoice", "BILLHOOK_LINK", sort=1)
    assert client.ensure_deal_fields()["BILLHOOK_LINK"] == first.id


def test_a_newer_status_is_added_and_no_older_one_lost(client: KommoClient, account: Any) -> None:
    old = FieldSpec("BILLHOOK_STATUS", "Status", "select", (("draft", "Draft"), ("sent", "Sent")))
    client.ensure_deal_fields([old])
    before = {choice.code: choice.id for choice in account.field("leads", "BILLHOOK_STATUS").enums}
    client.ensure_deal_fields()
    after = {choice.code: choice.id for choice in account.field("leads", "BILLHOOK_STATUS").enums}
    assert before.items() <= after.items()
    assert set(after) == {code for spec in DEAL_FIELDS for code, _ in spec.choices}


def test_fields_of_a_deal_are_written_and_cleared(client: KommoClient, account: Any) -> None:
    ids = client.ensure_deal_fields()
    deal = account.add_deal("Chairs", 100)
    client.write_deal(
        deal.id,
        {
            ids["BILLHOOK_LINK"]: "https://my.freshbooks.com/#/link/abc",
            ids["BILLHOOK_NUMBER"]: "0000007",
            ids["BILLHOOK_AMOUNT"]: Decimal("1200.50"),
            ids["BILLHOOK_STATUS"]: Choice("sent"),
        },
    )
    assert values(account, deal.id) == {
        "BILLHOOK_LINK": "https://my.freshbooks.com/#/link/abc",
        "BILLHOOK_NUMBER": "0000007",
        "BILLHOOK_AMOUNT": "1200.50",
        "BILLHOOK_STATUS": "Sent",
    }
    client.write_deal(deal.id, {ids["BILLHOOK_LINK"]: None})
    assert "BILLHOOK_LINK" not in values(account, deal.id)


def values(account: Any, deal_id: int) -> dict[str, str]:
    fields = account.deals[deal_id].fields
    return {account.fields[key].code: str(rows[0]["value"]) for key, rows in fields.items() if rows}


def test_a_field_that_is_gone_is_named_and_tells_to_look_again(
    client: KommoClient, account: Any
) -> None:
    ids = client.ensure_deal_fields()
    account.delete_field(ids["BILLHOOK_NUMBER"])
    deal = account.add_deal("Chairs", 100)
    with pytest.raises(TryLater) as caught:
        client.write_deal(
            deal.id, {ids["BILLHOOK_LINK"]: "https://a.test", ids["BILLHOOK_NUMBER"]: "7"}
        )
    assert caught.value.cause == "kommo:fields"
    assert caught.value.certainty == "refused"
    assert "custom_fields_values.1" in caught.value.sentence


def test_a_deal_that_is_gone_is_not_written(client: KommoClient, account: Any) -> None:
    ids = client.ensure_deal_fields()
    with pytest.raises(NotOurs):
        client.write_deal(999_999, {ids["BILLHOOK_NUMBER"]: "7"})
