"""FreshBooks' answers read: stamps of New York, money of any scale, identities with gaps."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from server.core.money import Money
from server.vendors.freshbooks.auth import SCOPES, authorize_url
from server.vendors.freshbooks.read import (
    Business,
    invoice_page,
    read_identity,
    read_invoice,
    stamp,
    web_address,
)
from server.vendors.oauth import OAuthApp


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-29 12:52:44", datetime(2026, 6, 29, 16, 52, 44, tzinfo=UTC)),
        ("2026-01-29 12:52:44", datetime(2026, 1, 29, 17, 52, 44, tzinfo=UTC)),
        ("2026-01-29T12:52:44Z", datetime(2026, 1, 29, 12, 52, 44, tzinfo=UTC)),
        ("2026-06-29 12:52:44.123456", datetime(2026, 6, 29, 16, 52, 44, 123456, tzinfo=UTC)),
    ],
)
def test_a_stamp_is_new_york_s_time(text: str, moment: datetime) -> None:
    assert stamp(text) == moment


def row(**changes: Any) -> dict[str, Any]:
    return {
        "id": "7",
        "invoice_number": "A-1",
        "customerid": "77",
        "currency_code": "EUR",
        "amount": {"amount": "41.94", "code": "EUR"},
        "outstanding": {"amount": "41.94", "code": "EUR"},
        "discount_total": {"amount": "-4.40", "code": "EUR"},
        "status": 1,
        "v3_status": "draft",
        "payment_status": "unpaid",
        "vis_state": 0,
        "po_number": None,
        "notes": None,
        "create_date": "2026-03-02",
        "due_date": None,
        "lines": [
            {"amount": {"amount": "20.00", "code": "EUR"}},
            {"amount": {"amount": "24.00", "code": "EUR"}},
        ],
    } | changes


def test_the_tax_is_what_lines_and_discount_leave() -> None:
    invoice = read_invoice(row())
    assert invoice.tax == Money(Decimal("2.34"), "EUR")
    assert (invoice.id, invoice.customer_id, invoice.po_number, invoice.notes) == (7, 77, "", "")
    assert (invoice.create_date, invoice.due_date) == (date(2026, 3, 2), None)


def test_without_lines_the_tax_is_unknown() -> None:
    bare = row()
    del bare["lines"]
    assert read_invoice(bare).tax is None


def test_amounts_of_any_scale_and_plain_numbers_are_exact() -> None:
    invoice = read_invoice(
        row(
            amount={"amount": Decimal("41.94000000000000000000000001")},
            outstanding={"amount": 0},
        )
    )
    assert invoice.amount.amount == Decimal("41.94000000000000000000000001")
    assert invoice.outstanding == Money(Decimal(0), "EUR")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"amount": "1", "code": "USD"}},
        {"lines": [{"amount": {"amount": "1", "code": "USD"}}]},
        {"amount": None},
        {"create_date": "soon"},
        {"customerid": None},
    ],
)
def test_a_foreign_shape_is_an_error_of_the_kinds_that_callers_expect(
    changes: dict[str, Any],
) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        read_invoice(row(**changes))


def membership(account_id: str | None, business_id: int = 70) -> dict[str, Any]:
    business = {"id": business_id, "account_id": account_id, "name": "S", "timezone": "UTC"}
    return {"id": 1, "role": "owner", "business": business}


def test_an_account_that_the_business_does_not_name_is_found_among_the_roles() -> None:
    identity = read_identity(
        {
            "identity_id": 5,
            "business_memberships": [membership(None)],
            "roles": [{"role": "admin", "accountid": "aBc"}],
        }
    )
    assert identity.businesses == (Business(70, "aBc", "S", "owner", "UTC", "admin"),)


def test_a_business_whose_account_nobody_names_cannot_be_chosen() -> None:
    roles = [{"role": "client", "accountid": "x"}, {"role": "client", "accountid": "y"}]
    body = {"id": 5, "business_memberships": [membership(None)], "roles": roles}
    assert read_identity(body).businesses == ()
    assert read_identity({"id": 5}).email == ""


def test_the_operator_s_page_names_account_and_invoice() -> None:
    page = invoice_page("https://my.freshbooks.com", "a/b", 7)
    assert page == "https://my.freshbooks.com/#/invoice/a%2Fb-7"


def test_the_consent_page_is_asked_for_every_right_at_once() -> None:
    app = OAuthApp("id", "secret", "https://b.test/cb")
    url = authorize_url("https://auth.freshbooks.com/", app, "s 1")
    assert url.startswith("https://auth.freshbooks.com/oauth/authorize/?client_id=id&")
    assert "redirect_uri=https%3A%2F%2Fb.test%2Fcb" in url
    assert "state=s+1" in url
    assert all(scope.replace(":", "%3A") in url for scope in SCOPES)
    assert "secret" not in url


def test_a_link_that_is_no_web_address_is_none() -> None:
    there = "HTTPS://my.freshbooks.com/#/link/abc?share_method=share_link"
    assert web_address(there) == there
    for odd in ("javascript:alert(1)//https://", " https://x.test", "data:text/html,x", "//x", ""):
        assert web_address(odd) == ""
