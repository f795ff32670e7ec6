"""Recorded calls, pauses, caches, running numbers and periodic slots."""

from datetime import datetime, timedelta

from server.core.keys import AccountId
from server.store import calls, counters, slots
from server.store.calls import CallRow
from server.store.db import Database
from server.store.slots import SlotRow
from tests.fixed_clock import START
from tests.store import rows

HOUR = timedelta(hours=1)


# Calls


def _note(database: Database, account: int, at: datetime = START) -> None:
    with database.write() as session:
        made = {
            "account_id": account,
            "job_id": None,
            "vendor": "kommo",
            "method": "GET",
            "path": "/api/v4/leads/7",
            "status": 200,
            "outcome": "answered",
            "started_at": at,
            "duration_ms": 12,
            "request_id": "r-1",
        }
        calls.note(session, [made])


def test_a_call_is_kept_and_forgotten_in_batches(database: Database, account: AccountId):
    for age in (3, 2, 1, 0):
        _note(database, account, START - age * HOUR)

    def forget() -> int:
        with database.write() as session:
            return calls.forget_before(session, START, 2)

    assert [forget(), forget(), forget()] == [2, 1, 0]
    (left,) = rows.rows_of(database, CallRow)
    assert (left.path, left.status, left.started_at) == ("/api/v4/leads/7", 200, START)


# Pauses


def _pause(database: Database, account: int, until: object, vendor: str = "kommo") -> None:
    with database.write() as session:
        calls.pause(session, account, vendor, until)  # type: ignore[arg-type]


def _paused(database: Database, account: int, vendor: str = "kommo") -> object:
    with database.read() as session:
        return calls.paused_until(session, account, vendor)


def test_a_pause_is_of_one_account_at_one_vendor(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    _pause(database, account, START + HOUR)
    assert _paused(database, account) == START + HOUR
    assert _paused(database, account, "freshbooks") is None
    assert _paused(database, second) is None


def test_the_longer_pause_counts(database: Database, account: AccountId):
    _pause(database, account, START + 2 * HOUR)
    _pause(database, account, START + HOUR)
    assert _paused(database, account) == START + 2 * HOUR
    _pause(database, account, START + 3 * HOUR)
    assert _paused(database, account) == START + 3 * HOUR


def test_threads_that_pause_at_once_leave_the_longest(database: Database, account: AccountId):
    rows.at_once(6, lambda i: _pause(database, account, START + i * HOUR))
    assert _paused(database, account) == START + 5 * HOUR


# Caches


def _cache(database: Database, account: int, value: object, at: object = START) -> None:
    with database.write() as session:
        calls.cache(session, account, "fields", value, at)  # type: ignore[arg-type]


def _cached(database: Database, account: int, newer_than: object = START - HOUR) -> object:
    with database.read() as session:
        return calls.cached(session, account, "fields", newer_than)  # type: ignore[arg-type]


def test_a_cache_is_used_while_it_is_young(database: Database, account: AccountId):
    assert _cached(database, account) is None
    _cache(database, account, {"LINK": 11})
    assert _cached(database, account) == {"LINK": 11}
    assert _cached(database, account, START) is None
    _cache(database, account, {"LINK": 12}, START + HOUR)
    assert _cached(database, account, START) == {"LINK": 12}


def test_a_cache_is_dropped_by_name_or_whole_for_its_account(
    database: Database, account: AccountId
):
    second = rows.an_account(database, "second")

    def drop(name: str | None) -> None:
        with database.write() as session:
            calls.drop_cache(session, account, name)

    for one in (account, second):
        _cache(database, one, {"a": 1})
    drop("stages")
    assert _cached(database, account) == {"a": 1}
    drop("fields")
    assert _cached(database, account) is None
    _cache(database, account, {"a": 2})
    drop(None)
    assert _cached(database, account) is None
    assert _cached(database, second) == {"a": 1}


def test_runs_that_learn_the_same_at_once_do_not_fail(database: Database, account: AccountId):
    rows.at_once(6, lambda _: _cache(database, account, {"LINK": 11}))
    assert _cached(database, account) == {"LINK": 11}


# Running numbers


def _take(database: Database, account: int, name: str = "invoice:", at_least: int = 1) -> int:
    with database.write() as session:
        return counters.take(session, account, name, at_least)


def test_numbers_run_by_account_and_name_and_never_below_what_is_asked(
    database: Database, account: AccountId
):
    second = rows.an_account(database, "second")
    assert [_take(database, account) for _ in range(3)] == [1, 2, 3]
    assert _take(database, account, at_least=100) == 100
    assert _take(database, account) == 101
    assert _take(database, account, "credit:") == 1
    assert _take(database, second) == 1


def test_threads_never_get_the_same_number(database: Database, account: AccountId):
    taken = rows.at_once(6, lambda _: [_take(database, account) for _ in range(5)])
    assert sorted(number for each in taken for number in each) == list(range(1, 31))


def test_a_number_whose_commit_failed_is_free_again(database: Database, account: AccountId):
    with database.read() as session:  # never commits
        assert counters.take(session, account, "invoice:", 1) == 1
    assert _take(database, account) == 1


# Slots


def _slot(database: Database, now: object = START, name: str = "sweep") -> bool:
    with database.write() as session:
        return slots.take(session, name, HOUR, now)  # type: ignore[arg-type]


def _due(database: Database, now: object = START) -> bool:
    with database.read() as session:
        return slots.due(session, "sweep", HOUR, now)  # type: ignore[arg-type]


def test_a_stretch_of_time_is_taken_once(database: Database):
    assert _due(database)
    assert _slot(database)
    assert not _due(database)
    assert not _slot(database, START + HOUR - timedelta(microseconds=1))
    assert _slot(database, START + HOUR)


def test_periodic_works_have_stretches_of_their_own(database: Database):
    assert _slot(database)
    assert _slot(database, name="ensure")


def test_of_threads_that_take_a_stretch_at_once_one_has_it(database: Database):
    assert sum(rows.at_once(6, lambda _: _slot(database))) == 1
    assert sum(rows.at_once(6, lambda _: _slot(database, START + HOUR))) == 1


def test_who_loses_a_stretch_may_go_on_in_its_transaction(database: Database):
    _slot(database)
    with database.write() as session:
        assert not slots.take(session, "sweep", HOUR, START)
        assert slots.take(session, "ensure", HOUR, START)
    assert len(rows.rows_of(database, SlotRow)) == 2


def test_old_stretches_are_forgotten(database: Database):
    _slot(database)
    _slot(database, START + HOUR)
    with database.write() as session:
        assert slots.forget_before(session, START + HOUR) == 1
    assert len(rows.rows_of(database, SlotRow)) == 1
