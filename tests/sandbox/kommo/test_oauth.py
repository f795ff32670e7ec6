"""Consent, codes, tokens and their rotation (kommo.md §1, §2, §7)."""

import hashlib
import hmac
import re
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests

from server.sandbox import Fault, Sandbox
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


def test_an_access_token_lives_a_day(kommo: Kommo) -> None:
    kommo.sandbox.clock.advance(timedelta(hours=24, seconds=-1))
    assert kommo.get("account").status_code == 200
    kommo.sandbox.clock.advance(timedelta(seconds=1))
    assert kommo.get("account").status_code == 401


def test_the_access_token_names_account_and_api_domain(kommo: Kommo) -> None:
    claims = jwt.decode(kommo.token, options={"verify_signature": False, "verify_aud": False})
    assert claims["account_id"] == kommo.account.account_id
    assert claims["aud"] == CLIENT_ID
    assert claims["api_domain"] == urlsplit(kommo.sandbox.kommo.auth_url).netloc


def test_the_old_refresh_token_lives_until_the_new_one_is_used(kommo: Kommo) -> None:
    first = kommo.connect()
    lost = kommo.refresh(first["refresh_token"]).json()
    second = kommo.refresh(first["refresh_token"])
    assert second.status_code == 200
    third = kommo.refresh(second.json()["refresh_token"])
    assert third.status_code == 200
    dead = kommo.refresh(first["refresh_token"])
    assert (dead.status_code, dead.json()["hint"]) == (401, "Token has been revoked")
    assert kommo.refresh(lost["refresh_token"]).status_code == 401


def test_the_pair_of_a_lost_reply_is_superseded(kommo: Kommo) -> None:
    first = kommo.connect()
    lost = kommo.refresh(first["refresh_token"]).json()
    kommo.refresh(first["refresh_token"])
    kommo.token = lost["access_token"]
    assert kommo.get("account").status_code == 401
    assert kommo.refresh(lost["refresh_token"]).status_code == 401


def test_by_the_other_reading_a_refresh_kills_both_old_tokens_at_once(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.refresh_rule = "at_once"
    first = kommo.connect()
    second = kommo.refresh(first["refresh_token"]).json()
    assert kommo.get("account").status_code == 401
    assert kommo.refresh(first["refresh_token"]).status_code == 401
    assert kommo.refresh(second["refresh_token"]).status_code == 200


def test_by_a_switch_using_the_new_access_token_ends_the_grace(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.access_use_ends_grace = True
    first = kommo.connect()
    kommo.token = kommo.refresh(first["refresh_token"]).json()["access_token"]
    kommo.get("account")
    assert kommo.refresh(first["refresh_token"]).status_code == 401


def test_a_refresh_whose_reply_is_lost_still_rotated(kommo: Kommo) -> None:
    first = kommo.connect()
    kommo.sandbox.faults.add(Fault("lose_reply", match="POST /oauth2/access_token"))
    with pytest.raises(requests.ConnectionError):
        kommo.refresh(first["refresh_token"])
    assert kommo.refresh(first["refresh_token"]).status_code == 200


def test_a_refresh_token_unused_for_three_months_is_dead(kommo: Kommo) -> None:
    pair = kommo.connect()
    kommo.sandbox.clock.advance(timedelta(days=90))
    assert kommo.refresh(pair["refresh_token"]).status_code == 401


def test_two_consents_live_beside_each_other(kommo: Kommo) -> None:
    first, second = kommo.connect(), kommo.connect()
    assert kommo.refresh(first["refresh_token"]).status_code == 200
    assert kommo.refresh(second["refresh_token"]).status_code == 200


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


def test_a_widget_install_calls_the_redirect_uri_from_server_to_server(kommo: Kommo) -> None:
    kommo.account.install_widget(CLIENT_ID)
    hook = kommo.sandbox.deliveries.pending()[-1]
    query = dict(parse_qsl(urlsplit(hook.url).query))
    assert hook.method == "GET"
    assert hook.url.startswith(REDIRECT)
    assert (query["from_widget"], query["referer"]) == ("1", kommo.account.host)
    assert "state" not in query
    assert kommo.exchange(query["code"]).status_code == 200


def test_a_renamed_account_is_found_through_api_domain(kommo: Kommo) -> None:
    pair = kommo.connect()
    old_host = kommo.account.host
    api_domain = jwt.decode(kommo.token, options={"verify_signature": False, "verify_aud": False})[
        "api_domain"
    ]
    new_host = kommo.account.rename("moved")
    assert new_host != old_host
    assert kommo.refresh(pair["refresh_token"], host=old_host).status_code == 404
    gone = kommo.send("GET", f"http://{old_host}/api/v4/account")
    assert (gone.status_code, gone.json()["code"]) == (401, 101)
    where = requests.get(
        f"http://{api_domain}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": pair["refresh_token"]},
        timeout=5,
    ).json()
    assert (where["id"], where["subdomain"]) == (kommo.account.account_id, "moved")
    assert where["domain"] == new_host
    assert kommo.refresh(pair["refresh_token"], host=new_host).status_code == 200


def test_a_revoked_refresh_token_finds_no_account(kommo: Kommo) -> None:
    reply = requests.get(
        f"{kommo.account.url}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": "def502"},
        timeout=5,
    )
    assert reply.status_code == 401


def test_a_one_time_token_is_signed_with_the_secret_for_the_redirect_host(kommo: Kommo) -> None:
    token = kommo.account.make_one_time_token()
    claims = jwt.decode(
        token,
        SECRET,
        algorithms=["HS256"],
        audience="http://127.0.0.1",
        options={"verify_exp": False},
    )
    assert claims["exp"] - claims["iat"] == 1800
    assert claims["iss"] == kommo.account.url
    assert (claims["client_uuid"], claims["account_id"]) == (CLIENT_ID, kommo.account.account_id)
    assert claims["user_id"] == kommo.account.admin.id
    assert claims["is_admin"] is True
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


def test_a_token_of_another_account_is_refused(kommo: Kommo) -> None:
    other = kommo.sandbox.kommo.add_account("other")
    reply = requests.get(
        f"{other.url}/api/v4/account",
        headers={"Authorization": f"Bearer {kommo.token}"},
        timeout=5,
    )
    assert reply.status_code == 401
    assert reply.headers["Content-Type"] == "application/problem+json"


def test_a_managers_token_inherits_the_managers_rights(kommo: Kommo) -> None:
    manager = kommo.account.add_user("Mark Reed", leads="M")
    kommo.account.add_deal("Other's")
    own = kommo.account.add_deal("Own", responsible_user_id=manager.id)
    kommo.connect(manager.id)
    assert kommo.get("users").status_code == 403
    assert kommo.get("webhooks").status_code == 403
    listed = kommo.get("leads").json()["_embedded"]["leads"]
    assert [row["id"] for row in listed] == [own.id]


def test_an_admins_grant_survives_the_admin(kommo: Kommo) -> None:
    second = kommo.account.add_user("Ada Kahn", is_admin=True)
    manager = kommo.account.add_user("Mark Reed")
    kommo.connect(second.id)
    second.is_active = False
    assert kommo.get("account").status_code == 200
    kommo.connect(manager.id)
    manager.is_active = False
    assert kommo.get("account").status_code == 401


def test_a_call_can_be_made_in_the_name_of_a_user(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Hidden")
    manager = kommo.account.add_user("Mark Reed", leads="M")
    free = kommo.account.add_user("Eve", is_free=True)

    def status(user_id: object) -> int:
        headers = {"X-Context-User-ID": str(user_id)}
        return kommo.send("GET", f"/api/v4/leads/{deal.id}", headers=headers).status_code

    assert status(kommo.account.admin.id) == 200
    assert status(manager.id) == 403
    assert status(free.id) == 401
    assert status(999) == 401


def test_a_long_lived_token_needs_no_refresh(kommo: Kommo) -> None:
    kommo.token = kommo.account.issue_long_lived(CLIENT_ID)
    kommo.sandbox.clock.advance(timedelta(days=200))
    assert kommo.get("account").status_code == 200


def test_the_statuses_of_refused_tokens_are_switches(kommo: Kommo) -> None:
    switches = kommo.sandbox.kommo.switches
    switches.token_error_status, switches.moved_status = 400, 401
    pair = kommo.connect()
    old_host = kommo.account.host
    kommo.account.rename("moved")
    assert kommo.refresh(pair["refresh_token"], host=old_host).status_code == 401
    assert kommo.refresh("def502").status_code == 400


def test_by_a_switch_the_context_user_is_denied_otherwise(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.context_user_denied_status = 403
    headers = {"X-Context-User-ID": "999"}
    assert kommo.send("GET", "/api/v4/account", headers=headers).status_code == 403


def test_by_a_switch_the_one_time_token_is_silent_about_admins(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.is_admin_claim = False
    token = kommo.account.make_one_time_token()
    claims = jwt.decode(token, options={"verify_signature": False, "verify_aud": False})
    assert "is_admin" not in claims
