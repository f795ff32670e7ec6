"""Tenants, their connections, and the secret URLs that vendors call them by."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.exc import IntegrityError

from server.core.keys import AccountId
from server.core.tokens import TokenPair
from server.store import accounts, first_look, grants
from server.store.accounts import AccountRow, ConnectionRow, HookRow
from server.store.db import Database
from server.store.secrets import CannotOpen, Vault
from tests.fixed_clock import START
from tests.store import rows

VAULT = Vault([Fernet.generate_key().decode()])


def _state(database: Database, connection_id: int) -> str:
    with database.read() as session:
        return session.get_one(ConnectionRow, connection_id).state


def test_an_account_is_found_by_its_name_and_a_taken_name_gets_a_number(database: Database):
    ids = [rows.an_account(database, "acme") for _ in range(3)]
    with database.read() as session:
        assert [row.name for row in accounts.everyone(session)] == ["acme", "acme-2", "acme-3"]
        second = accounts.named(session, "acme-2")
        assert second is not None
        assert second.id == ids[1]
        assert accounts.named(session, "nobody") is None


def test_accounts_made_at_once_get_names_of_their_own(database: Database):
    assert len(set(rows.at_once(5, lambda _: rows.an_account(database, "acme")))) == 5
    names = sorted(row.name for row in rows.rows_of(database, AccountRow))
    assert names == ["acme", "acme-2", "acme-3", "acme-4", "acme-5"]


# Connections


def test_an_account_has_one_connection_a_vendor(database: Database, account: AccountId):
    rows.a_connection(database, account)
    rows.a_connection(database, account, "freshbooks")
    with pytest.raises(IntegrityError):
        rows.a_connection(database, account, external_id="another")


def test_a_vendors_account_belongs_to_one_of_ours(database: Database, account: AccountId):
    rows.a_connection(database, account, external_id="31415")
    second = rows.an_account(database, "second")
    with pytest.raises(IntegrityError):
        rows.a_connection(database, second, external_id="31415")
    rows.a_connection(database, second, "freshbooks", external_id="31415")
    with database.read() as session:
        owner = accounts.connection_of(session, "kommo", "31415")
        assert owner is not None
        assert owner.account_id == account
        assert accounts.connection_of(session, "kommo", "1") is None


def test_connections_are_found_by_account_by_vendor_and_by_life(
    database: Database, account: AccountId
):
    second = rows.an_account(database, "second")
    kommo = rows.a_connection(database, account)
    freshbooks = rows.a_connection(database, account, "freshbooks")
    rows.a_connection(database, second, state="disconnected")
    with database.read() as session:
        found = accounts.connections(session, account)
        assert [row.id for row in found] == [freshbooks.id, kommo.id]
        assert [row.id for row in accounts.connected(session, "kommo")] == [kommo.id]
        one = accounts.connection(session, account, "kommo")
        assert one is not None
        assert one.id == kommo.id
        assert accounts.connection(session, second, "freshbooks") is None


def test_what_lived_by_a_grant_waits_for_a_person_when_it_is_lost(
    database: Database, account: AccountId
):
    pair = TokenPair("a", "r", START + timedelta(days=1))
    with database.write() as session:
        grant_id = grants.put(session, VAULT, ("freshbooks", "app", "9"), pair, START).id
    ours = rows.a_connection(database, account, "freshbooks", grant_id=grant_id)
    second = rows.an_account(database, "second")
    gone = rows.a_connection(
        database, second, "freshbooks", grant_id=grant_id, state="disconnected"
    )
    other = rows.a_connection(database, account)
    with database.write() as session:
        assert [row.id for row in accounts.of_grant(session, grant_id)] == [ours.id, gone.id]
        accounts.lose_grant(session, grant_id)
    states = [_state(database, row.id) for row in (ours, gone, other)]
    assert states == ["reconnect", "disconnected", "connected"]


def test_a_mark_changes_one_connection(database: Database, account: AccountId):
    one, other = rows.a_connection(database, account), rows.a_connection(database, account, "fb")
    with database.write() as session:
        accounts.mark_connection(session, one.id, down_since=START, state="reconnect")
    assert [_state(database, row.id) for row in (one, other)] == ["reconnect", "connected"]


# Secret URLs


def _key(database: Database, account: AccountId, kind: str = "kommo") -> str:
    with database.write() as session:
        return accounts.hook_key(session, VAULT, account, kind)


def _whose(database: Database, kind: str, key: str) -> int | None:
    with database.read() as session:
        row = first_look.hook_by_key(session, kind, key)
    return row.account_id if row else None


def test_a_hooks_key_stays_the_same_and_leads_to_its_account(
    database: Database, account: AccountId
):
    second = rows.an_account(database, "second")
    key = _key(database, account)
    assert _key(database, account) == key
    assert len({key, _key(database, second), _key(database, account, "kommo-dp")}) == 3
    assert _whose(database, "kommo", key) == account
    assert _whose(database, "kommo-dp", key) is None
    assert _whose(database, "kommo", key[:-1]) is None
    assert _whose(database, "kommo", "") is None


def test_a_key_is_found_although_the_secret_keys_were_rotated(
    database: Database, account: AccountId
):
    key = _key(database, account)
    assert _whose(database, "kommo", key) == account  # needs no vault
    strange = Vault([Fernet.generate_key().decode()])
    with pytest.raises(CannotOpen), database.write() as session:
        accounts.hook_key(session, strange, account, "kommo")


def test_a_key_does_not_stand_readable_in_its_row(database: Database, account: AccountId):
    key = _key(database, account)
    (row,) = rows.rows_of(database, HookRow)
    assert key not in (row.key_hash, row.key_sealed)
    assert key not in row.key_sealed


def test_who_asks_for_a_first_key_at_once_gets_the_same(database: Database, account: AccountId):
    assert len(set(rows.at_once(5, lambda _: _key(database, account)))) == 1


def test_when_a_hook_was_heard_and_checked_stands_on_it(database: Database, account: AccountId):
    _key(database, account)
    _key(database, account, "kommo-dp")
    with database.write() as session:
        row = accounts.hook_of(session, account, "kommo")
        assert row is not None
        accounts.heard(session, row.id, START)
        accounts.checked(session, account, "kommo-dp", "sub-1", START)
        assert accounts.hook_of(session, account, "freshbooks") is None
    told = {row.kind: (row.heard_at, row.checked_at) for row in rows.rows_of(database, HookRow)}
    assert told == {"kommo": (START, None), "kommo-dp": (None, START)}


def test_an_account_is_without_webhooks_until_kommo_has_named_a_subscription(
    database: Database, account: AccountId
):
    second = AccountId(rows.an_account(database, "second"))
    for one in (account, second):
        _key(database, one)
        _key(database, one, "kommo-dp")
    for upstream_id, deaf in (("sub-1", [account]), (None, [account, second])):
        with database.write() as session:
            accounts.checked(session, second, "kommo", upstream_id, START)
            assert sorted(accounts.without_webhooks(session)) == deaf
