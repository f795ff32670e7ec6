"""How somebody gets in from Kommo: the shell, the one-time token, the session and its renewal."""

from datetime import timedelta
from typing import Any

import pytest
import requests

from server.sandbox import Fault
from server.sandbox.browser import call
from server.store.tickets import UsedTokenRow
from server.web import sessions
from tests.rig import KOMMO_ID, Rig

EVIL = "https://evil.example"
TOO_OLD = "not valid or too old"


def ask(rig: Rig, token: str, *, lang: str = "en", **headers: str) -> requests.Response:
    sent = {"X-Auth-Token": token, "Origin": rig.kommo.url, **headers}
    sent = {name: value for name, value in sent.items() if value}
    return call("POST", f"{rig.url}/embed/session?lang={lang}", headers=sent)


def token_of(rig: Rig, user_id: int | None = None, **claims: Any) -> str:
    return rig.kommo.make_one_time_token(user_id, **claims)


def opened(rig: Rig, reply: requests.Response) -> sessions.Session:
    assert reply.status_code == 200, reply.text
    session = sessions.opened(rig.world, reply.json()["session"])
    assert session is not None
    return session


def refusal(reply: requests.Response) -> tuple[int, str]:
    assert "session" not in reply.json()
    return reply.status_code, reply.json()["error"]


def page(rig: Rig, reply: requests.Response, path: str = "/app/") -> requests.Response:
    headers = {sessions.HEADER: reply.json()["session"], "HX-Request": "true"}
    return call("GET", rig.url + path, headers=headers)


@pytest.fixture(params=[True, False], ids=["claim", "no claim"])
def telling(request: pytest.FixtureRequest, rig: Rig) -> bool:
    """Whether Kommo's tokens say who is an administrator: nobody could verify it."""
    rig.sandbox.kommo.switches.is_admin_claim = request.param
    told: bool = request.param
    return told


# ---- The shell -----------------------------------------------------------------------------------


def test_the_shell_may_be_framed_by_that_account_alone_and_holds_nothing(rig: Rig) -> None:
    reply = call("GET", f"{rig.url}/embed/settings?host={rig.kommo.host}&lang=es")
    assert reply.status_code == 200
    policy = reply.headers["Content-Security-Policy"]
    assert policy.endswith(f"frame-ancestors http://{rig.kommo.host}")
    assert "script-src 'self';" in policy
    assert "Set-Cookie" not in reply.headers
    assert '<html lang="es">' in reply.text
    assert f'data-parent="http://{rig.kommo.host}"' in reply.text
    assert "<noscript>" in reply.text
    for private in (rig.books.name, rig.kommo.name, "Olivia"):
        assert private not in reply.text


@pytest.mark.parametrize(
    ("host", "origin"),
    [("demo.kommo.com", "https://demo.kommo.com"), ("a-b.amocrm.com", "https://a-b.amocrm.com")],
)
def test_a_live_account_frames_it_by_https(bare_rig: Rig, host: str, origin: str) -> None:
    bare_rig._settings["kommo_hosts"] = (".kommo.com", ".amocrm.com")
    bare_rig.restart()
    reply = call("GET", f"{bare_rig.url}/embed/settings?host={host}")
    assert reply.headers["Content-Security-Policy"].endswith(f"frame-ancestors {origin}")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "kommo.com",
        "demo.kommo.com.evil.example",
        "demo.kommo.com; script-src *",
        "*.kommo.com",
        "demo.kommo.com https://evil.example",
        "127.0.0.1:1",
        "DEMO.kommo.com\r\nX-Evil: 1",
    ],
)
def test_nobody_else_frames_it(rig: Rig, host: str) -> None:
    rig._settings["kommo_hosts"] = (*rig.config().kommo_hosts, ".kommo.com")
    rig.restart()
    url = f"{rig.url}/embed/settings"
    with requests.Session() as session:
        reply = session.get(url, params={"host": host}, timeout=10)
    assert reply.status_code == 400
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert "X-Evil" not in reply.headers
    assert "belongs into Kommo" in reply.text


# ---- Who gets in ---------------------------------------------------------------------------------


def test_an_administrator_gets_in_by_name(rig: Rig, telling: bool) -> None:
    reply = ask(rig, token_of(rig), lang="es-MX")
    session = opened(rig, reply)
    assert (session.role, session.where, session.name) == ("admin", "kommo", "Olivia Stone")
    assert (session.account_id, session.who) == (rig.account_id, str(rig.kommo.admin.id))
    assert session.language == "es"
    assert reply.json()["expires_in"] == sessions.LIFE.total_seconds()
    assert page(rig, reply).status_code == 200


def test_another_user_of_the_account_is_a_manager(rig: Rig, telling: bool) -> None:
    mark = rig.kommo.add_user("Mark Reed")
    reply = ask(rig, token_of(rig, mark.id))
    assert (opened(rig, reply).role, opened(rig, reply).name) == ("manager", "Mark Reed")
    assert page(rig, reply).status_code == 403


def test_a_user_whom_kommo_does_not_know_is_a_manager(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    session = opened(rig, ask(rig, token_of(rig, 999)))
    assert (session.role, session.name) == ("manager", "Kommo user 999")


def test_an_administrator_who_was_switched_off_is_a_manager(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    gone = rig.kommo.add_user("Gone Away", is_admin=True, is_active=False)
    assert opened(rig, ask(rig, token_of(rig, gone.id))).role == "manager"


def test_what_a_user_may_is_asked_once_in_five_minutes(rig: Rig, telling: bool) -> None:
    def asked() -> int:
        path = f"/api/v4/users/{rig.kommo.admin.id}"
        return sum(made[1] == path for made in rig.sandbox.kommo.calls)

    for _ in range(3):
        opened(rig, ask(rig, token_of(rig)))
    assert asked() == 1
    rig.clock.advance(timedelta(minutes=5))
    opened(rig, ask(rig, token_of(rig)))
    assert asked() == 2


def test_a_silent_kommo_is_said_where_the_token_does_not_tell(rig: Rig, telling: bool) -> None:
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/users/*", times=None))
    reply = ask(rig, token := token_of(rig))
    if telling:
        assert (opened(rig, reply).role, opened(rig, reply).name[:11]) == ("admin", "Kommo user ")
        return
    status, sentence = refusal(reply)
    assert (status, "Kommo does not answer" in sentence) == (503, True)
    rig.sandbox.faults.clear()
    assert opened(rig, ask(rig, token)).role == "admin"  # nothing was used up


def test_an_access_that_sees_no_users_makes_nobody_an_administrator(rig: Rig) -> None:
    rig.sandbox.kommo.switches.is_admin_claim = False
    fault = Fault("error_before", match="GET /api/v4/users/*", status=403, times=None)
    rig.sandbox.faults.add(fault)
    assert opened(rig, ask(rig, token_of(rig))).role == "manager"


# ---- Who does not --------------------------------------------------------------------------------


def test_a_token_works_once(rig: Rig) -> None:
    token = token_of(rig)
    opened(rig, ask(rig, token))
    status, sentence = refusal(ask(rig, token))
    assert (status, "used before" in sentence) == (401, True)


def test_a_used_token_is_remembered_for_as_long_as_it_could_work(rig: Rig) -> None:
    token = token_of(rig)
    opened(rig, ask(rig, token))
    rig.later(minutes=30, seconds=29)
    rig.sweep()
    assert ask(rig, token).status_code == 401
    row = rig.in_database(lambda session: session.query(UsedTokenRow).one_or_none())
    assert row is None or row.expires_at > rig.clock.now() - sessions.LIFE


def test_an_expired_token_proves_nothing(rig: Rig) -> None:
    token = token_of(rig)
    rig.clock.advance(timedelta(minutes=31))
    status, sentence = refusal(ask(rig, token))
    assert (status, TOO_OLD in sentence) == (401, True)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://billhook.example.com"},
        {"client_uuid": "00000000-0000-4000-8000-000000000000"},
        {"iss": "https://evil.example"},
        {"iss": "https://demo.kommo.com.evil.example"},
        {"exp": 1},
        {"nbf": 4102444800},
    ],
)
def test_a_token_for_somebody_else_proves_nothing(rig: Rig, claims: dict[str, Any]) -> None:
    status, sentence = refusal(ask(rig, token_of(rig, **claims)))
    assert (status, TOO_OLD in sentence) == (401, True)


def test_a_token_that_others_signed_proves_nothing(rig: Rig) -> None:
    rig.sandbox.kommo.register_integration("other", "x" * 40, f"{rig.url}/oauth/kommo/callback")
    token = rig.kommo.make_one_time_token(client_id="other", client_uuid=KOMMO_ID)
    assert refusal(ask(rig, token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 10_000, "\xff"])
def test_what_is_no_token_proves_nothing(rig: Rig, token: str) -> None:
    assert refusal(ask(rig, token))[0] == 401


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1"])
def test_another_page_gets_nothing_out_of_a_good_token(rig: Rig, origin: str) -> None:
    token = token_of(rig)
    reply = ask(rig, token, Origin=origin)
    assert refusal(reply)[0] == 403
    assert "Access-Control-Allow-Origin" not in reply.headers
    opened(rig, ask(rig, token))  # and it was not used up


def test_another_accounts_page_gets_nothing_out_of_a_good_token(rig: Rig) -> None:
    other = rig.sandbox.kommo.add_account("other")
    assert refusal(ask(rig, token_of(rig), Origin=other.url))[0] == 403


def test_a_caller_without_an_origin_is_no_browser_and_gets_in(rig: Rig) -> None:
    reply = ask(rig, token_of(rig), Origin="")
    opened(rig, reply)
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_an_account_that_is_not_connected_is_told_what_to_do(rig: Rig) -> None:
    other = rig.sandbox.kommo.add_account("other")
    token = other.make_one_time_token()
    status, sentence = refusal(ask(rig, token, Origin=other.url))
    assert status == 409
    assert "has not arrived" in sentence
    assert "billhook connect kommo" in sentence
    # Another account's token with our account's address.
    assert refusal(ask(rig, other.make_one_time_token(iss=rig.kommo.url)))[0] == 409


def test_an_account_that_was_disconnected_is_told_how_to_come_back(rig: Rig) -> None:
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    status, sentence = refusal(ask(rig, token_of(rig)))
    assert status == 409
    assert "Install the widget again" in sentence
    rig.kommo.install_widget(KOMMO_ID)
    rig.pump()
    assert opened(rig, ask(rig, token_of(rig))).account_id == rig.account_id


def test_an_admin_gets_in_to_connect_again_and_others_are_told(rig: Rig, telling: bool) -> None:
    rig.sandbox.kommo.grants.revoke(KOMMO_ID, rig.kommo.account_id)
    ask(rig, token_of(rig))  # refused once, an access is only doubted
    rig.clock.advance(timedelta(minutes=10))
    reply = ask(rig, token_of(rig))
    if telling:
        assert "Connect again" in page(rig, reply).text
    else:
        status, sentence = refusal(reply)
        assert (status, "lost its access" in sentence) == (409, True)


def test_a_renamed_account_is_found_at_its_new_address(rig: Rig) -> None:
    rig.kommo.rename("new-name")
    opened(rig, ask(rig, token_of(rig)))
    assert rig.connection("kommo").realm == rig.kommo.host


def test_an_address_that_is_not_the_accounts_is_refused(rig: Rig) -> None:
    """A token of the account whose issuer is another account's host."""
    other = rig.sandbox.kommo.add_account("other")
    token = token_of(rig, iss=other.url)
    status, sentence = refusal(ask(rig, token, Origin=other.url))
    assert (status, "another address" in sentence) == (409, True)
    assert rig.connection("kommo").realm == rig.kommo.host


def test_a_refusal_is_said_in_the_persons_language_and_as_json(rig: Rig) -> None:
    reply = ask(rig, "x", lang="pt")
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Access-Control-Allow-Origin"] == rig.kommo.url  # so that it can be shown


# ---- What a browser asks first -------------------------------------------------------------------


def preflight(rig: Rig, origin: str) -> requests.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-auth-token",
    }
    return call("OPTIONS", f"{rig.url}/embed/session", headers=headers)


def test_kommos_page_may_send_its_token(rig: Rig) -> None:
    reply = preflight(rig, rig.kommo.url)
    assert reply.status_code == 204
    assert reply.headers["Access-Control-Allow-Origin"] == rig.kommo.url
    assert "X-Auth-Token" in reply.headers["Access-Control-Allow-Headers"]
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"
    assert "Origin" in reply.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.parametrize("origin", [EVIL, "null", "", "https://demo.kommo.com.evil.example"])
def test_no_other_page_may(rig: Rig, origin: str) -> None:
    reply = preflight(rig, origin)
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


# ---- For as long as it lasts ---------------------------------------------------------------------


def renew(rig: Rig, token: str) -> requests.Response:
    return call("POST", f"{rig.url}/embed/renew", headers={sessions.HEADER: token})


def test_a_session_is_renewed_for_eight_hours_and_no_longer(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    began = rig.clock.now()
    while rig.clock.now() - began < sessions.LONGEST - timedelta(minutes=10):
        rig.clock.advance(timedelta(minutes=10))
        reply = renew(rig, token)
        token = reply.json()["session"]
    assert reply.json()["expires_in"] == 600  # what is left
    rig.clock.advance(timedelta(minutes=10))
    reply = renew(rig, token)
    assert refusal(reply)[0] == 401
    assert "Load the page again" in reply.json()["error"]


def test_a_session_that_has_ended_is_not_renewed(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    rig.clock.advance(sessions.LIFE)
    assert refusal(renew(rig, token))[0] == 401


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000])
def test_what_is_no_session_is_not_renewed(rig: Rig, token: str) -> None:
    assert refusal(renew(rig, token))[0] == 401


def test_a_cookies_session_is_not_the_frames(rig: Rig) -> None:
    session = sessions.begin(
        rig.world, rig.account_id, sessions.Role.ADMIN, where="app", who="1", name="Ona"
    )
    assert refusal(renew(rig, sessions.seal(rig.world, session)))[0] == 401


def test_who_is_no_administrator_any_more_loses_it_with_the_renewal(rig: Rig) -> None:
    second = rig.kommo.add_user("Second Admin", is_admin=True)
    token = ask(rig, token_of(rig, second.id)).json()["session"]
    rig.clock.advance(timedelta(minutes=10))
    second.is_admin = False
    assert opened(rig, renew(rig, token)).role == "manager"


def test_a_silent_kommo_takes_nothing_away(rig: Rig) -> None:
    token = ask(rig, token_of(rig)).json()["session"]
    rig.clock.advance(timedelta(minutes=10))
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/users/*", times=None))
    assert opened(rig, renew(rig, token)).role == "admin"


def test_the_first_page_is_the_set_up(rig: Rig) -> None:
    reply = page(rig, ask(rig, token_of(rig)), "/embed/first")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/app/")


def test_a_stranger_has_no_first_page(rig: Rig) -> None:
    assert call("GET", f"{rig.url}/embed/first").status_code == 401
