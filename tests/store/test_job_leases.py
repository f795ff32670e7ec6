"""The row's lease alone excludes: one runner a job, one running job a subject, and a fence."""

from datetime import timedelta
from threading import Event
from typing import Any

from server.core.keys import AccountId
from server.core.states import JobState
from server.store import jobs, leases
from server.store.db import Database
from server.store.jobs import LEASE, JobKind
from server.store.leases import LONGEST, MOST_DEATHS
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish, job

AFTER_LEASE = START + LEASE
LATER = START + timedelta(minutes=5)


def _renew(database: Database, job_id: int, owner: str = "me", now: Any = START) -> bool:
    with database.write() as session:
        return jobs.renew(session, job_id, owner, now)


def _free_expired(database: Database, now: Any) -> None:
    with database.write() as session:
        leases.free_expired(session, now)


def _any_expired(database: Database, now: Any) -> bool:
    with database.read() as session:
        return leases.any_expired(session, now)


# Claiming


def test_a_claimed_job_runs_under_a_lease(database: Database, account: AccountId):
    job_id = defer(database, a_job(account, first=1))
    row = claim(database, job_id)
    assert row is not None
    assert (row.id, row.state, row.lease_owner) == (job_id, JobState.RUNNING, "me")
    assert row.lease_until == START + LEASE
    assert row.payload == {"first": 1}


def test_one_of_many_threads_claims_a_job(database: Database, account: AccountId):
    for n in range(5):
        job_id = defer(database, a_job(account, f"deal:{n}"))
        won = rows.at_once(8, lambda i, job_id=job_id: claim(database, job_id, f"r{i}"))  # type: ignore[misc]
        owners = [row.lease_owner for row in won if row is not None]
        assert owners == [job(database, job_id).lease_owner]


def test_one_job_of_a_subject_runs_over_all_kinds(database: Database, account: AccountId):
    kinds = list(JobKind)[:4]
    ids = [defer(database, a_job(account, kind=kind)) for kind in kinds]
    won = rows.at_once(4, lambda i: claim(database, ids[i], f"r{i}"))
    (running,) = [row for row in won if row is not None]
    assert finish(database, running.id, str(running.lease_owner))
    others = [job_id for job_id in ids if job_id != running.id]
    assert claim(database, others[0]) is not None


def test_the_same_subject_of_two_accounts_runs_twice(database: Database, account: AccountId):
    other = rows.an_account(database, "other")
    assert claim(database, defer(database, a_job(account)))
    assert claim(database, defer(database, a_job(other)))


def test_what_is_not_due_over_or_absent_cannot_be_claimed(database: Database, account: AccountId):
    future = defer(database, a_job(account, "deal:1", due_at=LATER))
    over = defer(database, a_job(account, "deal:2"))
    claim(database, over)
    finish(database, over)
    stuck = rows.parked(database, a_job(account, "deal:3"))
    assert [claim(database, job_id) for job_id in (future, over, stuck, 10**9)] == [None] * 4
    assert claim(database, future, now=LATER) is not None


# The fence


def test_the_holder_renews_its_lease(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    claim(database, job_id)
    assert _renew(database, job_id, now=LATER)
    assert job(database, job_id).lease_until == LATER + LEASE


def test_a_stranger_changes_nothing(database: Database, account: AccountId):
    job_id = defer(database, a_job(account, first=1))
    claim(database, job_id)
    before = job(database, job_id)
    assert not _renew(database, job_id, "stranger", LATER)
    assert not finish(database, job_id, "stranger", LATER, said="no", payload={})
    after = job(database, job_id)
    for column in ("state", "lease_owner", "lease_until", "said", "payload", "updated_at"):
        assert getattr(after, column) == getattr(before, column)


def test_who_was_overtaken_is_a_stranger(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    claim(database, job_id, "slow")
    _free_expired(database, AFTER_LEASE)
    assert not _renew(database, job_id, "slow", AFTER_LEASE)
    claim(database, job_id, "quick", AFTER_LEASE)
    assert not finish(database, job_id, "slow", AFTER_LEASE)
    assert finish(database, job_id, "quick", AFTER_LEASE)


def test_after_its_end_a_run_holds_nothing(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    claim(database, job_id)
    assert finish(database, job_id, said="made")
    row = job(database, job_id)
    assert (row.state, row.said, row.lease_owner, row.lease_until) == ("done", "made", None, None)
    assert not _renew(database, job_id)
    assert not finish(database, job_id, said="again")


# Runners that died


def test_a_lease_ends_at_its_time_and_not_before(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    claim(database, job_id)
    early = AFTER_LEASE - timedelta(microseconds=1)
    assert not _any_expired(database, early)
    _free_expired(database, early)
    assert job(database, job_id).state == JobState.RUNNING
    assert _any_expired(database, AFTER_LEASE)
    _free_expired(database, AFTER_LEASE)
    row = job(database, job_id)
    assert (row.state, row.due_at, row.lease_owner) == (JobState.WAITING, AFTER_LEASE, None)
    assert not _any_expired(database, AFTER_LEASE)


def test_a_dead_runners_job_folds_into_the_one_that_waits(database: Database, account: AccountId):
    job_id = defer(database, a_job(account, replay=True))
    claim(database, job_id)
    waiting = defer(database, a_job(account))
    _free_expired(database, AFTER_LEASE)
    assert job(database, job_id).state == JobState.DONE
    row = job(database, waiting)
    assert row.state == JobState.WAITING
    assert row.payload["replay"] is True


def _die(database: Database, job_id: int, times: int, now: Any = START) -> None:
    for _ in range(times):
        assert claim(database, job_id, now=now)
        now = now + LEASE
        _free_expired(database, now)


def test_a_job_that_took_its_process_with_it_too_often_is_parked(
    database: Database, account: AccountId
):
    job_id = defer(database, a_job(account))
    _die(database, job_id, MOST_DEATHS - 1)
    assert job(database, job_id).state == JobState.WAITING
    _die(database, job_id, 1, LATER)
    row = job(database, job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "bug")
    assert str(MOST_DEATHS) in row.said


def test_only_deaths_in_a_row_count(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    _die(database, job_id, MOST_DEATHS - 1)
    row = claim(database, job_id, now=LATER)
    assert row is not None
    retry = {"state": JobState.RETRYING, "due_at": LATER, "payload": dict(row.payload)}
    assert finish(database, job_id, now=LATER, **retry)
    _die(database, job_id, 1, LATER)
    assert job(database, job_id).state == JobState.WAITING


def test_who_renews_while_others_look_for_the_dead_keeps_its_job(postgres: Database):
    """The row is locked by the renewal: it is passed over, not taken from the living."""
    account = rows.an_account(postgres)
    job_id = defer(postgres, a_job(account))
    claim(postgres, job_id)
    renewed, looked = Event(), Event()

    def holder_or_sweeper(i: int) -> None:
        if i == 0:
            with postgres.write() as session:
                assert jobs.renew(session, job_id, "me", AFTER_LEASE)
                renewed.set()
                assert looked.wait(rows.BOUND)
        else:
            assert renewed.wait(rows.BOUND)
            _free_expired(postgres, AFTER_LEASE)
            looked.set()

    rows.at_once(2, holder_or_sweeper)
    assert job(postgres, job_id).lease_owner == "me"


# One process's leases


def test_a_process_renews_its_own_runs_and_no_others(database: Database, account: AccountId):
    mine = defer(database, a_job(account, "deal:1"))
    theirs = defer(database, a_job(account, "deal:2"))
    claim(database, mine, "proc1:run1")
    claim(database, theirs, "proc2:run1")
    soon = START + timedelta(seconds=5)
    with database.write() as session:
        leases.renew_of(session, "proc1", [mine, theirs], soon)
    assert job(database, mine).lease_until == soon + LEASE
    assert job(database, theirs).lease_until == START + LEASE


def test_a_run_that_hangs_is_renewed_for_ten_minutes_at_most(
    database: Database, account: AccountId
):
    job_id = defer(database, a_job(account))
    claim(database, job_id, "proc:run")

    def renewed(now: Any) -> bool:
        with database.write() as session:
            leases.renew_of(session, "proc", [job_id], now)
        return job(database, job_id).lease_until == now + LEASE

    assert renewed(START + LONGEST - timedelta(seconds=1))
    assert not renewed(START + LONGEST)


def test_an_owners_name_is_taken_letter_by_letter(database: Database, account: AccountId):
    job_id = defer(database, a_job(account))
    claim(database, job_id, "procX:run")
    with database.write() as session:
        leases.renew_of(session, "proc_", [job_id], LATER)
    assert job(database, job_id).lease_until == START + LEASE


def test_after_a_start_all_leases_are_free(database: Database, account: AccountId):
    running = [defer(database, a_job(account, f"deal:{n}")) for n in range(3)]
    for job_id in running:
        claim(database, job_id, f"dead{job_id}")
    with database.write() as session:
        leases.free_all(session, START)
    assert {job(database, job_id).state for job_id in running} == {JobState.WAITING}
    assert all(claim(database, job_id) for job_id in running)
