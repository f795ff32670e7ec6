"""Kommo's page of settings with an integration in a frame, by raw requests."""

import jwt
import requests

from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo

INSIDE = REDIRECT.partition("/oauth")[0]


def get(kommo: Kommo, path: str = "") -> requests.Response:
    return requests.get(f"{kommo.account.url}/settings-frame{path}", timeout=5)


def test_the_page_frames_the_integrations_own_pages_and_nothing_else(kommo: Kommo) -> None:
    page = get(kommo, "?lang=es&at=/app/rules")
    assert page.status_code == 200
    host = kommo.account.host.replace(":", "%3A")
    assert (
        f'data-src="{INSIDE}/embed/settings?host={host}&amp;lang=es&amp;theme=light#/app/rules"'
        in page.text
    )
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-src {INSIDE}" in policy
    assert f"connect-src 'self' {INSIDE};" in policy
    assert "frame-ancestors 'none'" in policy


def test_its_token_is_a_real_one_of_the_user_who_looks(kommo: Kommo) -> None:
    mark = kommo.account.add_user("Mark Reed")
    url = f"{kommo.account.url}/settings-frame/token?user={mark.id}"
    made = requests.post(url, timeout=5).json()["token"]
    claims = jwt.decode(
        made,
        SECRET,
        algorithms=["HS256"],
        audience=INSIDE.rpartition(":")[0] if INSIDE.count(":") > 1 else INSIDE,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (claims["user_id"], claims["is_admin"]) == (mark.id, False)
    assert (claims["iss"], claims["client_uuid"]) == (kommo.account.url, CLIENT_ID)


def test_a_strangers_page_gets_no_token(kommo: Kommo) -> None:
    """A page of another origin may ask and cannot read; who is no user is not known."""
    url = f"{kommo.account.url}/settings-frame/token"
    reply = requests.post(url, headers={"Origin": "https://evil.example"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert requests.post(f"{url}?user=999", timeout=5).status_code == 404
    assert get(kommo, "?user=999").status_code == 404


def test_what_stands_in_the_address_never_becomes_markup(kommo: Kommo) -> None:
    kommo.account.add_user("<script>alert(1)</script>")
    assert "<script>alert" not in get(kommo, '?lang=<script>alert(1)</script>&at="><script>').text


def test_its_files_are_there_and_no_others(kommo: Kommo) -> None:
    assert get(kommo, "/page.js").headers["Content-Type"].startswith("text/javascript")
    assert get(kommo, "/page.css").status_code == 200
    assert get(kommo, "/other.js").status_code == 404
    assert kommo.sandbox.kommo.unknown_calls == [("GET", "/settings-frame/other.js")]


def test_the_board_leads_to_it(kommo: Kommo) -> None:
    state = requests.get(f"{kommo.sandbox.control_url}/desk/state.json", timeout=5).json()
    assert state["board"]["account"]["settings"] == f"{kommo.account.url}/settings-frame"
