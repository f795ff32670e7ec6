"""How people sign in on Billhook's own pages, through FreshBooks' question and back."""

from urllib.parse import urljoin

import requests

from server.sandbox.browser import Browser
from server.sandbox.freshbooks.state import Identity
from server.web import sessions
from tests.rig import Rig

COOKIE = "billhook-session"


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
