"""The dance of redirects that connects an account, by real HTTP: a person consents, completes
it once, or does not."""

import pytest

from server.flows import connect, connect_freshbooks, connect_kommo
from server.flows.connect import CannotConnect
from server.sandbox import Fault
from server.sandbox.browser import Browser
from server.sandbox.freshbooks.oauth import INVOICER
from server.store import accounts, grants
from tests.rig import FRESHBOOKS_ID, FRESHBOOKS_SECRET, Rig


def browse(rig: Rig, vendor: str, ticket: str, **chosen: str) -> int:
    """There and back; the last page's status."""
    with Browser() as browser:
        page = browser.get(connect.start_url(rig.world, vendor, ticket))
        return browser.decide(page, **chosen).status_code


def test_both_vendors_are_connected_by_their_consent_pages(bare_rig: Rig) -> None:
    rig = bare_rig.connect()
    kommo, books = rig.connection("kommo"), rig.connection("freshbooks")
    assert (kommo.external_id, kommo.realm) == (str(rig.kommo.account_id), rig.kommo.host)
    assert (kommo.currency, kommo.timezone) == ("EUR", "Europe/Vilnius")
    assert (books.external_id, books.realm) == (str(rig.books.business_id), rig.books.account_id)
    assert kommo.account_id == books.account_id
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [rig.hook_url()]
    assert rig.sandbox.kommo.unknown_calls == rig.sandbox.freshbooks.unknown_calls == []


def test_nothing_is_stored_for_an_account_before_its_ticket_is_completed(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    told = connect.look(bare_rig.world, ticket)
    assert told.stage == "returned"
    assert told.summary == {
        "id": bare_rig.kommo.account_id,
        "name": "Demo",
        "host": bare_rig.kommo.host,
    }
    assert bare_rig.in_database(accounts.everyone) == []
    connect_kommo.complete(bare_rig.world, ticket)
    assert [row.name for row in bare_rig.in_database(accounts.everyone)] == ["demo"]


def test_a_consent_is_completed_once(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    connect_kommo.complete(bare_rig.world, ticket)
    with pytest.raises(CannotConnect, match="not ready"):
        connect_kommo.complete(bare_rig.world, ticket)
    with pytest.raises(CannotConnect, match="expired"):
        connect_freshbooks.complete(bare_rig.world, ticket)


def test_a_consent_that_nobody_completes_expires_and_is_forgotten(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    bare_rig.later(minutes=31)
    assert connect.look(bare_rig.world, ticket).stage == "expired"
    with pytest.raises(CannotConnect):
        connect_kommo.complete(bare_rig.world, ticket)


@pytest.mark.parametrize("vendor", ["kommo", "freshbooks"])
def test_a_person_who_says_no_connects_nothing(shared_rig: Rig, vendor: str) -> None:
    ticket = connect.mint(shared_rig.world, vendor)
    assert browse(shared_rig, vendor, ticket, decision="deny") == 400
    told = connect.look(shared_rig.world, ticket)
    assert (told.stage, "not allowed" in told.said) == ("failed", True)


@pytest.mark.parametrize("vendor", ["kommo", "freshbooks"])
def test_a_vendor_that_is_down_at_the_consent_says_so(shared_rig: Rig, vendor: str) -> None:
    ticket = connect.mint(shared_rig.world, vendor)
    shared_rig.sandbox.faults.add(
        Fault("error_before", match="POST *token*", vendor=vendor, status=503)
    )
    assert browse(shared_rig, vendor, ticket) == 400
    told = connect.look(shared_rig.world, ticket)
    assert (told.stage, "Try again" in told.said) == ("failed", True)


@pytest.mark.parametrize(
    ("role", "account_role", "offered"),
    [
        ("business_partner", "admin", True),
        ("business_manager", "admin", True),
        ("business_accountant", "admin", True),
        ("business_employee", "admin", False),
        ("client", "client", False),
    ],
)
def test_who_may_not_write_invoices_is_not_offered_the_business(
    shared_rig: Rig, role: str, account_role: str, offered: bool
) -> None:
    person = shared_rig.sandbox.freshbooks.add_identity("eve@example.test", "Eve")
    shared_rig.sandbox.freshbooks.add_member(shared_rig.books, person, role, account_role)
    ticket = connect.mint(shared_rig.world, "freshbooks", shared_rig.account_id)
    browse(shared_rig, "freshbooks", ticket, identity_id=str(person.id))
    told = connect.look(shared_rig.world, ticket)
    assert told.stage == ("returned" if offered else "failed")
    assert offered or "may not write invoices" in told.said


def test_a_narrow_scope_is_kept_as_it_was_given(bare_rig: Rig) -> None:
    rig = bare_rig
    redirect = f"{rig.url}/oauth/freshbooks/callback"
    rig.sandbox.freshbooks.register_app(FRESHBOOKS_ID, FRESHBOOKS_SECRET, redirect, INVOICER)
    rig.connect()
    row = rig.connection("freshbooks")
    stored = rig.in_database(lambda s: grants.read(s, rig.world.vault, row.grant_id))
    assert "user:invoices:write" in stored.pair.scope.split()
