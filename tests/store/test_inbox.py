"""The inbox keeps every request; an entering told twice is one entry; cursors go forwards."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from server.core.keys import AccountId
from server.store import inbox
from server.store.db import Database
from server.store.inbox import SAME_ENTRY, Entered, EntryRow, EventRow
from tests.fixed_clock import START
from tests.store import rows

HOOKED = Entered(deal_id=7, pipeline_id=3001, stage_id=142, at=START)
TOLD = replace(HOOKED, upstream_id="01abc", at=START + timedelta(seconds=2))


def _enter(database: Database, account: int, *entered: Entered) -> list[bool]:
    with database.write() as session:
        return [inbox.enter(session, account, one) for one in entered]


def _keep(database: Database, account: int, body: bytes = b"x", at: datetime = START) -> int:
    with database.write() as session:
        return inbox.keep(
            session,
            account_id=account,
            kind="kommo",
            headers={"Content-Type": "text/plain"},
            body=body,
            subjects=[["leads", "status", 7]],
            verdict="",
            received_at=at,
        )


# Entries


def test_the_same_entering_told_by_hook_and_by_event_is_one_entry_with_the_events_id(
    database: Database, account: AccountId
):
    assert _enter(database, account, HOOKED, TOLD) == [True, False]
    (entry,) = rows.rows_of(database, EntryRow)
    assert (entry.upstream_id, entry.at) == ("01abc", START)


def test_the_order_in_which_they_tell_does_not_matter(database: Database, account: AccountId):
    assert _enter(database, account, TOLD, HOOKED) == [True, False]
    assert [e.upstream_id for e in rows.rows_of(database, EntryRow)] == ["01abc"]


def test_a_hooks_repetition_is_no_new_entry(database: Database, account: AccountId):
    again = replace(HOOKED, at=START + timedelta(seconds=30))
    _enter(database, account, HOOKED, again)
    assert len(rows.rows_of(database, EntryRow)) == 1


def test_an_event_told_again_is_no_new_entry(database: Database, account: AccountId):
    assert _enter(database, account, TOLD, TOLD) == [True, False]
    far = replace(TOLD, at=START + timedelta(days=1))  # the id counts, not the time
    assert _enter(database, account, far) == [False]


def test_two_events_are_two_entries_however_near(database: Database, account: AccountId):
    other = replace(TOLD, upstream_id="01abd", at=TOLD.at + timedelta(seconds=5))
    assert _enter(database, account, TOLD, other) == [True, True]


@pytest.mark.parametrize("sign", [1, -1])
def test_two_minutes_part_one_entering_from_the_next(
    database: Database, account: AccountId, sign: int
):
    near = replace(TOLD, at=START + sign * SAME_ENTRY)
    far = replace(near, upstream_id="01abd", at=near.at + sign * timedelta(seconds=1))
    _enter(database, account, HOOKED, far, near)
    ids = [entry.upstream_id for entry in rows.rows_of(database, EntryRow)]
    assert ids == [near.upstream_id, far.upstream_id]


@pytest.mark.parametrize("other", [{"deal_id": 8}, {"stage_id": 143}, {"pipeline_id": 3002}])
def test_another_deal_or_place_is_another_entry(
    database: Database, account: AccountId, other: dict[str, int]
):
    assert _enter(database, account, HOOKED, replace(TOLD, **other)) == [True, True]


def test_accounts_have_entries_of_their_own(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert _enter(database, account, TOLD) == [True]
    assert _enter(database, second, TOLD) == [True]


def test_a_hook_keeps_the_event_row_that_proved_it(database: Database, account: AccountId):
    event_id = _keep(database, account)
    _enter(database, account, replace(HOOKED, event_id=event_id), TOLD)
    (entry,) = rows.rows_of(database, EntryRow)
    assert entry.event_id == event_id


def test_a_deals_entries_come_in_the_order_of_their_times(database: Database, account: AccountId):
    later = replace(HOOKED, stage_id=143, at=START + timedelta(hours=1))
    _enter(database, account, later, HOOKED, replace(HOOKED, deal_id=8))
    with database.read() as session:
        assert [e.stage_id for e in inbox.entries(session, account, 7)] == [142, 143]


def test_the_sweep_and_a_run_may_tell_of_one_entering_at_once(
    database: Database, account: AccountId
):
    """Both have read Kommo's list; the second to commit finds it known, and fails in nothing."""
    told = rows.at_once(6, lambda _: _enter(database, account, TOLD))
    assert sorted(told) == [[False]] * 5 + [[True]]
    _enter(database, account, replace(HOOKED, deal_id=9))
    same = replace(TOLD, deal_id=9, upstream_id="01abe")
    assert rows.at_once(6, lambda _: _enter(database, account, same)) == [[False]] * 6
    assert len(rows.rows_of(database, EntryRow)) == 2


# Events


def test_byte_identical_requests_are_two_events(database: Database, account: AccountId):
    first, second = _keep(database, account, b"same"), _keep(database, account, b"same")
    assert first != second
    assert len(rows.rows_of(database, EventRow)) == 2


def test_a_request_is_kept_byte_by_byte_as_it_came(database: Database, account: AccountId):
    raw = bytes(range(256)) + b"\xff\x00"
    _keep(database, account, raw)
    (event,) = rows.rows_of(database, EventRow)
    assert event.body == raw
    assert event.headers == {"Content-Type": "text/plain"}
    assert event.subjects == [["leads", "status", 7]]


def test_the_inbox_is_read_in_its_order_by_account_time_and_kind(
    database: Database, account: AccountId
):
    second = rows.an_account(database, "second")
    hour = timedelta(hours=1)
    ids = [_keep(database, account, at=START + n * hour) for n in range(4)]
    other = _keep(database, second)

    def read(account_id: int | None, **bounds: object) -> list[int]:
        with database.read() as session:
            found = inbox.events(session, account_id=account_id, **bounds)  # type: ignore[arg-type]
            return [event.id for event in found]

    assert read(None) == [*ids, other]
    assert read(account) == ids
    assert read(account, since=START + hour, until=START + 3 * hour) == ids[1:3]
    assert read(account, kinds=("freshbooks",)) == []
    assert read(account, kinds=("kommo", "freshbooks")) == ids


def test_retention_takes_old_events_in_batches_and_leaves_their_entries(
    database: Database, account: AccountId
):
    old = [_keep(database, account, at=START - timedelta(days=n)) for n in (3, 2, 1)]
    young = _keep(database, account)
    _enter(database, account, replace(HOOKED, event_id=old[0]))

    def forget() -> int:
        with database.write() as session:
            return inbox.forget_before(session, START, 2)

    assert [forget(), forget(), forget()] == [2, 1, 0]
    assert [event.id for event in rows.rows_of(database, EventRow)] == [young]
    (entry,) = rows.rows_of(database, EntryRow)
    assert (entry.deal_id, entry.event_id) == (7, None)


# Cursors


def test_a_cursor_only_goes_forwards(database: Database, account: AccountId):
    hour = timedelta(hours=1)
    for at, stands in ((START, START), (START + hour, START + hour), (START, START + hour)):
        with database.write() as session:
            inbox.move_cursor(session, account, "kommo:events", at)
        with database.read() as session:
            assert inbox.cursor(session, account, "kommo:events") == stands
            assert inbox.cursor(session, account, "other") is None
