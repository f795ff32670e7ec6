"""Lists: paging, honoured and ignored searches, sorting, lag (reference §2.3)."""

from datetime import timedelta
from typing import Any

import pytest

from server.sandbox import Sandbox
from server.sandbox.freshbooks import FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result, wrong

pytestmark = pytest.mark.quirk


@pytest.fixture
def three(api: Api, buyer: int) -> list[int]:
    """Ids of three invoices dated 1, 2 and 3 March, numbers A-1, A-2, A-10."""
    made = [
        api.invoice(buyer, line(), create_date=f"2026-03-0{n}", invoice_number=number)
        for n, number in ((1, "A-1"), (2, "A-2"), (3, "A-10"))
    ]
    return [int(invoice["id"]) for invoice in made]


def page(api: Api, **params: Any) -> dict[str, Any]:
    found = result(api.get("invoices/invoices", **params))
    return {key: found[key] for key in ("page", "pages", "per_page", "total")}


def test_an_unknown_search_key_is_ignored_and_returns_everything(
    api: Api, three: list[int]
) -> None:
    for typo in ("create_date_min", "status", "payment_status", "invoice_id", "updated_since"):
        assert len(api.numbers(**{typo: "2030-01-01"})) == 3


def test_the_newest_id_comes_first(api: Api, three: list[int]) -> None:
    assert api.numbers() == ["A-10", "A-2", "A-1"]


def test_an_empty_list_has_no_pages(api: Api) -> None:
    assert page(api) == {"page": 1, "pages": 0, "per_page": 15, "total": 0}


def test_paging_caps_at_100_counts_page_zero_as_one_and_is_empty_past_the_end(
    api: Api, three: list[int]
) -> None:
    assert page(api, per_page=500)["per_page"] == 100
    assert page(api, page=0, per_page=2) == {"page": 1, "pages": 2, "per_page": 2, "total": 3}
    assert api.numbers(page=2, per_page=2) == ["A-1"]
    assert api.numbers(page=9) == []
    assert wrong(api.get("invoices/invoices", page="x")) == (422, 1014)
    assert wrong(api.get("invoices/invoices", per_page="-1")) == (422, 1013)


def test_ids_and_lists_of_ids_are_searched(api: Api, three: list[int], buyer: int) -> None:
    assert api.numbers(invoiceid=three[0]) == ["A-1"]
    several = {"search[invoiceids][]": three[1:]}
    reply = api.call("GET", "invoices/invoices", params=several)
    assert [row["id"] for row in result(reply)["invoices"]] == [three[2], three[1]]
    assert api.numbers(customerid=buyer + 1) == []
    assert wrong(api.get("invoices/invoices", customerid="x")) == (422, 1015)


@pytest.mark.parametrize(("how", "found"), [("exact", ["A-1"]), ("prefix", ["A-10", "A-1"])])
def test_the_invoice_number_search_is_exact_or_by_prefix(
    api: Api, three: list[int], world: FreshbooksWorld, how: Any, found: list[str]
) -> None:
    world.switches.invoice_number_search = how
    assert api.numbers(invoice_number="A-1") == found


@pytest.mark.parametrize(("inclusive", "last"), [(False, ["A-1"]), (True, ["A-2", "A-1"])])
def test_a_minimum_is_inclusive_and_a_maximum_by_the_switch(
    api: Api, three: list[int], world: FreshbooksWorld, inclusive: bool, last: list[str]
) -> None:
    world.switches.range_max_inclusive = inclusive
    assert api.numbers(date_min="2026-03-02") == ["A-10", "A-2"]
    assert api.numbers(date_max="2026-03-02") == last


def test_updated_has_the_granularity_of_a_day_in_us_eastern(
    api: Api, buyer: int, sandbox: Sandbox
) -> None:
    sandbox.clock.advance(timedelta(hours=16))  # 4:00 UTC on the 3rd is 23:00 on the 2nd there
    api.renew()
    api.invoice(buyer, line())
    assert api.numbers(updated_min="2026-03-02") == ["0000001"]
    assert api.numbers(updated_min="2026-03-03") == []
    refused = api.get("invoices/invoices", updated_min="2026-03-02 11:00:00")
    assert wrong(refused) == (422, 1033)


def test_lists_hold_active_and_archived_rows(api: Api, three: list[int]) -> None:
    api.change(three[0], vis_state=1)
    api.change(three[1], vis_state=2)
    assert api.numbers() == ["A-10", "A-2"]
    assert api.numbers(vis_state=0) == ["A-10"]
    assert api.numbers(vis_state=1) == ["A-1"]


def test_invoices_sort_by_invoice_date_only(api: Api, three: list[int]) -> None:
    assert api.numbers(sort="invoice_date_asc") == ["A-1", "A-2", "A-10"]
    api.change(three[1], create_date="2026-01-01")
    assert api.numbers(sort="invoice_date_asc") == ["A-2", "A-1", "A-10"]
    assert api.numbers(sort="updated:asc") == ["A-1", "A-2", "A-10"]


def test_paid_and_outstanding_are_booleans(api: Api, three: list[int]) -> None:
    api.change(three[0], action_mark_as_sent=True)
    result(api.pay(three[1], "100.00"))
    assert api.numbers(outstanding="true") == ["A-1"]
    assert api.numbers(paid="true") == ["A-2"]


def test_the_updated_filter_may_be_read_in_another_zone(
    api: Api, buyer: int, world: FreshbooksWorld, sandbox: Sandbox
) -> None:
    sandbox.clock.advance(timedelta(hours=14))
    api.renew()
    api.invoice(buyer, line())
    assert api.numbers(updated_min="2026-03-03") == []
    world.switches.updated_filter_zone = "UTC"
    assert api.numbers(updated_min="2026-03-03") == ["0000001"]


@pytest.mark.parametrize("sensitive", [False, True])
def test_the_email_search_heeds_case_by_the_switch(
    api: Api, buyer: int, world: FreshbooksWorld, sensitive: bool
) -> None:
    world.switches.email_search_case_sensitive = sensitive

    def found(**search: str) -> int:
        return int(result(api.get("users/clients", **search))["total"])

    assert found(email="buyer@example.test") == 1
    assert found(email="Buyer@Example.test") == (0 if sensitive else 1)
    assert found(email_like="BUYER@") == (0 if sensitive else 1)
    assert found(email="buyer@example") == 0


def test_clients_are_not_found_by_organization_but_by_organization_like(
    api: Api, buyer: int
) -> None:
    api.client(organization="Other")
    assert result(api.get("users/clients", organization="Other"))["total"] == 2
    assert result(api.get("users/clients", organization_like="uyer"))["total"] == 1


def test_clients_are_searched_by_what_they_owe(api: Api, buyer: int) -> None:
    api.client(email="idle@example.test")
    invoice = api.invoice(buyer, line())

    def found(**search: str) -> list[int]:
        return [row["id"] for row in result(api.get("users/clients", **search))["clients"]]

    assert found(has_draft="true") == [buyer]
    assert found(has_outstanding="true") == []
    api.change(invoice["id"], action_mark_as_sent=True)
    assert found(has_outstanding="true") == [buyer]
    assert found(has_overdue="true") == []


def test_lists_may_lag_behind_creates_and_changes(
    api: Api, buyer: int, world: FreshbooksWorld, sandbox: Sandbox
) -> None:
    world.switches.lists_lag_seconds = 30
    invoice = api.invoice(buyer, line())
    assert api.numbers() == []
    assert result(api.get(f"invoices/invoices/{invoice['id']}"))["invoice"]["status"] == 1
    sandbox.clock.advance(timedelta(seconds=30))
    assert api.numbers(v3_status="draft") == ["0000001"]
    api.change(invoice["id"], action_mark_as_sent=True)
    assert api.numbers(v3_status="draft") == ["0000001"]
    sandbox.clock.advance(timedelta(seconds=30))
    assert api.numbers(v3_status="draft") == []
    assert api.numbers(v3_status="sent") == ["0000001"]


def test_payments_are_searched_by_invoice_type_and_amount(api: Api, three: list[int]) -> None:
    result(api.pay(three[0], "10.00"))
    result(api.pay(three[1], "20.00", type="Check"))

    def amounts(**search: Any) -> list[str]:
        rows = result(api.get("payments/payments", **search))["payments"]
        return [row["amount"]["amount"] for row in rows]

    assert amounts(invoiceid=three[0]) == ["10.00"]
    assert amounts(type="Check") == ["20.00"]
    assert amounts(number="A-1") == ["10.00"]
    assert amounts(payment_or_credit="credit") == []
    assert amounts(amount_min="15") == ["20.00"]
    assert amounts(currency="EUR") == ["20.00", "10.00"]
