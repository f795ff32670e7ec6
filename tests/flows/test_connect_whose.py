"""Which Kommo account and which business an account may be connected to: never another's, and
no other than before without a word."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.flows import connect, connect_freshbooks, connect_kommo
from server.flows import world as outside
from server.flows.connect import CannotConnect, unrecorded
from tests.rig import Rig

A_TOKEN_S_LIFE = timedelta(hours=12)


def test_a_kommo_account_is_never_shared_by_two_accounts(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    ticket = rig.consent("kommo", second, account="demo")
    with pytest.raises(CannotConnect, match="already connected to another account of this"):
        connect_kommo.complete(rig.world, ticket)


def test_an_account_keeps_its_kommo_account(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    ticket = rig.consent("kommo", rig.account_id, account="second")
    with pytest.raises(CannotConnect, match="another Kommo account"):
        connect_kommo.complete(rig.world, ticket)


def test_a_business_is_never_shared_by_two_accounts(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    with pytest.raises(CannotConnect, match="to another account of this server") as refused:
        rig.connect_freshbooks(second)
    assert "demo" not in refused.value.sentence  # whose it is, is nothing for others


def test_a_refused_second_consent_leaves_the_first_connection_working(rig: Rig) -> None:
    """FreshBooks kills the older refresh token with the consent, so the newer one is kept."""
    first = rig.account_id
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    with pytest.raises(CannotConnect):
        rig.connect_freshbooks(second)
    rig.account_id = first
    rig.clock.advance(A_TOKEN_S_LIFE)
    client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
    assert client.me().id == rig.ona.id


def test_one_person_may_connect_two_businesses_to_two_accounts(rig: Rig) -> None:
    first = rig.account_id
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    rig.connect_freshbooks(second, other.business_id)
    assert rig.connection("freshbooks").realm == other.account_id
    one = rig.connection("freshbooks").grant_id
    rig.account_id = first
    assert rig.connection("freshbooks").grant_id == one
    rig.clock.advance(A_TOKEN_S_LIFE)
    client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
    assert client.me().id == rig.ona.id


def test_several_businesses_are_a_choice(bare_rig: Rig) -> None:
    rig = bare_rig
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    account_id = rig.connect_kommo().account_id
    ticket = rig.consent("freshbooks", account_id)
    offered = connect.look(rig.world, ticket).summary["businesses"]
    assert [one["name"] for one in offered] == ["Ona's Studio", "Ona's Bakery"]
    with pytest.raises(CannotConnect, match="choose one: Ona's Studio"):
        connect_freshbooks.complete(rig.world, ticket)
    with pytest.raises(CannotConnect, match="no business 1 "):
        connect_freshbooks.complete(rig.world, ticket, 1)
    row = connect_freshbooks.complete(rig.world, ticket, other.business_id)
    assert (row.name, row.realm) == ("Ona's Bakery", other.account_id)


def test_changing_the_business_is_said_in_so_many_words(rig: Rig) -> None:
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    ticket = rig.consent("freshbooks", rig.account_id)
    with pytest.raises(CannotConnect, match="writes its invoices in Ona's Studio"):
        connect_freshbooks.complete(rig.world, ticket, other.business_id)
    connect_freshbooks.complete(rig.world, ticket, other.business_id, change=True)
    assert rig.connection("freshbooks").name == "Ona's Bakery"


def test_an_older_consent_completed_late_does_not_undo_a_newer_one(bare_rig: Rig) -> None:
    rig = bare_rig
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    first = rig.connect_kommo().account_id
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    older = rig.consent("freshbooks", first)
    rig.clock.advance(timedelta(minutes=1))
    newer = rig.consent("freshbooks", second)
    connect_freshbooks.complete(rig.world, newer, other.business_id)
    connect_freshbooks.complete(rig.world, older, rig.books.business_id)
    rig.clock.advance(A_TOKEN_S_LIFE)
    for rig.account_id in (AccountId(first), AccountId(second)):
        client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
        assert client.me().id == rig.ona.id
