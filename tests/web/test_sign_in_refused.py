"""Who does not get in at Billhook's own door: whoever keeps no books here, comes back in
another browser or too late, or brings the consent of a connection."""

from urllib.parse import urlsplit

import pytest

from server.flows import connect, connect_freshbooks, sign_in
from server.flows.connect import CannotConnect
from server.sandbox import Fault
from server.sandbox.browser import Browser, call
from server.store.secrets import hash_of
from server.store.tickets import TicketRow
from tests.rig import Rig
from tests.web.own_door import consent, second_account, session_in, signed_in


def test_the_owner_of_another_business_is_told_what_to_do(shared_rig: Rig, theirs: Browser) -> None:
    stranger = shared_rig.sandbox.freshbooks.add_identity("sam@example.test", "Sam <b>Stranger</b>")
    shared_rig.sandbox.freshbooks.add_business(stranger, "Sam's Shop")
    page = signed_in(shared_rig, theirs, stranger)
    assert page.status_code == 403
    assert "connect FreshBooks there" in page.text
    assert "Sam &lt;b&gt;Stranger" in page.text
    assert shared_rig.books.name not in page.text
    assert session_in(shared_rig, theirs) is None


def test_who_says_no_is_not_let_in(shared_rig: Rig, theirs: Browser) -> None:
    page = theirs.decide(consent(shared_rig, theirs), decision="deny")
    assert (page.status_code, "was not allowed" in page.text) == (400, True)
    assert "/app/sign-in/start" in page.text  # to begin again
    assert session_in(shared_rig, theirs) is None


def test_another_browsers_way_back_lets_nobody_in(shared_rig: Rig, theirs: Browser) -> None:
    """Login CSRF: the attacker's link back, opened by the victim."""
    with Browser() as attacker:
        link = attacker.back_link(consent(shared_rig, attacker), identity_id=str(shared_rig.ona.id))
        consent(shared_rig, theirs)  # the victim has a cookie of its own
        reply = theirs.get(link)
        assert reply.status_code == 400
        assert session_in(shared_rig, theirs) is None
        assert urlsplit(attacker.get(link).url).path == "/app/"


def test_a_way_back_works_once(shared_rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(shared_rig, theirs), identity_id=str(shared_rig.ona.id))
    before = dict(theirs.session.cookies)
    assert urlsplit(theirs.get(link).url).path == "/app/"
    theirs.session.cookies.clear()
    theirs.session.cookies.update(before)
    assert theirs.get(link).status_code == 400
    assert theirs.get(f"{shared_rig.url}/app/sign-in/choose").status_code == 400
    assert session_in(shared_rig, theirs) is None


def test_a_way_back_ends_after_a_quarter_of_an_hour(rig: Rig, theirs: Browser) -> None:
    link = theirs.back_link(consent(rig, theirs), identity_id=str(rig.ona.id))
    rig.clock.advance(sign_in.LIFE)
    assert theirs.get(link).status_code == 400


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


def test_no_address_in_a_query_is_followed(shared_rig: Rig, theirs: Browser) -> None:
    evil = "https://evil.example/"
    query = f"?next={evil}&redirect_uri={evil}&return_to=//evil.example&url={evil}"
    page = theirs.get(f"{shared_rig.url}/app/sign-in{query}")
    assert "evil" not in page.text
    begun = call("GET", f"{shared_rig.url}/app/sign-in/start{query}")
    assert "evil" not in begun.headers["Location"]
    link = theirs.back_link(consent(shared_rig, theirs), identity_id=str(shared_rig.ona.id))
    theirs.seen.clear()
    assert urlsplit(theirs.get(f"{link}&next={evil}").url).path == "/app/"
    assert theirs.seen == ["/app/sign-in/choose", "/app/"]


def test_a_server_without_freshbooks_says_so(bare_rig: Rig) -> None:
    bare_rig._settings["freshbooks_client_id"] = ""
    bare_rig.restart()
    reply = call("GET", f"{bare_rig.url}/app/sign-in/start")
    assert (reply.status_code, "not set up" in reply.text) == (503, True)


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


def test_a_connection_signs_nobody_in(shared_rig: Rig, theirs: Browser) -> None:
    ticket = connect.mint(shared_rig.world, "freshbooks", shared_rig.account_id)
    page = theirs.get(connect.start_url(shared_rig.world, "freshbooks", ticket))
    back = theirs.decide(page, identity_id=str(shared_rig.ona.id))
    assert "Go back to where you began" in back.text
    secret = theirs.session.cookies.get("billhook-freshbooks") or ""
    for cookie in (secret, ticket):
        theirs.session.cookies.set("billhook-sign-in", cookie, domain="127.0.0.1")
        assert theirs.get(f"{shared_rig.url}/app/sign-in/choose").status_code == 400
    assert session_in(shared_rig, theirs) is None


def test_a_connections_browser_cannot_be_turned_into_a_sign_in(
    shared_rig: Rig, theirs: Browser
) -> None:
    """The two states and cookies, crossed."""
    ticket = connect.mint(shared_rig.world, "freshbooks", shared_rig.account_id)
    link = theirs.back_link(theirs.get(connect.start_url(shared_rig.world, "freshbooks", ticket)))
    cookies = theirs.session.cookies
    cookies.set("billhook-sign-in", cookies.get("billhook-freshbooks") or "", domain="127.0.0.1")
    assert "Go back to where you began" in theirs.get(link).text
    assert theirs.get(f"{shared_rig.url}/app/sign-in/choose").status_code == 400
