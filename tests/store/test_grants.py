"""A grant's pair: one refresher at a time, swapped by version, replaced by a new consent."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from server.core.tokens import TokenPair
from server.store import grants
from server.store.db import Database
from server.store.grants import GrantRow, StoredPair
from server.store.secrets import CannotOpen, Vault
from tests.fixed_clock import START
from tests.store import rows

VAULT = Vault([Fernet.generate_key().decode()])
WHO = ("freshbooks", "client-1", "identity-9")
DAY = timedelta(days=1)
LEASE = timedelta(seconds=40)


def _pair(name: str, scope: str = "all") -> TokenPair:
    return TokenPair(f"access-{name}", f"refresh-{name}", START + DAY, scope)


def _put(database: Database, name: str = "one", who: tuple[str, str, str] = WHO) -> int:
    with database.write() as session:
        return grants.put(session, VAULT, who, _pair(name), START).id


def _read(database: Database, grant_id: int) -> StoredPair:
    with database.read() as session:
        return grants.read(session, VAULT, grant_id)


def _lease(database: Database, grant_id: int, owner: str, seconds: float = 0) -> bool:
    with database.write() as session:
        return grants.lease(session, grant_id, owner, START + timedelta(seconds=seconds), LEASE)


def _swap(database: Database, grant_id: int, seen: int, pair: TokenPair) -> bool:
    with database.write() as session:
        return grants.swap(session, VAULT, grant_id, seen, pair, START)


def _kill(database: Database, grant_id: int, seen: int) -> bool:
    with database.write() as session:
        return grants.kill(session, grant_id, seen)


def test_a_stored_pair_comes_back_whole(database: Database):
    stored = _read(database, _put(database))
    assert stored.pair == _pair("one")
    assert (stored.version, stored.live, stored.lease_until) == (1, True, None)


def test_no_token_stands_readable_in_the_row(database: Database):
    _put(database)
    with database.read() as session:
        row = session.execute(sa.text('SELECT * FROM "grant"')).one()
    assert not any(secret in str(row) for secret in ("access-one", "refresh-one"))


def test_a_pair_copied_to_another_grant_does_not_open(database: Database):
    one, other = _put(database), _put(database, who=("kommo", "client-1", "identity-9"))
    with database.write() as session:
        sealed = session.get_one(GrantRow, one).tokens_sealed
        session.get_one(GrantRow, other).tokens_sealed = sealed
    with pytest.raises(CannotOpen, match="another owner"):
        _read(database, other)


def test_a_second_consent_of_the_same_identity_replaces_the_pair(database: Database):
    grant_id = _put(database)
    _lease(database, grant_id, "refresher")
    assert _put(database, "two") == grant_id
    stored = _read(database, grant_id)
    assert (stored.pair, stored.version) == (_pair("two"), 2)
    assert stored.lease_until is None


def test_a_new_consent_revives_a_dead_grant(database: Database):
    grant_id = _put(database)
    assert _kill(database, grant_id, 1)
    assert not _read(database, grant_id).live
    _put(database, "two")
    assert _read(database, grant_id).live


@pytest.mark.parametrize("part", [0, 1, 2])
def test_vendor_app_and_identity_tell_grants_apart(database: Database, part: int):
    other = (*WHO[:part], "other", *WHO[part + 1 :])
    assert _put(database) != _put(database, who=other)
    with database.read() as session:
        found = grants.of_identity(session, WHO)
        assert found is not None
        assert found.identity == WHO[2]
        assert grants.of_identity(session, ("kommo", "nobody", "1")) is None


def test_consents_of_one_identity_at_the_same_instant_make_one_grant(database: Database):
    ids = rows.at_once(6, lambda i: _put(database, str(i)))
    assert len(set(ids)) == 1
    assert _read(database, ids[0]).version == 6


# Who refreshes


def test_one_of_many_leases_the_grant(database: Database):
    grant_id = _put(database)
    assert sum(rows.at_once(8, lambda i: _lease(database, grant_id, f"r{i}"))) == 1


def test_a_lease_excludes_until_its_end_and_its_holder_may_lengthen_it(database: Database):
    grant_id = _put(database)
    assert _lease(database, grant_id, "one")
    assert _lease(database, grant_id, "one", 10)
    assert not _lease(database, grant_id, "two", 49)
    assert _lease(database, grant_id, "two", 50)
    assert not _lease(database, grant_id, "one", 51)


def test_only_its_holder_releases_a_lease(database: Database):
    grant_id = _put(database)
    _lease(database, grant_id, "one")
    for owner, free in (("two", False), ("one", True)):
        with database.write() as session:
            grants.release(session, grant_id, owner)
        assert (_read(database, grant_id).lease_until is None) is free


# What a refresh brings


def test_a_refreshed_pair_replaces_the_version_that_was_seen_once(database: Database):
    grant_id = _put(database)
    _lease(database, grant_id, "one")
    assert _swap(database, grant_id, 1, _pair("two"))
    assert not _swap(database, grant_id, 1, _pair("three"))
    stored = _read(database, grant_id)
    assert (stored.pair, stored.version, stored.lease_until) == (_pair("two"), 2, None)


def test_of_refreshes_that_saw_the_same_version_one_is_stored(database: Database):
    grant_id = _put(database)
    won = rows.at_once(6, lambda i: _swap(database, grant_id, 1, _pair(str(i))))
    assert sum(won) == 1
    stored = _read(database, grant_id)
    assert (stored.version, stored.pair) == (2, _pair(str(won.index(True))))


def test_a_refresh_that_came_too_late_does_not_undo_a_new_consent(database: Database):
    grant_id = _put(database)
    _put(database, "consent")
    assert not _swap(database, grant_id, 1, _pair("late"))
    assert _read(database, grant_id).pair == _pair("consent")


def test_a_refresh_without_a_scope_keeps_the_one_that_was_given(database: Database):
    grant_id = _put(database)
    _swap(database, grant_id, 1, _pair("two", scope=""))
    assert _read(database, grant_id).pair.scope == "all"


def test_a_death_is_believed_of_the_version_that_was_seen(database: Database):
    grant_id = _put(database)
    _swap(database, grant_id, 1, _pair("two"))
    assert not _kill(database, grant_id, 1)
    assert _read(database, grant_id).live
    assert _kill(database, grant_id, 2)
    assert not _read(database, grant_id).live


def test_a_doubted_pair_is_left_alone_by_all_until_the_doubt_ends(database: Database):
    grant_id = _put(database)
    _lease(database, grant_id, "one")
    with database.write() as session:
        grants.doubt(session, grant_id, 1, START + LEASE)
    stored = _read(database, grant_id)
    assert (stored.state, stored.live) == ("doubted", True)
    assert not _lease(database, grant_id, "one", 39)
    assert _lease(database, grant_id, "two", 40)
    assert _swap(database, grant_id, 1, _pair("two"))
    assert _read(database, grant_id).state == "live"


def test_a_newer_pair_is_not_doubted(database: Database):
    grant_id = _put(database)
    _put(database, "two")
    with database.write() as session:
        grants.doubt(session, grant_id, 1, START + LEASE)
    stored = _read(database, grant_id)
    assert (stored.state, stored.lease_until) == ("live", None)


def test_when_the_vendor_ends_access_every_version_is_dead(database: Database):
    grant_id = _put(database)
    _swap(database, grant_id, 1, _pair("two"))
    with database.write() as session:
        grants.end(session, grant_id)
    assert not _read(database, grant_id).live
