"""Transactions, times and the waker, on both databases; what SQLite must be tuned to."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from server.core.keys import AccountId
from server.store import accounts, jobs
from server.store.accounts import AccountRow, ConnectionRow
from server.store.counters import CounterRow
from server.store.db import Database
from tests.fixed_clock import START
from tests.store import rows
from tests.store.databases import migrated, opened

IN_VILNIUS = datetime(2026, 3, 2, 11, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))


def test_a_time_of_any_zone_comes_back_as_the_same_instant_in_utc(database: Database):
    with database.write() as session:
        session.add(AccountRow(name="far", created_at=IN_VILNIUS))
    (row,) = rows.rows_of(database, AccountRow)
    assert row.created_at == IN_VILNIUS
    assert row.created_at.tzinfo is UTC
    assert row.created_at.hour == 9


def test_times_of_different_zones_compare_by_instant(database: Database):
    with database.write() as session:
        session.add(AccountRow(name="far", created_at=IN_VILNIUS))
    instant = IN_VILNIUS.astimezone(timezone(timedelta(hours=-7)))
    with database.read() as session:
        count = sa.select(sa.func.count()).select_from(AccountRow)
        assert session.scalar(count.where(AccountRow.created_at == instant)) == 1
        assert session.scalar(count.where(AccountRow.created_at < instant)) == 0


def test_a_time_without_a_zone_is_refused(database: Database):
    naive = IN_VILNIUS.replace(tzinfo=None)
    with pytest.raises(StatementError, match="without a zone"), database.write() as session:
        session.add(AccountRow(name="naive", created_at=naive))
    with pytest.raises(StatementError, match="without a zone"), database.read() as session:
        session.scalar(sa.select(AccountRow).where(AccountRow.created_at < naive))


def test_an_absent_time_stays_absent(database: Database, account: AccountId):
    row = rows.a_connection(database, account)
    with database.read() as session:
        assert session.get_one(ConnectionRow, row.id).down_since is None


def test_a_transaction_that_ends_well_is_kept(database: Database):
    rows.an_account(database, "kept")
    assert [row.name for row in rows.rows_of(database, AccountRow)] == ["kept"]


def test_a_transaction_that_raises_leaves_nothing(database: Database):
    def add_and_fail() -> None:
        with database.write() as session:
            accounts.add(session, "gone", START)
            raise LookupError

    with pytest.raises(LookupError):
        add_and_fail()
    assert rows.rows_of(database, AccountRow) == []


def test_a_reading_session_keeps_no_change(database: Database):
    with database.read() as session:
        accounts.add(session, "gone", START)
    assert rows.rows_of(database, AccountRow) == []


def test_what_was_read_may_be_used_after_the_session(database: Database, account: AccountId):
    with database.read() as session:
        row = session.get_one(AccountRow, account)
    assert row.name == "acme"


def test_a_transaction_inside_a_transaction_is_an_error_not_a_standstill(database: Database):
    with (
        database.write(),
        pytest.raises(RuntimeError, match="inside a transaction"),
        database.write(),
    ):
        pass
    rows.an_account(database, "the next one works")


def test_a_row_of_an_unknown_account_is_refused(database: Database):
    with pytest.raises(IntegrityError):
        rows.a_connection(database, 987_654)


# The waker


def test_a_statement_that_fails_does_not_say_what_it_carried(database: Database):
    with database.write() as session:
        names = sa.text("INSERT INTO no_such_table VALUES (:name)")
        with pytest.raises(DBAPIError) as failed:
            session.execute(names, {"name": "ann@acme.test"})
        session.rollback()
    assert "no_such_table" in str(failed.value)
    assert "acme" not in str(failed.value) + repr(failed.value)


def test_the_engine_is_woken_after_the_commit_that_made_a_job_due(
    database: Database, account: AccountId
):
    seen: list[int] = []

    def listener() -> None:  # another connection: it sees what is committed, nothing else
        seen.append(len(rows.rows_of(database, jobs.JobRow)))

    database.waker.listen(listener)
    with database.write() as session:
        jobs.defer(session, rows.a_job(account), START)
        assert seen == []
    assert seen == [1]


def test_the_engine_is_not_woken_by_a_rollback_or_by_other_commits(
    database: Database, account: AccountId
):
    woken: list[str] = []
    database.waker.listen(lambda: woken.append("woken"))

    def defer_and_fail() -> None:
        with database.write() as session:
            jobs.defer(session, rows.a_job(account), START)
            raise LookupError

    with pytest.raises(LookupError):
        defer_and_fail()
    rows.an_account(database, "other")
    assert woken == []


def test_what_resumes_wakes_the_engine_too(database: Database, account: AccountId):
    rows.parked(database, rows.a_job(account), "kommo:down")
    woken: list[str] = []
    database.waker.listen(lambda: woken.append("woken"))
    with database.write() as session:
        jobs.resume(session, account, ["kommo:down"], START)
    assert woken == ["woken"]


def test_nobody_needs_to_listen(database: Database, account: AccountId):
    assert rows.defer(database, rows.a_job(account)) > 0


# Readers and writers at once


def test_a_reader_is_not_blocked_by_a_writer_and_sees_what_is_committed(
    database: Database, account: AccountId
):
    with database.write() as session:
        session.execute(sa.update(AccountRow).values(name="changed"))
        assert [row.name for row in rows.rows_of(database, AccountRow)] == ["acme"]
    assert [row.name for row in rows.rows_of(database, AccountRow)] == ["changed"]


def test_a_writer_is_not_blocked_by_a_reader(database: Database, account: AccountId):
    with database.read() as session:
        session.get_one(AccountRow, account)
        rows.an_account(database, "second")
    assert len(rows.rows_of(database, AccountRow)) == 2


def _count_up(database: Database, account_id: int) -> None:
    """Reads, then writes what it read: lost where two transactions overlap."""
    with database.write() as session:
        row = session.get_one(CounterRow, (account_id, "n"))
        row.next += 1


def test_threads_that_write_sqlite_at_once_lose_nothing(sqlite: Database):
    account_id = rows.an_account(sqlite)
    with sqlite.write() as session:
        session.add(CounterRow(account_id=account_id, name="n", next=0))
    rows.at_once(8, lambda _: [_count_up(sqlite, account_id) for _ in range(10)])
    assert rows.rows_of(sqlite, CounterRow)[0].next == 80


def test_two_processes_that_write_sqlite_at_once_lose_nothing(tmp_path: Path):
    """Each with an engine of its own: no lock of ours stands between them, SQLite's does."""
    url = f"sqlite:///{tmp_path}/two.db"
    with migrated(url) as one, opened(url) as other:
        account_id = rows.an_account(one)
        with one.write() as session:
            session.add(CounterRow(account_id=account_id, name="n", next=0))
        both = (one, other)
        rows.at_once(2, lambda i: [_count_up(both[i], account_id) for _ in range(20)])
        assert rows.rows_of(other, CounterRow)[0].next == 40


# SQLite as it must be


@pytest.mark.parametrize("way", ["read", "write"])
def test_sqlite_is_durable_and_strict_on_every_connection(sqlite: Database, way: str):
    with getattr(sqlite, way)() as session:
        pragmas = {
            name: session.scalar(sa.text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: an answered hook survives a power cut
        "foreign_keys": 1,
        "busy_timeout": 15_000,
    }


def test_a_sqlite_writer_takes_the_lock_before_it_reads(sqlite: Database):
    """BEGIN IMMEDIATE: a transaction that reads first can always go on to write."""
    path = sqlite.engine.url.database
    assert path is not None
    with sqlite.write() as session:
        session.scalar(sa.select(1))
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_the_folder_of_a_new_sqlite_database_is_made(tmp_path: Path):
    with migrated(f"sqlite:///{tmp_path}/var/deep/billhook.db") as database:
        rows.an_account(database)
    assert (tmp_path / "var/deep/billhook.db").stat().st_size > 0
