"""Each entering has one number in its series, and no number is given twice."""

from server.core.keys import AccountId
from server.store import ledger, numbered
from server.store.db import Database
from server.store.ledger import Key
from tests.fixed_clock import START
from tests.store import rows


def number(
    database: Database, account: int, event: str, deal: int = 7, purpose: str = "invoice"
) -> int:
    with database.write() as session:
        return numbered.number_of(session, account, deal, purpose, event)


def made(database: Database, account: int, purpose: str, sequence: int = 0, **more: str) -> None:
    key = Key(account, "kommo", "7", purpose, sequence)
    with database.write() as session:
        ledger.open_document(session, key, START, **{"kind": "invoice", "home": "x", **more})


def test_an_entering_keeps_its_number_and_the_next_one_gets_the_next(
    database: Database, account: AccountId
) -> None:
    assert [number(database, account, event) for event in ("e1", "e2", "e1", "e3")] == [0, 1, 0, 2]


def test_deals_series_and_accounts_are_numbered_apart(
    database: Database, account: AccountId
) -> None:
    second = rows.an_account(database, "second")
    assert number(database, account, "e1") == 0
    assert number(database, account, "e2", deal=8) == 0
    assert number(database, account, "e3", purpose="invoice:deposit") == 0
    assert number(database, second, "e4") == 0


def test_what_was_billed_without_a_number_has_taken_one(
    database: Database, account: AccountId
) -> None:
    made(database, account, "invoice")
    made(database, account, "invoice:deposit", 4)
    assert number(database, account, "e1") == 1
    assert number(database, account, "e2", purpose="invoice:deposit") == 5


def test_an_entering_without_a_number_is_told_as_such(
    database: Database, account: AccountId
) -> None:
    with database.read() as session:
        assert numbered.number_if_any(session, account, 7, "invoice", "e1") is None


def test_what_each_rule_has_billed_for_is_known(database: Database, account: AccountId) -> None:
    made(database, account, "invoice", rule_slug="won")
    made(database, account, "invoice:deposit", rule_slug="pre")
    made(database, account, "task:1", kind="task", rule_slug="won")
    with database.read() as session:
        used = numbered.purposes_used(session, account)
    assert used == {"won": {"invoice"}, "pre": {"invoice:deposit"}}
