"""Looking things up at FreshBooks: searches that may ignore what they are asked."""

from datetime import date, timedelta
from typing import Any

import pytest

from server.sandbox import Sandbox
from server.vendors.freshbooks.client import FreshbooksClient, Invoice
from tests.vendors.freshbooks.conftest import payload


@pytest.mark.parametrize("case_sensitive", [False, True])
def test_a_client_is_found_by_e_mail_whatever_its_case(
    client: FreshbooksClient, business: Any, sandbox: Sandbox, case_sensitive: bool
) -> None:
    sandbox.freshbooks.switches.email_search_case_sensitive = case_sensitive
    lower = business.add_client(email="ann@buyer.test")["id"]
    typed = business.add_client(email="Ann@Buyer.test")["id"]
    business.add_client(email="joann@buyer.test")
    business.add_client(email="ann@buyer.test.example")
    gone = business.add_client(email="ann@buyer.test")["id"]
    business.delete_client(gone)
    business.archive_client(typed)
    found = client.find_clients(email="Ann@Buyer.test")
    assert [(row.id, row.vis_state) for row in found] == [(lower, 0), (typed, 2)]


def test_clients_are_found_over_all_pages(client: FreshbooksClient, business: Any) -> None:
    ids = [business.add_client(email="same@buyer.test")["id"] for _ in range(205)]
    assert [row.id for row in client.find_clients(email="same@buyer.test")] == ids


def test_a_client_is_found_by_organization(client: FreshbooksClient, business: Any) -> None:
    wanted = business.add_client(organization="Buyer Ltd")["id"]
    business.add_client(organization="Buyer Ltd Holding")
    assert [row.id for row in client.find_clients(organization="buyer ltd")] == [wanted]


def test_nothing_to_search_by_finds_nobody(client: FreshbooksClient, business: Any) -> None:
    business.add_client(organization="x")
    assert client.find_clients() == []
    assert client.find_clients(email=" ") == []


def test_an_unknown_client_is_none_and_a_deleted_one_says_so(
    client: FreshbooksClient, business: Any
) -> None:
    gone = business.add_client(email="a@b.test")["id"]
    business.delete_client(gone)
    found = client.client(gone)
    assert found is not None
    assert found.vis_state == 1
    assert client.client(999_999) is None


def test_invoices_are_found_by_what_is_asked_and_nothing_else(
    client: FreshbooksClient, business: Any, sandbox: Sandbox
) -> None:
    ann, bob = (business.add_client(email=f"{name}@b.test")["id"] for name in ("ann", "bob"))
    first = client.create_invoice(payload(ann, "BHFIRST"))
    second = client.create_invoice(payload(bob, "BHSECOND"))
    sandbox.clock.advance(timedelta(days=3))
    third = client.create_invoice(payload(ann, "BHTHIRD"))
    assert ids(client.find_invoices()) == [first.id, second.id, third.id]
    assert ids(client.find_invoices(number=second.number)) == [second.id]
    assert ids(client.find_invoices(customer_id=ann)) == [first.id, third.id]
    assert ids(client.find_invoices(updated_since=date(2026, 3, 4))) == [third.id]
    assert ids(client.find_invoices(updated_since=sandbox.clock.now())) == [third.id]
    assert ids(client.find_invoices(customer_id=bob, updated_since=date(2026, 3, 4))) == []
    assert client.find_invoices(customer_id=bob)[0] == second


@pytest.mark.parametrize("inclusive", [True, False])
def test_both_ends_of_the_dates_count_in_either_reading(
    client: FreshbooksClient, business: Any, sandbox: Sandbox, inclusive: bool
) -> None:
    sandbox.freshbooks.switches.range_max_inclusive = inclusive
    customer = business.add_client(email="a@b.test")["id"]
    made = [
        business.add_invoice(customer, [], create_date=f"2026-03-0{day}")["id"]
        for day in range(1, 6)
    ]
    found = client.find_invoices(dates=(date(2026, 3, 2), date(2026, 3, 4)))
    assert ids(found) == made[1:4]


def test_a_number_is_compared_whole_in_either_reading(
    client: FreshbooksClient, business: Any, sandbox: Sandbox
) -> None:
    sandbox.freshbooks.switches.invoice_number_search = "prefix"
    customer = business.add_client(email="a@b.test")["id"]
    short = business.add_invoice(customer, [], invoice_number="AB-1")["id"]
    business.add_invoice(customer, [], invoice_number="AB-10")
    assert ids(client.find_invoices(number="AB-1")) == [short]


def test_deleted_invoices_are_found_only_when_asked_for(
    client: FreshbooksClient, business: Any
) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    kept, gone, filed = (client.create_invoice(payload(customer)).id for _ in range(3))
    client.delete_invoice(gone)
    business.archive_invoice(filed)
    assert ids(client.find_invoices(customer_id=customer)) == [kept, filed]
    assert ids(client.find_invoices(customer_id=customer, deleted=True)) == [gone]
    assert client.invoice(gone).vis_state == 1


def test_invoices_are_found_over_all_pages(client: FreshbooksClient, business: Any) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    made = [business.add_invoice(customer, [])["id"] for _ in range(150)]
    assert ids(client.find_invoices(customer_id=customer)) == made


def ids(found: list[Invoice]) -> list[int]:
    return [invoice.id for invoice in found]
