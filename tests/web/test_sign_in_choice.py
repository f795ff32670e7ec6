"""Whoever keeps several connected businesses chooses one of them, and none of anybody else's."""

from urllib.parse import urlsplit

import pytest

from server.flows import sign_in
from server.sandbox.browser import Browser, Form
from tests.rig import Rig
from tests.web.own_door import person_with, second_account, session_in, signed_in


@pytest.fixture(scope="module")
def two_accounts(shared_rig: Rig) -> Rig:
    """Ona keeps the books of both."""
    second_account(shared_rig)
    return shared_rig


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
def test_only_what_was_offered_can_be_chosen(
    two_accounts: Rig, theirs: Browser, picked: str
) -> None:
    pat = person_with(two_accounts, "owner")  # of the first business alone
    page = signed_in(two_accounts, theirs, pat)
    assert urlsplit(page.url).path == "/app/"
    with Browser() as ona:
        action = Form(signed_in(two_accounts, ona)).action
        reply = ona.session.post(action, data={"account": picked}, timeout=10)
        assert reply.status_code == 400
        assert session_in(two_accounts, ona) is None


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


def test_a_choice_that_waits_too_long_ends(rig: Rig, theirs: Browser) -> None:
    second_account(rig)
    action = Form(signed_in(rig, theirs)).action
    rig.clock.advance(sign_in.LIFE)
    reply = theirs.session.post(action, data={"account": str(rig.account_id)}, timeout=10)
    assert (reply.status_code, "Begin again" in reply.text) == (400, True)


def test_a_foreign_page_chooses_nothing(two_accounts: Rig, theirs: Browser) -> None:
    action = Form(signed_in(two_accounts, theirs)).action
    data = {"account": str(two_accounts.account_id)}
    evil = {"Origin": "https://evil.example"}
    reply = theirs.session.post(action, data=data, headers=evil, timeout=10)
    assert reply.status_code == 400
    assert session_in(two_accounts, theirs) is None
