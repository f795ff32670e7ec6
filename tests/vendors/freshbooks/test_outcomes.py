"""What each mischief between us and FreshBooks means: the outcome, and what is known of it."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from server.core.errors import Reconnect, TryLater
from server.sandbox import Fault, Sandbox
from server.vendors.freshbooks import auth
from server.vendors.freshbooks.api import MOST_PAGES
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.http import Caller
from server.vendors.oauth import OAuthApp
from tests.fixed_clock import START
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller
from tests.vendors.freshbooks.conftest import APP, payload
from tests.vendors.holder import LiveTokens, Tokens

CREATE = "POST /accounting/*/invoices/invoices"

FAULTS = [
    (Fault("lose_reply", CREATE), "freshbooks:down", "uncertain", 1),
    (Fault("error_after", CREATE, status=500), "freshbooks:down", "uncertain", 1),
    (Fault("error_before", CREATE, status=503), "freshbooks:down", "uncertain", 0),
    (Fault("html", CREATE, status=502), "freshbooks:down", "uncertain", 0),
    (Fault("html", CREATE, status=200), "freshbooks:down", "uncertain", 0),
    (Fault("html", CREATE, status=404), "freshbooks:down", "uncertain", 0),
    (Fault("html_after", CREATE, status=200), "freshbooks:down", "uncertain", 1),
    (Fault("truncate", CREATE), "freshbooks:down", "uncertain", 1),
    (Fault("late_commit", CREATE, seconds=5), "freshbooks:down", "uncertain", 0),
    (Fault("throttle", CREATE, seconds=17), "freshbooks:throttled", "refused", 0),
    (Fault("conflict", CREATE), "freshbooks:busy", "refused", 0),
    (Fault("error_before", CREATE, status=402), "freshbooks:forbidden", "refused", 0),
]


@pytest.mark.parametrize("shape", ["classic", "google"])
@pytest.mark.parametrize(
    ("fault", "cause", "certainty", "made"),
    FAULTS,
    ids=[f"{fault.kind}-{fault.status}" for fault, *_ in FAULTS],
)
def test_a_create_says_what_is_known_of_it(
    client: FreshbooksClient,
    business: Any,
    sandbox: Sandbox,
    shape: Any,
    fault: Fault,
    cause: str,
    certainty: str,
    made: int,
) -> None:
    sandbox.freshbooks.switches.error_shape = shape
    customer = business.add_client(email="a@b.test")["id"]
    sandbox.faults.add(Fault(fault.kind, fault.match, seconds=fault.seconds, status=fault.status))
    with pytest.raises(TryLater) as caught:
        client.create_invoice(payload(customer))
    assert (caught.value.cause, caught.value.certainty) == (cause, certainty)
    assert caught.value.sentence.endswith(".")
    assert len(business.invoices) == made
    if fault.kind == "throttle":
        assert (caught.value.after, caught.value.burns) == (timedelta(seconds=17), False)


def test_what_landed_late_is_found_by_its_date_and_number(
    client: FreshbooksClient, business: Any, sandbox: Sandbox
) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    sandbox.faults.add(Fault("late_commit", CREATE, seconds=40))
    with pytest.raises(TryLater):
        client.create_invoice(payload(customer, "BHLATE"))
    assert client.find_invoices(customer_id=customer) == []
    sandbox.clock.advance(timedelta(seconds=41))
    (found,) = client.find_invoices(customer_id=customer)
    assert found.po_number == "BHLATE"


def test_a_stopped_server_was_not_sent_anything(client: FreshbooksClient, sandbox: Sandbox) -> None:
    sandbox.freshbooks.stop()
    with pytest.raises(TryLater) as caught:
        client.create_invoice(payload(1))
    assert (caught.value.cause, caught.value.certainty) == ("freshbooks:down", "not_sent")


def test_an_expired_token_is_refreshed_once_and_the_call_made_again(
    client: FreshbooksClient, business: Any, sandbox: Sandbox, tokens: LiveTokens
) -> None:
    customer = business.add_client(email="a@b.test")["id"]
    sandbox.clock.advance(timedelta(hours=13))
    client.create_invoice(payload(customer))
    assert tokens.version == 1
    assert len(business.invoices) == 1


def test_a_second_refusal_means_connecting_again(
    client: FreshbooksClient, sandbox: Sandbox, tokens: LiveTokens
) -> None:
    sandbox.faults.add(Fault("unauthorized", CREATE, times=None))
    with pytest.raises(Reconnect):
        client.create_invoice(payload(1))
    assert tokens.version == 1


def consent(sandbox: Sandbox) -> str:
    """Allows, as the owner does on the consent page; the code."""
    url = auth.authorize_url(sandbox.freshbooks.auth_url, APP, "state-1")
    allow = {"identity_id": str(sandbox.freshbooks.identities[0].id), "decision": "allow"}
    with requests.post(url, data=allow, timeout=5, allow_redirects=False) as reply:
        query = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert query["state"] == ["state-1"]
    return query["code"][0]


def test_a_consent_becomes_tokens_that_rotate(
    sandbox: Sandbox, business: Any, caller: Caller
) -> None:
    api = sandbox.freshbooks.base_url
    pair = auth.exchange(caller, api, APP, consent(sandbox))
    assert pair.expires_at == START + timedelta(hours=12)
    assert "user:invoices:write" in pair.scope.split()
    newer = auth.refresh(caller, api, APP, pair.refresh)
    assert newer.refresh != pair.refresh
    with pytest.raises(Reconnect):
        auth.refresh(caller, api, APP, pair.refresh)
    assert FreshbooksClient(api, "", Tokens(newer.access), caller).me().email == "owner@studio.test"


def test_a_refresh_soon_after_another_expires_with_the_first(
    sandbox: Sandbox, business: Any, caller: Caller
) -> None:
    api = sandbox.freshbooks.base_url
    pair = auth.exchange(caller, api, APP, consent(sandbox))
    sandbox.clock.advance(timedelta(seconds=30))
    assert auth.refresh(caller, api, APP, pair.refresh).expires_at <= pair.expires_at + timedelta(
        seconds=30
    )


def test_a_lost_refresh_spends_the_token(
    tokens: LiveTokens, caller: Caller, sandbox: Sandbox
) -> None:
    api = sandbox.freshbooks.base_url
    sandbox.faults.add(Fault("lose_reply", "POST /auth/oauth/token"))
    with pytest.raises(TryLater) as caught:
        auth.refresh(caller, api, APP, tokens.pair.refresh)
    assert caught.value.certainty == "uncertain"
    with pytest.raises(Reconnect):
        auth.refresh(caller, api, APP, tokens.pair.refresh)


def test_a_wrong_secret_is_the_server_s_own_fault(
    sandbox: Sandbox, business: Any, caller: Caller
) -> None:
    wrong = OAuthApp(APP.client_id, "another", APP.redirect_uri)
    with pytest.raises(TryLater) as caught:
        auth.refresh(caller, sandbox.freshbooks.base_url, wrong, "r")
    assert caught.value.cause == "freshbooks:forbidden"


def replying(*replies: bytes) -> Any:
    def script(line: Line) -> None:
        for reply in replies:
            if line.request():
                line.write(reply)

    return script


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"response": {}}',
        b'{"response": {"result": {}}}',
        b'{"response": {"result": {"invoice": {"id": 1}}}}',
        b'{"response": {"result": [1]}}',
        b'{"response": {"errors": [{"errno": 500, "message": "Unexpected"}]}}',
    ],
)
def test_a_success_without_the_thing_is_uncertain(body: bytes, caller_of: MakeCaller) -> None:
    with ByteServer(replying(answer(body))) as server:
        client = FreshbooksClient(f"http://{server.host}", "a", Tokens(), caller_of("freshbooks"))
        with pytest.raises(TryLater) as caught:
            client.create_invoice(payload(1))
    assert (caught.value.cause, caught.value.certainty) == ("freshbooks:down", "uncertain")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Same"])
def test_a_redirected_create_is_uncertain(status: str, caller_of: MakeCaller) -> None:
    away = answer(b'{"error": "moved"}', status, "Location: http://127.0.0.1:1/\r\n")
    with ByteServer(replying(away)) as server:
        client = FreshbooksClient(f"http://{server.host}", "a", Tokens(), caller_of("freshbooks"))
        with pytest.raises(TryLater) as caught:
            client.create_invoice(payload(1))
    assert caught.value.certainty == "uncertain"


def test_a_list_that_never_ends_is_given_up(caller_of: MakeCaller) -> None:
    page = answer(b'{"response": {"result": {"clients": [{"id": 1}], "pages": 9999}}}')
    with ByteServer(replying(*[page] * MOST_PAGES)) as server:
        client = FreshbooksClient(f"http://{server.host}", "a", Tokens(), caller_of("freshbooks"))
        with pytest.raises(TryLater):
            client.find_clients(email="a@b.test")
