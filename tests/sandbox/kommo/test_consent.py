"""Consent, its codes, the widget's install, and the end of it all (kommo.md §1, §2, §7)."""

import hashlib
import hmac
import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from server.sandbox import Sandbox
from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo

pytestmark = pytest.mark.quirk


def consent(kommo: Kommo, **form: str) -> requests.Response:
    data = {"client_id": CLIENT_ID, "state": "s1", "account": "demo", "decision": "allow", **form}
    return requests.post(kommo.sandbox.kommo.auth_url, data=data, timeout=5, allow_redirects=False)


def redirected(reply: requests.Response) -> dict[str, str]:
    assert reply.status_code == 302
    assert reply.headers["Location"].startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


def test_the_consent_page_is_a_form_that_keeps_the_state(kommo: Kommo) -> None:
    query = {"client_id": CLIENT_ID, "state": "s<1>", "mode": "popup"}
    page = requests.get(kommo.sandbox.kommo.auth_url, params=query, timeout=5)
    assert page.status_code == 200
    assert 'name="state" value="s&lt;1&gt;"' in page.text
    assert re.findall(r'<button name="decision" value="(\w+)"', page.text) == ["allow", "deny"]
    assert 'value="demo"' in page.text


def test_an_unknown_integration_has_no_consent_page(kommo: Kommo) -> None:
    url = kommo.sandbox.kommo.auth_url
    assert requests.get(url, params={"client_id": "x"}, timeout=5).status_code == 404


def test_the_callback_names_the_host_without_scheme(kommo: Kommo) -> None:
    query = redirected(consent(kommo))
    assert query.keys() == {"code", "referer", "state", "client_id", "platform"}
    assert query["referer"] == kommo.account.host
    assert query["state"] == "s1"


def test_state_is_absent_where_none_was_passed(kommo: Kommo) -> None:
    assert "state" not in redirected(consent(kommo, state=""))


def test_a_refusal_comes_back_as_access_denied(kommo: Kommo) -> None:
    query = redirected(consent(kommo, decision="deny"))
    assert query == {"error": "access_denied", "client_id": CLIENT_ID, "state": "s1"}


def test_the_first_installation_needs_an_administrator(sandbox: Sandbox) -> None:
    sandbox.kommo.register_integration(CLIENT_ID, SECRET, REDIRECT)
    account = sandbox.kommo.add_account("demo")
    kommo = Kommo(sandbox, account)
    manager = account.add_user("Mark Reed")
    assert consent(kommo, user=str(manager.id)).status_code == 403
    kommo.exchange(redirected(consent(kommo))["code"])
    assert consent(kommo, user=str(manager.id)).status_code == 302


def test_a_code_becomes_a_pair_of_tokens(kommo: Kommo) -> None:
    reply = kommo.exchange(redirected(consent(kommo))["code"])
    body = reply.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86400)
    assert body["server_time"] == kommo.sandbox.clock.timestamp()
    kommo.token = body["access_token"]
    assert kommo.get("account").json()["id"] == kommo.account.account_id


def test_a_code_works_once(kommo: Kommo) -> None:
    code = kommo.account.make_code(CLIENT_ID)
    assert kommo.exchange(code).status_code == 200
    again = kommo.exchange(code)
    assert (again.status_code, again.json()["hint"]) == (
        400,
        "Authorization code has been revoked",
    )


def test_a_code_lives_twenty_minutes(kommo: Kommo) -> None:
    code = kommo.account.make_code(CLIENT_ID)
    kommo.sandbox.clock.advance(timedelta(minutes=20))
    assert kommo.exchange(code).status_code == 400


def test_a_code_belongs_to_its_account(kommo: Kommo) -> None:
    other = kommo.sandbox.kommo.add_account("other")
    code = kommo.account.make_code(CLIENT_ID)
    assert Kommo(kommo.sandbox, other).exchange(code).status_code == 400


def test_the_redirect_uri_must_equal_the_saved_one(kommo: Kommo) -> None:
    code = kommo.account.make_code(CLIENT_ID)
    reply = kommo.token_call(
        grant_type="authorization_code", code=code, redirect_uri=REDIRECT + "/"
    )
    assert reply.status_code == 400
    assert kommo.exchange(code).status_code == 200


def test_a_wrong_secret_is_refused(kommo: Kommo) -> None:
    code = kommo.account.make_code(CLIENT_ID)
    reply = kommo.token_call(grant_type="authorization_code", code=code, client_secret="x")
    assert reply.status_code == 401


def test_a_widget_install_calls_the_redirect_uri_from_server_to_server(kommo: Kommo) -> None:
    kommo.account.install_widget(CLIENT_ID)
    hook = kommo.sandbox.deliveries.pending()[-1]
    query = dict(parse_qsl(urlsplit(hook.url).query))
    assert hook.method == "GET"
    assert hook.url.startswith(REDIRECT)
    assert (query["from_widget"], query["referer"]) == ("1", kommo.account.host)
    assert "state" not in query
    assert kommo.exchange(query["code"]).status_code == 200


def test_a_disabled_integration_loses_all_tokens_and_says_so_once(kommo: Kommo) -> None:
    world = kommo.sandbox.kommo
    world.register_integration(CLIENT_ID, SECRET, REDIRECT, "http://127.0.0.1:1/revoked")
    pair = kommo.connect()
    kommo.account.disable_integration(CLIENT_ID)
    assert kommo.get("account").status_code == 401
    assert kommo.refresh(pair["refresh_token"]).status_code == 401
    hook = kommo.sandbox.deliveries.pending()[-1]
    query = dict(parse_qsl(urlsplit(hook.url).query))
    message = f"{CLIENT_ID}|{kommo.account.account_id}".encode()
    signature = hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()
    assert hook.method == "GET"
    assert query == {
        "account_id": str(kommo.account.account_id),
        "client_uuid": CLIENT_ID,
        "signature": signature,
    }
    kommo.sandbox.deliveries.deliver_due()
    kommo.sandbox.clock.advance(timedelta(hours=3))
    assert kommo.sandbox.deliveries.deliver_due() == []
