"""FreshBooks' client against the emulated business: each method over real HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.core.errors import AlreadyThere, CannotBill, NotOurs, Reconnect
from server.core.invoice import DraftClient, Tax
from server.core.money import Money
from server.sandbox import Sandbox
from server.vendors.freshbooks.client import FreshbooksClient, Invoice
from server.vendors.freshbooks.read import Business, Callback
from server.vendors.freshbooks.write import invoice_payload
from server.vendors.http import Caller, CallMade
from tests.vendors.freshbooks.conftest import APP, BUYER, CHAIRS, TODAY, draft, payload
from tests.vendors.holder import Tokens


def test_who_connected_and_their_businesses(
    client: FreshbooksClient, sandbox: Sandbox, owner: Any, business: Any
) -> None:
    sandbox.freshbooks.add_business(owner, "Second", "zzz999", 7002, timezone="Asia/Tokyo")
    me = client.me()
    assert (me.id, me.email) == (owner.id, "owner@studio.test")
    assert me.businesses == (
        Business(7001, "aBc12D", "Studio", "owner", "Europe/Vilnius", "admin"),
        Business(7002, "zzz999", "Second", "owner", "Asia/Tokyo", "admin"),
    )


def test_a_client_is_made_with_all_that_is_known(client: FreshbooksClient, business: Any) -> None:
    made = client.create_client(BUYER, "EUR")
    row = business.clients[made.id]
    assert (made.email, made.organization, made.vat_number, made.vis_state) == (
        "ann@buyer.test",
        "Buyer Ltd",
        "LT100",
        0,
    )
    assert {key: row[key] for key in ("fname", "lname", "bus_phone", "p_street", "p_street2")} == {
        "fname": "Ann",
        "lname": "Lee",
        "bus_phone": "+370 600",
        "p_street": "Main St 1",
        "p_street2": "Floor 2",
    }
    assert {key: row[key] for key in ("p_city", "p_province", "p_code", "p_country")} == {
        "p_city": "Vilnius",
        "p_province": "LT-VL",
        "p_code": "01100",
        "p_country": "Lithuania",
    }
    assert (row["vat_name"], row["language"], row["currency_code"]) == ("VAT", "en", "EUR")
    assert client.client(made.id) == made


def test_an_invoice_is_created_as_a_draft_with_its_tax(
    client: FreshbooksClient, business: Any
) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    made = client.create_invoice(payload(customer, due_days=14, terms="Net 14", language="lt"))
    assert made == replace(
        made,
        number="0000001",
        customer_id=customer,
        currency="EUR",
        amount=Money(Decimal("404.51"), "EUR"),
        tax=Money(Decimal("63.26"), "EUR"),
        outstanding=Money(Decimal("404.51"), "EUR"),
        status=1,
        v3_status="draft",
        payment_status="unpaid",
        vis_state=0,
        po_number="BHAAAAAAAAAA",
        notes="",
        create_date=TODAY,
        due_date=TODAY + timedelta(days=14),
        updated=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    )
    assert client.invoice(made.id) == made
    row = business.invoices[made.id]
    assert (row["terms"], row["language"]) == ("Net 14", "lt")


@pytest.mark.parametrize("shape", ["classic", "google"])
@pytest.mark.parametrize("scope", ["line", "group", "invoice"])
def test_a_discount_is_no_tax(
    client: FreshbooksClient, business: Any, sandbox: Sandbox, shape: str, scope: Any
) -> None:
    sandbox.freshbooks.switches.rounding_scope = scope
    customer = business.add_client(email="a@b.test")["id"]
    line = replace(CHAIRS, quantity=Decimal(2), taxes=(Tax("A", Decimal(10)), Tax("B", Decimal(5))))
    body = payload(
        customer, lines=(line,), discount_percent=Decimal(10), discount_description="Spring"
    )
    made = client.create_invoice(body)
    # 241.00 - 24.10 = 216.90; 15 % of it is 32.535, rounded by each tax or together
    assert made.tax in (Money(Decimal("32.54"), "EUR"), Money(Decimal("32.53"), "EUR"))
    assert made.amount == Money(Decimal("216.90"), "EUR") + made.tax


def test_a_number_that_is_taken_is_named(client: FreshbooksClient, business: Any) -> None:
    customer = business.add_client(email="a@b.test")["id"]

    def numbered() -> Invoice:
        return client.create_invoice(
            invoice_payload(
                draft(),
                customer_id=customer,
                create_date=TODAY,
                number=None,
                reference="BHAAAAAAAAAA",
                reference_place="invoice_number",
            )
        )

    assert numbered().number == "BHAAAAAAAAAA"
    with pytest.raises(AlreadyThere) as caught:
        numbered()
    assert caught.value.ref == "BHAAAAAAAAAA"
    assert len(business.invoices) == 1


def test_an_unknown_invoice_is_not_ours(client: FreshbooksClient) -> None:
    with pytest.raises(NotOurs):
        client.invoice(999_999)


def test_marking_as_sent_is_one_intent_and_the_link_opens(
    client: FreshbooksClient, business: Any
) -> None:
    made = client.create_invoice(payload(business.add_client(email="a@b.test")["id"]))
    with pytest.raises(CannotBill):
        client.share_link(made.id)
    sent = client.mark_sent(made.id)
    assert (sent.status, sent.v3_status, sent.tax) == (2, "sent", made.tax)
    assert client.share_link(made.id).startswith("http")
    assert business.mails == {}


def test_mailing_sends_one_mail_to_whom_it_names(client: FreshbooksClient, business: Any) -> None:
    made = client.create_invoice(payload(business.add_client(email="a@b.test")["id"]))
    sent = client.email_invoice(made.id, ["ann@buyer.test"], subject="Your invoice", body="Hi")
    assert sent.status == 2
    (mail,) = business.mails.values()
    assert list(mail.recipients) == ["ann@buyer.test"]
    assert mail.subject == "Your invoice"


def test_a_payment_shows_in_what_is_outstanding(client: FreshbooksClient, business: Any) -> None:
    made = client.create_invoice(payload(business.add_client(email="a@b.test")["id"]))
    client.mark_sent(made.id)
    business.pay(made.id, "100.01")
    found = client.invoice(made.id)
    assert found.outstanding == Money(Decimal("304.50"), "EUR")
    assert (found.status, found.v3_status, found.payment_status) == (2, "partial", "partial")


def test_a_deleted_customer_cannot_be_billed(client: FreshbooksClient, business: Any) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    business.delete_client(customer)
    for customer_id in (customer, 999_999):
        with pytest.raises(CannotBill) as caught:
            client.create_invoice(payload(customer_id))
        assert [problem.field for problem in caught.value.problems] == ["client"]


@pytest.mark.parametrize("shape", ["classic", "google"])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"po_number": "x"}, None),
        ({"terms": "x" * 20_000}, "terms"),
        ({"language": "not a language"}, "language"),
        ({"lines": (replace(CHAIRS, name="x" * 300),)}, "lines.name"),
        ({"lines": (replace(CHAIRS, unit_cost=Decimal(-1)),)}, "lines.price"),
        ({"due_days": -1}, "due_days"),
    ],
)
def test_a_refusal_names_the_field_in_either_shape(
    client: FreshbooksClient,
    business: Any,
    sandbox: Sandbox,
    shape: Any,
    changes: dict[str, Any],
    field: str | None,
) -> None:
    sandbox.freshbooks.switches.error_shape = shape
    customer = business.add_client(email="a@b.test")["id"]
    if field is None:
        assert client.create_invoice(payload(customer, **changes)).id
        return
    with pytest.raises(CannotBill) as caught:
        client.create_invoice(payload(customer, **changes))
    assert field in [problem.field for problem in caught.value.problems]
    assert all(problem.reason.startswith("FreshBooks refuses") for problem in caught.value.problems)
    assert business.invoices == {}


def test_a_client_of_the_business_may_read_and_must_connect_again_to_write(
    sandbox: Sandbox, business: Any, caller: Caller
) -> None:
    guest = sandbox.freshbooks.add_identity("guest@studio.test")
    sandbox.freshbooks.add_member(business, guest, "client", "client")
    grant = sandbox.freshbooks.grant(guest, APP.client_id)
    client = FreshbooksClient(
        sandbox.freshbooks.base_url, "aBc12D", Tokens(grant.access_token), caller
    )
    assert client.me().businesses[0].account_role == "client"
    with pytest.raises(Reconnect):
        client.create_client(DraftClient(key="x", email="a@b.test"), "EUR")


def test_missing_rights_mean_connecting_again(
    sandbox: Sandbox, business: Any, owner: Any, caller: Caller
) -> None:
    scopes = ["user:profile:read", "user:invoices:read"]
    grant = sandbox.freshbooks.grant(owner, APP.client_id, scopes)
    client = FreshbooksClient(
        sandbox.freshbooks.base_url, "aBc12D", Tokens(grant.access_token), caller
    )
    with pytest.raises(Reconnect) as caught:
        client.create_client(BUYER, "EUR")
    assert "connect again as an owner" in caught.value.sentence


def test_callbacks_are_registered_verified_resent_and_deleted(
    client: FreshbooksClient, business: Any, sandbox: Sandbox
) -> None:
    uri = "http://127.0.0.1:9/hooks/freshbooks/key"
    made = client.register_callback("invoice", uri)
    assert made == Callback(made.id, "invoice", uri, False)
    assert client.resend_verification(made.id) == made
    verifier = business.callbacks[made.id]["verifier"]
    with pytest.raises(CannotBill):
        client.verify_callback(made.id, "wrong")
    assert client.verify_callback(made.id, verifier).verified
    assert client.callbacks() == [Callback(made.id, "invoice", uri, True)]
    client.delete_callback(made.id)
    client.delete_callback(made.id)
    assert client.callbacks() == []


def test_an_event_that_freshbooks_does_not_know_is_refused(client: FreshbooksClient) -> None:
    with pytest.raises(CannotBill):
        client.register_callback("invoice.overdue", "http://127.0.0.1:9/x")


def test_a_create_asks_for_its_lines_and_is_recorded_without_its_query(
    client: FreshbooksClient, business: Any, calls: list[CallMade]
) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    calls.clear()
    client.create_invoice(payload(customer))
    assert [(c.method, c.path, c.status) for c in calls] == [
        ("POST", "/accounting/account/aBc12D/invoices/invoices", 200)
    ]
