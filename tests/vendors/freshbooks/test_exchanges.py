"""Every exchange that FreshBooks' own Node client recorded: our client reads each answer, and
asks for the same operation in the same shape."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from server.core.errors import CannotBill, Certainty, NotOurs, Outcome, Reconnect, TryLater
from server.core.invoice import DraftClient, DraftLine, InvoiceDraft, Tax, Totals
from server.core.money import Money
from server.vendors.freshbooks import auth
from server.vendors.freshbooks.api import FreshbooksApi
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.freshbooks.write import invoice_payload
from server.vendors.http import Caller
from server.vendors.oauth import OAuthApp
from tests.recorded_cases import ABSENT, cases_folder
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import Tokens

Exchange = dict[str, Any]

BUYER = DraftClient(
    key="email:ann@buyer.test",
    email="ann@buyer.test",
    organization="Buyer Ltd",
    first_name="Ann",
    last_name="Lee",
)
DRAFT = InvoiceDraft(
    currency="USD",
    client=BUYER,
    lines=(DraftLine("Chair", "oak", Decimal(2), Decimal("120.50"), (Tax("VAT", Decimal(20)),)),),
    totals=Totals(Decimal(241), Decimal("24.10"), Decimal("43.38"), Decimal("260.28")),
    discount_percent=Decimal(10),
    discount_description="Spring",
    language="en",
    po_number="PO-7",
    notes="Thank you",
    terms="Net 14",
    due_days=14,
)


def recorded() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    found = []
    for file in sorted((folder / "freshbooks").glob("[A-Z]*.json")):
        for index, exchange in enumerate(json.loads(file.read_text("utf-8"))):
            found.append(pytest.param(exchange, id=f"{file.stem}-{index}-{exchange['status']}"))
    return found


class Recording:
    """Answers as recorded, and keeps what it was asked."""

    def __init__(self, exchange: Exchange) -> None:
        status = f"{exchange['status']} Recorded"
        self._answer = answer(json.dumps(exchange["response"]).encode(), status)
        self.asked: list[tuple[str, str, bytes]] = []

    def __call__(self, line: Line) -> None:
        while request := line.request():
            head, _, body = request.partition(b"\r\n\r\n")
            method, target, _ = head.decode().split(" ", 2)
            self.asked.append((method, target, body))
            line.write(self._answer)


def ask(client: FreshbooksClient, api: FreshbooksApi, exchange: Exchange) -> Any:
    """The operation of ours that the exchange is about; of others the same request as it was."""
    method, path = exchange["method"], urlsplit(exchange["path"]).path
    request = exchange["request"] or {}
    kind = path.split("/")[4:]
    object_id = int(kind[2]) if len(kind) > 2 and kind[2].isdigit() else 0
    ours: dict[tuple[str, str, bool], Callable[[], Any]] = {
        ("GET", "invoices", True): lambda: client.invoice(object_id),
        ("GET", "invoices", False): client.find_invoices,
        ("POST", "invoices", False): lambda: client.create_invoice(payload()),
        ("GET", "clients", True): lambda: client.client(object_id),
        ("GET", "clients", False): lambda: client.find_clients(email="jappleseed@gmail.com"),
        ("POST", "clients", False): lambda: client.create_client(BUYER, "USD"),
    }
    if path.endswith("users/me"):
        return client.me()
    if path.endswith("share_link"):
        return client.share_link(object_id)
    if request == {"invoice": {"vis_state": 1}}:
        return client.delete_invoice(object_id)
    if "verifier" in request.get("callback", {}):
        return client.verify_callback(object_id, request["callback"]["verifier"])
    if "resend" in request.get("callback", {}):
        return client.resend_verification(object_id)
    known = ours.get((method, kind[1] if len(kind) > 1 else "", bool(object_id)))
    return known() if known else api.result(method, path, json=exchange["request"])


def payload() -> dict[str, Any]:
    return invoice_payload(
        DRAFT,
        customer_id=217572,
        create_date=date(2026, 3, 2),
        number="SS007",
        reference="BHAAAAAAAAAA",
        reference_place="notes",
    )


def refused_as(status: int) -> type[Outcome]:
    return {401: Reconnect, 404: NotOurs, 400: CannotBill}.get(status, TryLater)


@pytest.mark.cases("freshbooks")
@pytest.mark.parametrize("exchange", recorded())
def test_an_exchange_is_taken_as_recorded(exchange: Exchange, caller_of: MakeCaller) -> None:
    recording = Recording(exchange)
    path = urlsplit(exchange["path"]).path
    with ByteServer(recording) as server:
        caller, url = caller_of("freshbooks"), f"http://{server.host}"
        if path.endswith("/oauth/token"):
            check_token(caller, url)
            return
        account = path.split("/")[3]
        client = FreshbooksClient(url, account, Tokens(), caller)
        api = FreshbooksApi(url, Tokens(), caller)
        if exchange["status"] >= 400:
            with pytest.raises(refused_as(exchange["status"])):
                ask(client, api, exchange)
        else:
            assert ask(client, api, exchange) is not None or "vis_state" in str(exchange["request"])
    check_request(recording.asked[0], exchange)


def check_token(caller: Caller, url: str) -> None:
    pair = auth.exchange(caller, url, OAuthApp("id", "secret", "https://b.test/cb"), "code")
    assert (pair.access, pair.refresh, pair.scope) == ("access-token", "refresh-token", "scopes")
    assert pair.expires_at.timestamp() == 300 + 100


def check_request(asked: tuple[str, str, bytes], exchange: Exchange) -> None:
    method, target, body = asked
    theirs = urlsplit(exchange["path"])
    assert method == exchange["method"]
    assert urlsplit(target).path == theirs.path
    if "share_method" in theirs.query:
        assert parse_qsl(urlsplit(target).query) == parse_qsl(theirs.query)
    if not exchange["request"]:
        return
    (name, ours), (their_name, recorded) = (
        *json.loads(body).items(),
        *exchange["request"].items(),
    )
    assert name == their_name
    known = {**exchange["response"]["response"]["result"].get(name, {}), **recorded}
    for key, value in ours.items():
        if key in known and known[key] is not None:
            assert type(value) is type(known[key]), key
        else:
            assert key in known or key == "lines", key


@pytest.mark.cases("freshbooks")
@pytest.mark.parametrize(
    "exchange", [case for case in recorded() if str(case.id).startswith("Invoice-2")]
)
def test_a_recorded_line_gives_the_tax(
    exchange: Exchange, caller_of: MakeCaller, cases: Path
) -> None:
    with ByteServer(Recording(exchange)) as server:
        client = FreshbooksClient(
            f"http://{server.host}", "xZNQ1X", Tokens(), caller_of("freshbooks")
        )
        invoice = client.find_invoices()[0]
    assert invoice.amount == Money(Decimal("1222.00"), "USD")
    assert invoice.tax == Money(Decimal("-3778.00"), "USD")  # the sample's lines are another's
    assert (invoice.number, invoice.customer_id, invoice.status) == ("SS007", 217572, 1)


@pytest.mark.parametrize("status", [500, 429])
def test_what_is_known_after_an_error(status: int, caller_of: MakeCaller) -> None:
    exchange = {
        "status": status,
        "response": {"error": "internal_server_error", "error_description": "x"},
    }
    with ByteServer(Recording(exchange)) as server:
        client = FreshbooksClient(f"http://{server.host}", "a", Tokens(), caller_of("freshbooks"))
        with pytest.raises(TryLater) as caught:
            client.create_invoice(payload())
    expected = Certainty.REFUSED if status == 429 else Certainty.UNCERTAIN
    assert caught.value.certainty is expected
