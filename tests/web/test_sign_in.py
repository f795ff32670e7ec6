"""Who gets in at Billhook's own door, and what becomes of the tokens that FreshBooks gave."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from server.flows import sign_in
from server.flows.glance import Glance
from server.sandbox.browser import Browser
from server.store import accounts, grants
from server.store.tickets import TicketRow
from tests.rig import FRESHBOOKS_ID, Rig
from tests.web.own_door import person_with, session_in, signed_in


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
def test_nobody_else_is(shared_rig: Rig, theirs: Browser, role: str, account_role: str) -> None:
    page = signed_in(shared_rig, theirs, person_with(shared_rig, role, account_role))
    assert page.status_code == 403
    assert "Pat Person keeps no business that is connected here." in page.text
    assert "Sign in as somebody else" in page.text
    assert session_in(shared_rig, theirs) is None


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
