"""The empty page that Kommo frames, and which pages may frame it, send a token, and come first."""

import pytest
import requests

from server.sandbox.browser import call
from tests.rig import Rig
from tests.web.from_kommo import EVIL, ask, page, token_of


@pytest.fixture(scope="module")
def rig(shared_rig: Rig) -> Rig:
    """It also knows the hosts of the live vendor."""
    hosts = (*shared_rig.config().kommo_hosts, ".kommo.com", ".amocrm.com")
    shared_rig._settings["kommo_hosts"] = hosts
    shared_rig.restart()
    return shared_rig


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
def test_a_live_account_frames_it_by_https(rig: Rig, host: str, origin: str) -> None:
    reply = call("GET", f"{rig.url}/embed/settings?host={host}")
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
    url = f"{rig.url}/embed/settings"
    with requests.Session() as session:
        reply = session.get(url, params={"host": host}, timeout=10)
    assert reply.status_code == 400
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert "X-Evil" not in reply.headers
    assert "belongs into Kommo" in reply.text


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


def test_the_first_page_is_the_set_up(rig: Rig) -> None:
    reply = page(rig, ask(rig, token_of(rig)), "/embed/first")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/app/")


def test_a_stranger_has_no_first_page(rig: Rig) -> None:
    assert call("GET", f"{rig.url}/embed/first").status_code == 401
