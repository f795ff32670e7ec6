"""The official freshbooks-sdk drives the sandbox: what nobody here wrote finds what it expects."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from freshbooks import (
    Client,
    FilterBuilder,
    FreshBooksError,
    IncludesBuilder,
    PaginateBuilder,
    SortBuilder,
    VisState,
)
from freshbooks.api.resource import Resource

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import REDIRECT, line

ACCOUNT = "aBc12D"


@pytest.fixture
def sdk(world: FreshbooksWorld, biz: Business, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The SDK with a token; it opens a session at every access and closes none, so we do."""
    opened: list[requests.Session] = []
    make = Resource._config_session

    def kept(self: Resource, auto_retry: bool) -> requests.Session:
        opened.append(make(self, auto_retry))
        return opened[-1]

    monkeypatch.setattr(Resource, "_config_session", kept)
    monkeypatch.setenv("FRESHBOOKS_API_URL", world.base_url)
    monkeypatch.setenv("FRESHBOOKS_AUTH_URL", world.auth_url)
    token = world.grant(biz.owner, "app-1").access_token
    yield Client(
        "app-1",
        "secret-1",
        REDIRECT,
        access_token=token,
        auto_retry=False,
    )
    for session in opened:
        session.close()
    assert world.unknown_calls == []


def new_invoice(sdk: Client, client_id: int, **fields: object) -> int:
    body = {"customerid": client_id, "create_date": "2026-03-02", "lines": [line("100.00", 2)]}
    return int(sdk.invoices.create(ACCOUNT, body | fields).id)


def test_it_gets_and_refreshes_tokens(sdk: Client, biz: Business, sandbox: Sandbox) -> None:
    url = sdk.get_auth_request_url(["user:profile:read", "user:invoices:read"])
    form = {"identity_id": str(biz.owner.id), "decision": "allow"}
    back = requests.post(url, data=form, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(back.headers["Location"]).query)["code"][0]
    first = sdk.get_access_token(code)
    assert first.access_token_expires_at == datetime(2026, 3, 3, tzinfo=UTC)
    sandbox.clock.advance(timedelta(hours=1))
    second = sdk.refresh_access_token()
    assert second.refresh_token != first.refresh_token
    with pytest.raises(FreshBooksError, match="authorization grant is invalid"):
        sdk.refresh_access_token(first.refresh_token)


def test_it_reads_who_it_is(sdk: Client, biz: Business) -> None:
    person = sdk.current_user()
    assert (person.email, person.full_name) == ("ona@example.test", "Ona Owner")
    assert person.business_memberships[0].business.account_id == ACCOUNT
    assert person.business_memberships[0].business.id == biz.business_id


def test_it_creates_finds_changes_and_deletes_clients(sdk: Client) -> None:
    made = sdk.clients.create(ACCOUNT, {"email": "a@example.test", "organization": "A"})
    sdk.clients.create(ACCOUNT, {"email": "b@example.test"})
    found = sdk.clients.list(ACCOUNT, [FilterBuilder().equals("email", "a@example.test")])
    assert [client.id for client in found] == [made.id]
    assert made.signup_date == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert made.updated == datetime(2026, 3, 2, 12, tzinfo=UTC)  # printed in US/Eastern
    assert sdk.clients.update(ACCOUNT, made.id, {"p_city": "Kaunas"}).p_city == "Kaunas"
    assert sdk.clients.delete(ACCOUNT, made.id).vis_state == VisState.DELETED
    assert len(sdk.clients.list(ACCOUNT)) == 1
    assert sdk.clients.get(ACCOUNT, made.id).vis_state == VisState.DELETED


def test_it_makes_an_invoice_with_lines_and_sends_it(sdk: Client, biz: Business) -> None:
    client = sdk.clients.create(ACCOUNT, {"email": "a@example.test"})
    body = {
        "customerid": client.id,
        "create_date": date(2026, 3, 2).isoformat(),
        "due_offset_days": 14,
        "currency_code": "CAD",
        "lines": [
            {
                "name": "Fancy dishes",
                "description": "The very fine ones",
                "qty": 4,
                "unit_cost": {"amount": "6.00", "code": "CAD"},
                "taxName1": "HST",
                "taxAmount1": 13,
            }
        ],
    }
    made = sdk.invoices.create(ACCOUNT, body, includes=IncludesBuilder().include("lines"))
    assert (made.invoice_number, made.v3_status) == ("0000001", "draft")
    assert made.due_date == date(2026, 3, 16)
    assert made.data["amount"] == {"amount": "27.12", "code": "CAD"}
    assert made.lines[0].data["taxAmount1"] == "13"
    mail = {
        "action_email": True,
        "email_recipients": ["a@example.test"],
        "email_include_pdf": False,
        "invoice_customized_email": {"subject": "Your invoice", "body": "Hello"},
    }
    assert sdk.invoices.update(ACCOUNT, made.id, mail).status == 2
    assert [mail.subject for mail in biz.mails.values()] == ["Your invoice"]
    sdk.invoices.delete(ACCOUNT, made.id)
    assert biz.invoices[made.id]["vis_state"] == 1


def test_its_builders_page_sort_and_filter(sdk: Client) -> None:
    client = sdk.clients.create(ACCOUNT, {"email": "a@example.test"})
    days = ("2026-03-02", "2026-03-01", "2026-02-01")
    made = [new_invoice(sdk, client.id, create_date=day) for day in days]
    page = sdk.invoices.list(ACCOUNT, [PaginateBuilder(2, 2)])
    assert (page.pages.page, page.pages.pages, page.pages.total) == (2, 2, 3)
    assert [row.id for row in page] == made[:1]
    by_date = sdk.invoices.list(ACCOUNT, [SortBuilder().ascending("invoice_date")])
    assert [row.id for row in by_date] == made[::-1]
    march = FilterBuilder().between("date_min", date(2026, 3, 1))
    assert [row.id for row in sdk.invoices.list(ACCOUNT, [march])] == [made[1], made[0]]
    two = FilterBuilder().in_list("invoiceid", made[:2])
    assert [row.id for row in sdk.invoices.list(ACCOUNT, [two])] == [made[1], made[0]]
    lines = sdk.invoices.list(ACCOUNT, [IncludesBuilder().include("lines")])
    assert lines[0].lines[0].name == "Work"


def test_it_books_and_deletes_payments(sdk: Client) -> None:
    client = sdk.clients.create(ACCOUNT, {"email": "a@example.test"})
    invoice = new_invoice(sdk, client.id)
    sdk.invoices.update(ACCOUNT, invoice, {"action_mark_as_sent": True})
    amount = {"amount": "50.00", "code": "EUR"}
    body = {"invoiceid": invoice, "amount": amount, "date": "2026-03-02", "type": "Check"}
    payment = sdk.payments.create(ACCOUNT, body)
    assert sdk.invoices.get(ACCOUNT, invoice).data["outstanding"]["amount"] == "150.00"
    assert sdk.payments.list(ACCOUNT)[0].id == payment.id
    sdk.payments.delete(ACCOUNT, payment.id)
    assert sdk.invoices.get(ACCOUNT, invoice).data["outstanding"]["amount"] == "200.00"


def test_it_makes_credit_notes_taxes_items_and_payment_options(sdk: Client, biz: Business) -> None:
    client = sdk.clients.create(ACCOUNT, {"email": "a@example.test"})
    note = {"clientid": client.id, "create_date": "2026-03-02", "lines": [line("30.00")]}
    assert sdk.credit_notes.create(ACCOUNT, note).data["amount"]["amount"] == "30.00"
    biz.add_tax("VAT", "21")
    assert sdk.taxes.list(ACCOUNT)[0].amount == "21"
    assert sdk.items.list(ACCOUNT).pages is not None
    assert sdk.systems.get(ACCOUNT, biz.system_id).name == "Ona's Studio"
    invoice = new_invoice(sdk, client.id)
    options = {"gateway_name": "stripe", "entity_id": invoice, "entity_type": "invoice"}
    sdk.invoice_payment_options.create(ACCOUNT, invoice, options)
    assert sdk.invoice_payment_options.get(ACCOUNT, invoice).gateway_name == "stripe"


def test_it_registers_verifies_and_deletes_callbacks(
    sdk: Client, biz: Business, sandbox: Sandbox
) -> None:
    uri = "http://127.0.0.1:9/hooks"
    made = sdk.callbacks.create(ACCOUNT, {"event": "invoice.create", "uri": uri})
    posted = dict(parse_qsl(sandbox.deliveries.pending()[0].body.decode()))
    assert posted["object_id"] == str(made.callbackid)
    done = sdk.callbacks.verify(ACCOUNT, made.callbackid, posted["verifier"])
    assert done.verified is True
    sdk.callbacks.resend_verification(ACCOUNT, made.callbackid)
    assert len(sandbox.deliveries.pending()) == 2
    assert sdk.callbacks.list(ACCOUNT).pages.total == 1
    assert sdk.callbacks.get(ACCOUNT, made.callbackid).event == "invoice.create"
    sdk.callbacks.delete(ACCOUNT, made.callbackid)
    with pytest.raises(FreshBooksError, match="could not be found"):
        sdk.callbacks.get(ACCOUNT, made.callbackid)


def test_it_tells_refusals_by_status_and_errno(sdk: Client) -> None:
    with pytest.raises(FreshBooksError, match="Client not found") as gone:
        sdk.clients.get(ACCOUNT, 12345)
    assert (gone.value.status_code, gone.value.error_code) == (404, 1012)
    with pytest.raises(FreshBooksError) as event:
        sdk.callbacks.create(ACCOUNT, {"event": "invoice.paid", "uri": "http://127.0.0.1:9/"})
    assert event.value.error_code == 422
    with pytest.raises(FreshBooksError) as read_only:
        new_invoice(sdk, 12345, due_date="2026-04-01")
    assert read_only.value.error_code == 1038
