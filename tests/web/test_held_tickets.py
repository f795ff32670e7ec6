"""A consent is for whoever began it: by a link that is sent to somebody else, what they allow at a
vendor is never tied to the sender's account, nor the sender's business to theirs."""

from html import unescape

import requests

from server.flows import connect
from server.sandbox.browser import Browser, call
from server.web import sessions
from server.web.auth import Role
from server.web.sessions import HEADER, Session
from tests.rig import Rig

BEGIN = "/app/connect/freshbooks"


def session_of(rig: Rig, where: str, who: str) -> Session:
    return sessions.begin(
        rig.world, rig.account_id, Role.ADMIN, where=where, who=who, name="Ann Lee"
    )


def signed_in(rig: Rig, browser: Browser, who: str) -> dict[str, str]:
    """The browser has the cookie of a session of its own; what its forms carry."""
    session = session_of(rig, "app", who)
    browser.session.cookies.set("billhook-session", sessions.seal(rig.world, session))
    return {"csrf": sessions.form_key(session)}


def in_frame(rig: Rig, who: str, method: str, path: str) -> requests.Response:
    """As the frame of this user of Kommo asks, with a session that it was given just now."""
    token = sessions.seal(rig.world, session_of(rig, "kommo", who))
    return call(method, rig.url + path, headers={HEADER: token, "HX-Request": "true"})


def held(page: str, name: str, holding: str = "") -> str:
    """The attribute's value that holds this."""
    values = [part.split('"')[0] for part in page.split(f' {name}="')[1:]]
    return unescape(next(value for value in values if holding in value))


def stage(rig: Rig, path: str) -> str:
    return connect.look(rig.world, path.rpartition("/")[2]).stage


def test_a_pages_consent_is_given_and_completed_in_the_browser_that_began_it(rig: Rig) -> None:
    with Browser() as sender, Browser() as victim, Browser() as colleague:
        csrf = signed_in(rig, sender, "1")
        begun = sender.session.post(rig.url + BEGIN, data=csrf, timeout=10)
        path = begun.url.removeprefix(rig.url)
        start = held(begun.text, "href", "/start?ticket=")

        theirs = signed_in(rig, colleague, "2")  # let in to the same account
        for other in (victim, colleague):
            reply = other.get(start)
            assert (reply.status_code, "made for another browser" in reply.text) == (400, True)
            assert "demo" not in reply.text
            assert "billhook-freshbooks" not in other.session.cookies
        assert stage(rig, path) == "minted"

        assert sender.decide(sender.get(start)).status_code == 200
        assert colleague.get(rig.url + path).status_code == 404
        stolen = colleague.session.post(rig.url + path, data=theirs, timeout=10)
        assert (stolen.status_code, "no such connection" in stolen.text) == (404, True)
        assert 'href="/app/"' in stolen.text  # the way on
        assert stage(rig, path) == "returned"

        for _pressed_twice in range(2):
            done = sender.session.post(rig.url + path, data=csrf, timeout=10)
            assert "Connected." in done.text


def test_the_frames_consent_is_given_in_a_window_that_the_frame_gave_its_ticket(rig: Rig) -> None:
    path = in_frame(rig, "1", "POST", BEGIN).headers["Location"]
    page = in_frame(rig, "1", "GET", path).text
    ticket, window = held(page, "data-ticket"), rig.url + held(page, "href", "/window")
    assert f"ticket={ticket}" not in page  # no address that could be sent to anybody
    with Browser() as browser:
        signed_in(rig, browser, "1")
        start = connect.start_url(rig.world, "freshbooks", ticket)
        assert browser.get(start).status_code == 400

        def given(**headers: str) -> requests.Response:
            told = {"Accept": "application/json", **headers}
            return browser.session.post(window, {"ticket": ticket}, headers=told, timeout=10)

        for origin in ({}, {"Origin": "null"}, {"Origin": "https://evil.example"}):
            assert given(**origin).status_code == 403
        assert stage(rig, path) == "minted"
        assert ticket not in browser.get(window).text
        url = given(Origin=rig.url).json()["url"]
        assert given(Origin=rig.url).status_code == 400  # once
        assert browser.decide(browser.get(url)).status_code == 200

    assert f"({rig.books.business_id})" in in_frame(rig, "1", "GET", f"{path}?look=1").text
    for method in ("GET", "POST"):
        assert in_frame(rig, "2", method, path).status_code == 404
    assert in_frame(rig, "1", "POST", path).status_code == 303
    assert stage(rig, path) == "completed"
