"""Billhook's own door: who gets in with FreshBooks, and who does not."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from server.flows import connect, connect_freshbooks, sign_in
from server.flows.connect import CannotConnect
from server.flows.glance import Glance
from server.sandbox import Fault
from server.sandbox.browser import Browser, Form, call
from server.sandbox.freshbooks.state import Identity
from server.store import accounts, grants
from server.store.secrets import hash_of
from server.store.tickets import TicketRow
from server.web import sessions
from server.web.auth import Role
from tests.rig import FRESHBOOKS_ID, Rig

COOKIE = "billhook-session"


@pytest.fixture
def theirs() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def consent(rig: Rig, theirs: Browser) -> requests.Response:
    """From our page to FreshBooks' question."""
    page = theirs.get(f"{rig.url}/app/sign-in")
    assert page.status_code == 200
    [link] = [part.split('"')[0] for part in page.text.split('href="') if "/start" in part[:40]]
    return theirs.get(urljoin(page.url, link))


def signed_in(rig: Rig, theirs: Browser, person: Identity | None = None) -> requests.Response:
    """The page on which this person ends up."""
    whose = person or rig.ona
    return theirs.decide(consent(rig, theirs), identity_id=str(whose.id))


def session_in(rig: Rig, theirs: Browser) -> sessions.Session | None:
    return sessions.opened(rig.world, theirs.session.cookies.get(COOKIE) or "")


def person_with(rig: Rig, role: str, account_role: str = "admin") -> Identity:
    person = rig.sandbox.freshbooks.add_identity("pat@example.test", "Pat Person")
    rig.sandbox.freshbooks.add_member(rig.books, person, role, account_role)
    return person


def second_account(rig: Rig) -> int:
    """Another Kommo account with another business of Ona's; its id."""
    rig.sandbox.kommo.add_account("second", name="Second & Sons")
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's <Other> Studio")
    first = rig.account_id
    try:
        row = rig.connect_kommo(account="second")
        rig.connect_freshbooks(row.account_id, other.business_id)
    finally:
        rig.account_id = first
    return row.account_id


# ---- Who gets in ---------------------------------------------------------------------------------


def test_the_owner_of_a_connected_business_is_let_in(rig: Rig, theirs: Browser) -> None:
    page = signed_in(rig, theirs)
    assert urlsplit(page.url).path == "/app/"
    assert page.status_code == 200
    assert "<h1>Set-up</h1>" in page.text
    assert "Ona Owner" in page.text
    session = session_in(rig, theirs)
    assert session is not None
    assert (session.account_id, session.role, session.where) == (rig.account_id, "admin", "app")
    assert (session.who, session.name) == (str(rig.ona.id), "Ona Owner")
    assert not theirs.session.cookies.get("billhook-sign-in")


@pytest.mark.parametrize("role", ["partner", "manager", "accountant", "business_manager"])
def test_whoever_keeps_the_books_is_let_in(rig: Rig, theirs: Browser, role: str) -> None:
    signed_in(rig, theirs, person_with(rig, role))
    assert session_in(rig, theirs) is not None


@pytest.mark.parametrize(("role", "account_role"), [("employee", "admin"), ("client", "client")])
def test_nobody_else_is(rig: Rig, theirs: Browser, role: str, account_role: str) -> None:
    page = signed_in(rig, theirs, person_with(rig, role, account_role))
    assert page.status_code == 403
    assert "Pat Person keeps no business that is connected here." in page.text
    assert "Sign in as somebody else" in page.text
    assert session_in(rig, theirs) is None


def test_the_owner_of_another_business_is_told_what_to_do(rig: Rig, theirs: Browser) -> None:
    stranger = rig.sandbox.freshbooks.add_identity("sam@example.test", "Sam <b>Stranger</b>")
    rig.sandbox.freshbooks.add_business(stranger, "Sam's Shop")
    page = signed_in(rig, theirs, stranger)
    assert page.status_code == 403
    assert "connect FreshBooks there" in page.text
    assert "Sam &lt;b&gt;Stranger" in page.text
    assert rig.books.name not in page.text
    assert session_in(rig, theirs) is None


def test_several_accounts_are_a_choice(rig: Rig, theirs: Browser) -> None:
    other = second_account(rig)
    page = signed_in(rig, theirs)
    assert urlsplit(page.url).path == "/app/sign-in/choose"
    assert "with Kommo account Second &amp; Sons" in page.text
    assert "Ona&#39;s &lt;Other&gt; Studio" in page.text
    assert session_in(rig, theirs) is None
    form, before = Form(page), dict(theirs.session.cookies)
    chosen = theirs.session.post(form.action, data={"account": str(other)}, timeout=10)
    assert urlsplit(chosen.url).path == "/app/"
    session = session_in(rig, theirs)
    assert session is not None
    assert session.account_id == other
    # Pressed twice: the browser drops the first answer, and with it what that said of cookies.
    data = {"account": str(other)}
    for path in ("/app/", "/app/sign-in/choose"):
        theirs.session.cookies.clear()
        theirs.session.cookies.update(before)
        assert urlsplit(theirs.session.post(form.action, data=data, timeout=10).url).path == path
        rig.clock.advance(sign_in.PRESSED_TWICE)


@pytest.mark.parametrize("picked", ["", "999", "-1", "x", "9" * 30, "1 OR 1=1"])
def test_only_what_was_offered_can_be_chosen(rig: Rig, theirs: Browser, picked: str) -> None:
    second_account(rig)
    page = signed_in(rig, theirs, person_with(rig, "owner"))  # of the first business alone
    assert urlsplit(page.url).path == "/app/"
    with Browser() as ona:
        action = Form(signed_in(rig, ona)).action
        reply = ona.session.post(action, data={"account": picked}, timeout=10)
        assert reply.status_code == 400
        assert session_in(rig, ona) is None


def test_another_persons_account_cannot_be_chosen(rig: Rig, theirs: Browser) -> None:
    """Pat keeps two of three businesses, and asks for the third."""
    third = second_account(rig)
    pat = person_with(rig, "owner")
    rig.sandbox.kommo.add_account("pats")
    business = rig.sandbox.freshbooks.add_business(pat, "Pat's")
    first = rig.account_id
    row = rig.connect_kommo(account="pats")
    rig.connect_freshbooks(row.account_id, business.business_id, identity_id=str(pat.id))
    rig.account_id = first
    action = Form(signed_in(rig, theirs, pat)).action
    reply = theirs.session.post(action, data={"account": str(third)}, timeout=10)
    assert reply.status_code == 400
    assert session_in(rig, theirs) is None


# ---- The cookie ----------------------------------------------------------------------------------


def test_the_cookie_is_kept_from_scripts_and_other_sites(rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
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


def test_who_is_in_needs_no_sign_in(rig: Rig, theirs: Browser) -> None:
    signed_in(rig, theirs)
    assert urlsplit(theirs.get(f"{rig.url}/app/sign-in").url).path == "/app/"


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
def test_no_other_page_signs_anybody_out(rig: Rig, theirs: Browser, sent: dict[str, str]) -> None:
    signed_in(rig, theirs)
    reply = theirs.session.post(f"{rig.url}/app/sign-out", data=sent, timeout=10)
    assert reply.status_code == 403
    assert session_in(rig, theirs) is not None


def test_signing_out_twice_leads_to_the_door(rig: Rig) -> None:
    reply = call("POST", f"{rig.url}/app/sign-out")
    assert (reply.status_code, "/app/sign-in/start" in reply.text) == (401, True)


# ---- Who does not get in -------------------------------------------------------------------------


def test_who_says_no_is_not_let_in(rig: Rig, theirs: Browser) -> None:
    page = theirs.decide(consent(rig, theirs), decision="deny")
    assert (page.status_code, "was not allowed" in page.text) == (400, True)
    assert "/app/sign-in/start" in page.text  # to begin again
    assert session_in(rig, theirs) is None


def test_another_browsers_way_back_lets_nobody_in(rig: Rig, theirs: Browser) -> None:
    """Login CSRF: the attacker's link back, opened by the victim."""
    with Browser() as attacker:
        link = attacker.back_link(consent(rig, attacker), identity_id=str(rig.ona.id))
        consent(rig, theirs)  # the victim has a cookie of its own
        reply = theirs.get(link)
        assert reply.status_code == 400
        assert session_in(rig, theirs) is None
        assert urlsplit(attacker.get(link).url).path == "/app/"


def test_a_way_back_works_once(rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
    before = dict(theirs.session.cookies)
    assert urlsplit(theirs.get(link).url).path == "/app/"
    theirs.session.cookies.clear()
    theirs.session.cookies.update(before)
    assert theirs.get(link).status_code == 400
    assert theirs.get(f"{rig.url}/app/sign-in/choose").status_code == 400
    assert session_in(rig, theirs) is None


def test_a_way_back_ends_after_a_quarter_of_an_hour(rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
    rig.clock.advance(sign_in.LIFE)
    assert theirs.get(link).status_code == 400


def test_a_choice_that_waits_too_long_ends(rig: Rig, theirs: Browser) -> None:
    second_account(rig)
    action = Form(signed_in(rig, theirs)).action
    rig.clock.advance(sign_in.LIFE)
    reply = theirs.session.post(action, data={"account": str(rig.account_id)}, timeout=10)
    assert (reply.status_code, "Begin again" in reply.text) == (400, True)


def test_a_foreign_page_chooses_nothing(rig: Rig, theirs: Browser) -> None:
    second_account(rig)
    action = Form(signed_in(rig, theirs)).action
    data = {"account": str(rig.account_id)}
    evil = {"Origin": "https://evil.example"}
    reply = theirs.session.post(action, data=data, headers=evil, timeout=10)
    assert reply.status_code == 400
    assert session_in(rig, theirs) is None


def test_a_silent_freshbooks_is_said(rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
    rig.sandbox.faults.add(Fault("error_before", match="POST /auth/oauth/token", times=None))
    page = theirs.get(link)
    assert page.status_code == 400
    assert "Try again in a few minutes" in page.text
    assert "/app/sign-in/start" in page.text


def test_strangers_cannot_fill_the_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "MOST_OF_ONE", 2)
    monkeypatch.setattr(sign_in, "MOST", 4)

    def begun(address: str) -> int:
        """Through a proxy on this machine, which adds whom it was called by."""
        told = {"X-Forwarded-For": f"203.0.113.{len(asked)}, {address}"}
        asked.append(address)
        return call("GET", f"{rig.url}/app/sign-in/start", headers=told).status_code

    asked: list[str] = []
    assert [begun("198.51.100.1") for _ in range(3)] == [302, 302, 429]
    assert [begun("198.51.100.2") for _ in range(3)] == [302, 302, 429]  # nobody kept them out
    assert begun("198.51.100.3") == 429
    rig.clock.advance(sign_in.WITHIN)
    assert begun("198.51.100.1") == 302


def test_a_link_preview_begins_nothing(rig: Rig) -> None:
    assert call("HEAD", f"{rig.url}/app/sign-in/start").status_code == 405
    assert (
        rig.in_database(lambda s: s.query(TicketRow).filter_by(vendor=sign_in.VENDOR).all()) == []
    )


def test_no_address_in_a_query_is_followed(rig: Rig, theirs: Browser) -> None:
    evil = "https://evil.example/"
    query = f"?next={evil}&redirect_uri={evil}&return_to=//evil.example&url={evil}"
    page = theirs.get(f"{rig.url}/app/sign-in{query}")
    assert "evil" not in page.text
    begun = call("GET", f"{rig.url}/app/sign-in/start{query}")
    assert "evil" not in begun.headers["Location"]
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
    theirs.seen.clear()
    assert urlsplit(theirs.get(f"{link}&next={evil}").url).path == "/app/"
    assert theirs.seen == ["/app/sign-in/choose", "/app/"]


def test_a_server_without_freshbooks_says_so(bare_rig: Rig) -> None:
    bare_rig._settings["freshbooks_client_id"] = ""
    bare_rig.restart()
    reply = call("GET", f"{bare_rig.url}/app/sign-in/start")
    assert (reply.status_code, "not set up" in reply.text) == (503, True)


# ---- A sign-in is no connection, and a connection no sign-in -------------------------------------


def test_a_sign_in_cannot_be_completed_as_a_connection(rig: Rig, theirs: Browser) -> None:
    second_account(rig)
    signed_in(rig, theirs)  # waits for a choice
    row = rig.in_database(lambda s: s.query(TicketRow).filter_by(vendor=sign_in.VENDOR).one())
    assert (row.stage, row.account_id) == ("returned", None)
    known = "a-ticket-whose-text-somebody-knows"
    with rig.database.write() as session:
        session.get_one(TicketRow, row.id).ticket_hash = hash_of(known)
    with pytest.raises(CannotConnect, match="expired"):
        connect_freshbooks.complete(rig.world, known)
    with pytest.raises(CannotConnect):
        connect.begin(rig.world, "freshbooks", known, None)
    assert connect.look_own(rig.world, known, "freshbooks", rig.account_id, "") is None


def test_a_connection_signs_nobody_in(rig: Rig, theirs: Browser) -> None:
    ticket = connect.mint(rig.world, "freshbooks", rig.account_id)
    page = theirs.get(connect.start_url(rig.world, "freshbooks", ticket))
    back = theirs.decide(page, identity_id=str(rig.ona.id))
    assert "Go back to where you began" in back.text
    secret = theirs.session.cookies.get("billhook-freshbooks") or ""
    for cookie in (secret, ticket):
        theirs.session.cookies.set("billhook-sign-in", cookie, domain="127.0.0.1")
        assert theirs.get(f"{rig.url}/app/sign-in/choose").status_code == 400
    assert session_in(rig, theirs) is None


def test_a_connections_browser_cannot_be_turned_into_a_sign_in(rig: Rig, theirs: Browser) -> None:
    """The two states and cookies, crossed."""
    ticket = connect.mint(rig.world, "freshbooks", rig.account_id)
    link = theirs.back_link(theirs.get(connect.start_url(rig.world, "freshbooks", ticket)))
    cookies = theirs.session.cookies
    cookies.set("billhook-sign-in", cookies.get("billhook-freshbooks") or "", domain="127.0.0.1")
    assert "Go back to where you began" in theirs.get(link).text
    assert theirs.get(f"{rig.url}/app/sign-in/choose").status_code == 400


def test_the_new_tokens_take_the_place_of_the_older_ones(rig: Rig, theirs: Browser) -> None:
    """FreshBooks may end the earlier refresh token with the new consent."""
    rig.sandbox.freshbooks.switches.second_consent_kills_first = True
    before = rig.connection("freshbooks").grant_id
    signed_in(rig, theirs)
    assert rig.connection("freshbooks").grant_id == before
    who = ("freshbooks", FRESHBOOKS_ID, str(rig.ona.id))
    row = rig.in_database(lambda session: grants.of_identity(session, who))
    assert row is not None
    rig.clock.advance(timedelta(hours=13))  # the access token has ended; a refresh is due
    assert Glance(rig.world, rig.account_id).freshbooks.me().id == rig.ona.id


def test_who_connected_nothing_leaves_no_tokens(rig: Rig, theirs: Browser) -> None:
    pat = person_with(rig, "accountant")
    signed_in(rig, theirs, pat)
    who = ("freshbooks", FRESHBOOKS_ID, str(pat.id))
    assert rig.in_database(lambda session: grants.of_identity(session, who)) is None
    row = rig.in_database(lambda s: s.query(TicketRow).filter_by(vendor=sign_in.VENDOR).one())
    assert (row.stage, row.result_sealed, row.summary) == ("completed", None, {})


def test_a_lost_access_is_mended_by_signing_in(rig: Rig, theirs: Browser) -> None:
    with rig.database.write() as session:
        accounts.mark_connection(session, rig.connection("freshbooks").id, state="reconnect")
    signed_in(rig, theirs)
    assert rig.connection("freshbooks").state == "connected"


def test_a_cookie_does_not_work_as_a_frames_session(rig: Rig, theirs: Browser) -> None:
    signed_in(rig, theirs)
    token = theirs.session.cookies.get(COOKIE) or ""
    headers = {sessions.HEADER: token, "HX-Request": "true"}
    assert call("GET", f"{rig.url}/app/", headers=headers).status_code == 401
    session = sessions.begin(
        rig.world, rig.account_id, Role.ADMIN, where="kommo", who="1", name="Olivia"
    )
    cookie = {"Cookie": f"{COOKIE}={sessions.seal(rig.world, session)}"}
    assert call("GET", f"{rig.url}/app/", headers=cookie).headers["Location"] == "/app/sign-in"
