"""An account's connections with their grants, as copies of what stood there."""

from cryptography.fernet import Fernet

from server.core.keys import AccountId
from server.core.tokens import TokenPair
from server.store import grants, ties
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.store.secrets import Vault
from tests.store.rows import START, a_connection, an_account, rows_of

VAULT = Vault([Fernet.generate_key().decode()])


def _ties(database: Database, account: AccountId) -> dict[str, ties.Tie]:
    with database.read() as session:
        return ties.of_account(session, account)


def test_each_connection_comes_with_the_grant_that_it_lives_by(
    database: Database, account: AccountId
) -> None:
    with database.write() as session:
        pair = TokenPair("access", "refresh", START)
        grant_id = grants.put(session, VAULT, ("freshbooks", "app", "ona"), pair, START).id
    books = a_connection(database, account, "freshbooks", grant_id=grant_id)
    a_connection(database, account, "kommo")
    a_connection(database, an_account(database, "another"), "kommo")
    found = _ties(database, account)
    assert sorted(found) == ["freshbooks", "kommo"]
    assert found["freshbooks"].connection.id == books.id
    grant = found["freshbooks"].grant
    assert grant is not None
    assert grants.stored(VAULT, grant).pair == pair
    assert found["kommo"].grant is None


def test_a_changed_copy_changes_nothing(database: Database, account: AccountId) -> None:
    a_connection(database, account)
    with database.write() as session:
        ties.of_account(session, account)["kommo"].connection.realm = "elsewhere.kommo.com"
    assert [row.realm for row in rows_of(database, ConnectionRow)] == ["demo.kommo.com"]
