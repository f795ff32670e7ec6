"""Folding: one open job a subject, whatever arrives, for whenever, and whoever defers at once."""

from datetime import timedelta
from threading import Event

import pytest

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.store import jobs
from server.store.db import Database
from server.store.jobs import JobKind, JobRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish, job

LATER = START + timedelta(minutes=5)
OPEN_STATES = (JobState.WAITING, JobState.RETRYING, JobState.PARKED)


def _in_state(database: Database, account: int, state: JobState, **changes: object) -> int:
    """A job of deal 1 that has come to this state, with the payload {"first": 1}."""
    job_id = defer(database, a_job(account, first=1))
    if state != JobState.WAITING:
        assert claim(database, job_id)
    if state not in (JobState.WAITING, JobState.RUNNING):
        assert finish(database, job_id, state=state, due_at=START + timedelta(hours=1), **changes)
    assert job(database, job_id).state == state
    return job_id


@pytest.mark.parametrize("state", OPEN_STATES)
def test_what_arrives_folds_into_an_open_job_and_makes_it_due_now(
    database: Database, account: AccountId, state: JobState
):
    first = _in_state(database, account, state)
    assert defer(database, a_job(account, second=2), LATER) == first
    row = job(database, first)
    assert (row.state, row.due_at, row.attempts) == (JobState.WAITING, LATER, 0)
    assert row.payload == {"first": 1, "second": 2}
    assert len(rows.rows_of(database, JobRow)) == 1


def test_a_new_event_resets_the_attempts(database: Database, account: AccountId):
    first = _in_state(database, account, JobState.RETRYING, attempts=3)
    defer(database, a_job(account), LATER)
    assert job(database, first).attempts == 0


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.DONE, JobState.LEFT_OUT])
def test_what_arrives_during_or_after_a_run_leaves_a_waiting_job(
    database: Database, account: AccountId, state: JobState
):
    first = _in_state(database, account, state)
    second = defer(database, a_job(account), LATER)
    assert second != first
    assert job(database, first).state == state
    assert job(database, second).state == JobState.WAITING


def test_the_newer_value_of_a_payloads_key_counts(database: Database, account: AccountId):
    first = defer(database, a_job(account, responsible=7, kept="yes"))
    defer(database, a_job(account, responsible=8))
    assert job(database, first).payload == {"responsible": 8, "kept": "yes"}


def test_the_more_urgent_class_counts(database: Database, account: AccountId):
    first = defer(database, a_job(account, job_class=JobClass.SWEEP))
    defer(database, a_job(account, job_class=JobClass.CLICK))
    defer(database, a_job(account, job_class=JobClass.BACKFILL))
    assert job(database, first).job_class == JobClass.CLICK


def test_accounts_kinds_and_subjects_do_not_fold_into_each_other(
    database: Database, account: AccountId
):
    other = rows.an_account(database, "other")
    made = {
        defer(database, a_job(account)),
        defer(database, a_job(other)),
        defer(database, a_job(account, "deal:2")),
        defer(database, a_job(account, kind=JobKind.TELL_MANAGER)),
    }
    assert len(made) == 4


def test_a_job_for_later_does_not_put_off_one_that_is_due(database: Database, account: AccountId):
    first = defer(database, a_job(account))
    assert defer(database, a_job(account, due_at=LATER, second=2)) == first
    assert job(database, first).due_at == START
    assert job(database, first).payload == {"second": 2}


def test_the_earlier_of_two_later_times_counts(database: Database, account: AccountId):
    first = defer(database, a_job(account, due_at=LATER + timedelta(hours=1)))
    defer(database, a_job(account, due_at=LATER))
    assert job(database, first).due_at == LATER


def test_a_job_for_later_brings_a_parked_one_back_at_its_time(
    database: Database, account: AccountId
):
    first = rows.parked(database, a_job(account), "bug")
    assert defer(database, a_job(account, due_at=LATER)) == first
    row = job(database, first)
    assert (row.state, row.due_at, row.attempts) == (JobState.WAITING, LATER, 0)


def test_threads_that_defer_at_once_make_one_job_with_all_their_payloads(
    database: Database, account: AccountId
):
    ids = rows.at_once(8, lambda i: defer(database, a_job(account, **{f"k{i}": i})))
    assert len(set(ids)) == 1
    assert job(database, ids[0]).payload == {f"k{i}": i for i in range(8)}


def test_who_loses_the_race_for_a_new_job_folds_into_the_winners(postgres: Database):
    """The second looks before the first commits, and meets the unique index."""
    account = rows.an_account(postgres)

    def second(i: int) -> int | None:
        if i == 0:
            with postgres.write() as session:
                first = jobs.defer(session, a_job(account, first=1), START)
                session.flush()
                begun.set()
                rows.until(lambda: rows.someone_waits_for_a_lock(postgres))
            return first
        assert begun.wait(rows.BOUND)
        return defer(postgres, a_job(account, second=2))

    begun = Event()
    first_id, second_id = rows.at_once(2, second)
    assert first_id == second_id
    assert job(postgres, second_id).payload == {"first": 1, "second": 2}


def test_deferring_while_others_claim_and_finish_never_fails_and_loses_nothing(
    database: Database, account: AccountId
):
    def busy(i: int) -> None:
        for n in range(12):
            if i < 3:
                defer(database, a_job(account, **{f"k{i}": n}))
            else:
                _run_whatever_is_due(database, f"runner{i}")

    rows.at_once(6, busy)
    _run_whatever_is_due(database, "last")
    finished = rows.rows_of(database, JobRow)
    assert {row.state for row in finished} == {JobState.DONE}
    last_seen = {key: value for row in finished for key, value in row.payload.items()}
    assert last_seen == {"k0": 11, "k1": 11, "k2": 11}


def _run_whatever_is_due(database: Database, owner: str) -> None:
    with database.read() as session:
        due = jobs.due(session, START, 10)
    for job_id in due:
        if claim(database, job_id, owner):
            assert finish(database, job_id, owner)


def test_who_has_seen_none_open_still_meets_the_one_that_came_meanwhile(
    database: Database, account: AccountId
):
    open_one = defer(database, a_job(account, replay=True))
    with database.write() as session:
        assert jobs.defer(session, a_job(account, way="hook"), START, none_seen=True) == open_one
        assert jobs.defer(session, a_job(account, "deal:2"), START, none_seen=True) != open_one
    assert job(database, open_one).payload == {"replay": True, "way": "hook"}
