"""The OAuth addresses, as browsers and strangers meet them."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from server.flows import connect, welcome
from server.sandbox.browser import Browser, call
from server.store import accounts
from server.store.tickets import TicketRow
from server.web.oauth import _RETURNING
from tests.rig import KOMMO_ID, Rig

VENDORS = ("kommo", "freshbooks")
both = pytest.mark.parametrize("vendor", VENDORS)


def start(rig: Rig, browser: Browser, vendor: str) -> tuple[str, str]:
    """A ticket, and the vendor's link back to us, not followed yet."""
    ticket = connect.mint(rig.world, vendor)
    page = browser.get(connect.start_url(rig.world, vendor, ticket))
    return ticket, browser.back_link(page)


def get(url: str) -> requests.Response:
    return call("GET", url)


def token_calls(rig: Rig) -> int:
    calls = [*rig.sandbox.kommo.calls, *rig.sandbox.freshbooks.calls]
    return sum("token" in call[1] for call in calls)


@both
def test_the_start_link_sends_to_the_vendor_and_binds_the_browser(
    bare_rig: Rig, vendor: str
) -> None:
    ticket = connect.mint(bare_rig.world, vendor)
    reply = get(connect.start_url(bare_rig.world, vendor, ticket))
    assert reply.status_code == 302
    auth_url = getattr(bare_rig.sandbox, vendor).auth_url
    assert reply.headers["Location"].startswith(auth_url)
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(f"billhook-{vendor}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    state = parse_qs(urlsplit(reply.headers["Location"]).query)["state"][0]
    assert state not in cookie
    assert ticket not in reply.headers["Location"] + cookie


@both
def test_behind_https_the_cookie_is_pinned_to_the_host(bare_rig: Rig, vendor: str) -> None:
    bare_rig._settings["public_url"] = "https://billhook.example.test"
    bare_rig.restart()
    ticket = connect.mint(bare_rig.world, vendor)
    reply = get(f"{bare_rig.url}/oauth/{vendor}/start?ticket={ticket}")
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-billhook-{vendor}=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@both
def test_a_ticket_works_once(bare_rig: Rig, vendor: str) -> None:
    url = connect.start_url(bare_rig.world, vendor, connect.mint(bare_rig.world, vendor))
    assert get(url).status_code == 302
    again = get(url)
    assert (again.status_code, "has been used" in again.text) == (400, True)
    assert "Set-Cookie" not in again.headers


@both
def test_looking_at_a_ticket_s_link_does_not_spend_it(bare_rig: Rig, vendor: str) -> None:
    url = connect.start_url(bare_rig.world, vendor, connect.mint(bare_rig.world, vendor))
    assert call("HEAD", url).status_code == 405
    assert get(url).status_code == 302


def test_a_ticket_is_for_one_vendor(bare_rig: Rig) -> None:
    ticket = connect.mint(bare_rig.world, "kommo")
    assert get(f"{bare_rig.url}/oauth/freshbooks/start?ticket={ticket}").status_code == 400


@both
def test_an_old_ticket_begins_nothing(bare_rig: Rig, vendor: str) -> None:
    url = connect.start_url(bare_rig.world, vendor, connect.mint(bare_rig.world, vendor))
    bare_rig.later(minutes=31)
    assert get(url).status_code == 400


@both
@pytest.mark.parametrize("query", ["", "?ticket=", "?ticket=made-up", "?ticket=%ff%fe"])
def test_without_a_ticket_nothing_begins(shared_rig: Rig, vendor: str, query: str) -> None:
    assert get(f"{shared_rig.url}/oauth/{vendor}/start{query}").status_code == 400


@both
def test_a_state_from_another_browser_is_refused(bare_rig: Rig, vendor: str) -> None:
    """Login CSRF: the attacker's link back, opened by the victim."""
    with Browser() as attacker, Browser() as victim:
        ticket, back = start(bare_rig, attacker, vendor)
        start(bare_rig, victim, vendor)  # the victim has a cookie of its own
        before = token_calls(bare_rig)
        assert victim.get(back).status_code == 400
        assert token_calls(bare_rig) == before
        assert connect.look(bare_rig.world, ticket).stage == "started"
        assert attacker.get(back).status_code == 200


@both
def test_a_link_back_works_once(bare_rig: Rig, vendor: str) -> None:
    with Browser() as browser:
        ticket, back = start(bare_rig, browser, vendor)
        cookies = dict(browser.session.cookies)
        assert browser.get(back).status_code == 200
        assert not [one for one in browser.session.cookies if "billhook" in one.name]
        browser.session.cookies.update(cookies)
        assert browser.get(back).status_code == 400
    assert connect.look(bare_rig.world, ticket).stage == "returned"


@pytest.mark.parametrize(
    "referer",
    [
        "evil.example.com",
        "127.0.0.1:1",
        "kommo.com.evil.example.com",
        "demo.kommo.com@evil.example.com",
        "demo.kommo.com/../evil",
        "",
        "%00",
        "[::1]",
    ],
)
def test_a_referer_that_is_not_kommo_s_gets_no_secret(shared_rig: Rig, referer: str) -> None:
    with Browser() as browser:
        ticket, back = start(shared_rig, browser, "kommo")
        parts = urlsplit(back)
        code, state = (parse_qs(parts.query)[name][0] for name in ("code", "state"))
        before = len(shared_rig.sandbox.kommo.calls)
        url = f"{shared_rig.url}{parts.path}"
        reply = browser.session.get(
            url, params={"code": code, "state": state, "referer": referer}, timeout=10
        )
    assert reply.status_code == 400
    assert len(shared_rig.sandbox.kommo.calls) == before
    assert connect.look(shared_rig.world, ticket).stage == "failed"


def test_a_widget_s_call_from_a_strange_host_leaves_nothing(bare_rig: Rig) -> None:
    url = f"{bare_rig.url}/oauth/kommo/callback?from_widget=1&code=c&referer=evil.example.com"
    assert get(url).status_code == 400
    assert bare_rig.in_database(lambda session: session.query(TicketRow).count()) == 0


def test_a_widget_s_call_sets_no_cookie_and_makes_no_call(bare_rig: Rig) -> None:
    host = bare_rig.kommo.host
    url = f"{bare_rig.url}/oauth/kommo/callback?from_widget=1&code=c&referer={host}"
    reply = get(url)
    assert (reply.status_code, reply.text) == (200, "ok")
    assert "Set-Cookie" not in reply.headers
    assert bare_rig.sandbox.kommo.calls == []


def test_a_widget_s_call_does_not_touch_a_waiting_ticket(bare_rig: Rig) -> None:
    """``from_widget`` needs no state, so it may not stand in for one."""
    with Browser() as browser:
        ticket, back = start(bare_rig, browser, "kommo")
        assert browser.get(f"{back}&from_widget=1").status_code == 200
    assert connect.look(bare_rig.world, ticket).stage == "started"


def test_made_up_widget_calls_do_not_fill_the_disk(
    bare_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "MOST_WAITING", 3)
    host = bare_rig.kommo.host
    url = f"{bare_rig.url}/oauth/kommo/callback?from_widget=1&code=c&referer={host}"
    assert [get(url).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    bare_rig.later(minutes=21)
    assert get(url).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?account_id=1&client_uuid=x&signature=",
        "?account_id=1",
        f"?account_id=abc&client_uuid={KOMMO_ID}&signature=00",
        f"?account_id={'9' * 4000}&client_uuid={KOMMO_ID}&signature=00",
        f"?account_id=1&client_uuid={KOMMO_ID}&signature=%C3%A9",
    ],
)
def test_a_disconnect_hook_without_kommo_s_signature_is_refused(
    shared_rig: Rig, query: str
) -> None:
    before = len(shared_rig.jobs())
    reply = get(f"{shared_rig.url}/oauth/kommo/revoked{query}")
    assert (reply.status_code, reply.headers["Content-Type"]) == (403, "application/json")
    assert len(shared_rig.jobs()) == before


def test_a_disconnect_hook_of_an_unknown_account_is_taken_and_means_nothing(
    bare_rig: Rig,
) -> None:
    signature = bare_rig.kommo.disconnect_signature(KOMMO_ID)
    query = f"account_id={bare_rig.kommo.account_id}&client_uuid={KOMMO_ID}&signature={signature}"
    assert get(f"{bare_rig.url}/oauth/kommo/revoked?{query}").status_code == 204
    assert bare_rig.in_database(accounts.everyone) == []


def test_browsers_that_come_back_leave_threads_for_hooks(bare_rig: Rig) -> None:
    """Two may wait for a vendor at one moment; the third is asked to wait and spends nothing."""
    with Browser() as browser, _RETURNING, _RETURNING:
        ticket, back = start(bare_rig, browser, "freshbooks")
        assert browser.get(back).status_code == 503
        assert connect.look(bare_rig.world, ticket).stage == "started"
        _RETURNING.release()
        try:
            assert browser.get(back).status_code == 200
        finally:
            _RETURNING.acquire()


@both
def test_a_query_without_end_is_refused(shared_rig: Rig, vendor: str) -> None:
    url = f"{shared_rig.url}/oauth/{vendor}/callback"
    assert get(f"{url}?state={'x' * 5000}").status_code == 400
    assert get(f"{url}?{'&'.join(f'k{n}=1' for n in range(50))}").status_code == 400
