"""The cookie of a person who signed in: who sees it, how long it works, and how signing out
ends it."""

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest

from server.sandbox.browser import Browser, call
from server.web import sessions
from server.web.auth import Role
from tests.rig import Rig
from tests.web.own_door import COOKIE, consent, session_in, signed_in


def test_the_cookie_is_kept_from_scripts_and_other_sites(shared_rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(shared_rig, theirs), identity_id=str(shared_rig.ona.id))
    back = theirs.session.get(link, timeout=10, allow_redirects=False)
    choose = theirs.session.get(
        urljoin(link, back.headers["Location"]), timeout=10, allow_redirects=False
    )
    assert (choose.status_code, choose.headers["Location"]) == (303, "/app/")
    [cookie] = [c for c in choose.raw.headers.getlist("Set-Cookie") if c.startswith(COOKIE)]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"):
        assert part in cookie
    assert "Domain" not in cookie


def test_behind_https_its_cookies_are_pinned_to_the_host(bare_rig: Rig) -> None:
    bare_rig._settings["public_url"] = "https://billhook.example.test"
    bare_rig.restart()
    reply = call("GET", f"{bare_rig.url}/app/sign-in/start")
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith("__Host-billhook-sign-in=")
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie


def test_a_session_lasts_for_eight_hours(rig: Rig, theirs: Browser) -> None:
    signed_in(rig, theirs)
    rig.clock.advance(sessions.LONGEST - timedelta(seconds=1))
    assert "<h1>Set-up</h1>" in theirs.get(f"{rig.url}/app/").text
    rig.clock.advance(timedelta(seconds=1))
    page = theirs.get(f"{rig.url}/app/")
    assert urlsplit(page.url).path == "/app/sign-in"


def test_who_is_in_needs_no_sign_in(shared_rig: Rig, theirs: Browser) -> None:
    signed_in(shared_rig, theirs)
    assert urlsplit(theirs.get(f"{shared_rig.url}/app/sign-in").url).path == "/app/"


def test_signing_out_ends_it(rig: Rig, theirs: Browser) -> None:
    page = signed_in(rig, theirs)
    form = next(part for part in page.text.split("<form") if "sign-out" in part)
    csrf = form.split('name="csrf" value="')[1].split('"')[0]
    copied = theirs.session.cookies[COOKIE]
    out = theirs.session.post(f"{rig.url}/app/sign-out", data={"csrf": csrf}, timeout=10)
    assert urlsplit(out.url).path == "/app/sign-in"
    assert session_in(rig, theirs) is None
    theirs.session.cookies.set(COOKIE, copied, domain="127.0.0.1", path="/")
    for path in ("/app/", "/app/sign-in"):
        assert urlsplit(theirs.get(f"{rig.url}{path}").url).path == "/app/sign-in"


@pytest.mark.parametrize("sent", [{}, {"csrf": "made-up"}])
def test_no_other_page_signs_anybody_out(
    shared_rig: Rig, theirs: Browser, sent: dict[str, str]
) -> None:
    signed_in(shared_rig, theirs)
    reply = theirs.session.post(f"{shared_rig.url}/app/sign-out", data=sent, timeout=10)
    assert reply.status_code == 403
    assert session_in(shared_rig, theirs) is not None


def test_signing_out_twice_leads_to_the_door(shared_rig: Rig) -> None:
    reply = call("POST", f"{shared_rig.url}/app/sign-out")
    assert (reply.status_code, "/app/sign-in/start" in reply.text) == (401, True)


def test_a_cookie_does_not_work_as_a_frames_session(shared_rig: Rig, theirs: Browser) -> None:
    signed_in(shared_rig, theirs)
    token = theirs.session.cookies.get(COOKIE) or ""
    headers = {sessions.HEADER: token, "HX-Request": "true"}
    assert call("GET", f"{shared_rig.url}/app/", headers=headers).status_code == 401
    session = sessions.begin(
        shared_rig.world, shared_rig.account_id, Role.ADMIN, where="kommo", who="1", name="Olivia"
    )
    cookie = {"Cookie": f"{COOKIE}={sessions.seal(shared_rig.world, session)}"}
    reply = call("GET", f"{shared_rig.url}/app/", headers=cookie)
    assert reply.headers["Location"] == "/app/sign-in"
