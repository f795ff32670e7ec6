"""Which client of a business a customer's key stands for: one, also when two ask at once."""

from server.core.keys import AccountId
from server.store import ledger
from server.store.db import Database
from server.store.ledger import ClientLinkRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.ledger_rows import HOME


def _link(database: Database, account: int, upstream_id: str, home: str = HOME) -> None:
    with database.write() as session:
        ledger.link_client(
            session,
            home=home,
            client_key="email:a@b.test",
            account_id=account,
            upstream_id=upstream_id,
            made_by_us=False,
            created_at=START,
        )


def _linked(database: Database, home: str = HOME) -> str | None:
    with database.read() as session:
        row = ledger.linked_client(session, home, "email:a@b.test")
    return row.upstream_id if row else None


def test_a_client_key_stands_for_one_client_of_a_business_and_can_be_corrected(
    database: Database, account: AccountId
):
    assert _linked(database) is None
    _link(database, account, "17")
    _link(database, account, "99", "freshbooks:901")
    assert (_linked(database), _linked(database, "freshbooks:901")) == ("17", "99")
    _link(database, account, "18")
    assert (_linked(database), _linked(database, "freshbooks:901")) == ("18", "99")


def test_two_deals_may_link_the_same_client_at_once(database: Database, account: AccountId):
    rows.at_once(6, lambda _: _link(database, account, "17"))
    assert [row.upstream_id for row in rows.rows_of(database, ClientLinkRow)] == ["17"]


def test_a_client_that_is_gone_is_matched_anew(database: Database, account: AccountId):
    _link(database, account, "17")
    for _ in range(2):  # again: harmless
        with database.write() as session:
            ledger.unlink_client(session, HOME, "email:a@b.test")
        assert _linked(database) is None
    _link(database, account, "18")
    assert _linked(database) == "18"
