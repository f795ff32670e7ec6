"""Which jobs are due, in which order, and when the next ones are."""

from datetime import timedelta

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.store import jobs
from server.store.db import Database
from server.store.jobs import JobKind
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish, job

LATER = START + timedelta(minutes=5)


def _due(database: Database, at: object = START, most: int = 100) -> list[int]:
    with database.read() as session:
        return [int(i) for i in jobs.due(session, at, most)]  # type: ignore[arg-type]


def test_jobs_are_due_by_class_then_by_age(database: Database):
    made = {
        name: defer(
            database,
            a_job(rows.an_account(database, name), job_class=job_class, due_at=due_at),
        )
        for name, job_class, due_at in (
            ("backfill", JobClass.BACKFILL, START - timedelta(hours=1)),
            ("young hook", JobClass.HOOK, START),
            ("old hook", JobClass.HOOK, START - timedelta(minutes=1)),
            ("same age", JobClass.HOOK, START),
            ("click", JobClass.CLICK, START),
        )
    }
    order = ["click", "old hook", "young hook", "same age", "backfill"]
    assert _due(database) == [made[name] for name in order]
    assert _due(database, most=2) == [made["click"], made["old hook"]]


def test_at_most_two_of_an_account_run_at_once_and_another_is_not_held_up(
    database: Database, account: AccountId
):
    first, second, third = (defer(database, a_job(account, f"deal:{n}")) for n in range(3))
    other = defer(database, a_job(rows.an_account(database, "other")))
    assert _due(database) == [first, second, other]
    assert claim(database, first)
    assert _due(database) == [second, other]
    assert claim(database, second)
    assert _due(database) == [other]
    assert finish(database, first)
    assert _due(database) == [third, other]


def test_only_waiting_and_retrying_jobs_whose_time_has_come_are_due(database: Database):
    for n, state in enumerate(JobState):
        account = rows.an_account(database, f"account{n}")
        job_id = defer(database, a_job(account))
        if state != JobState.WAITING:
            claim(database, job_id)
        if state not in (JobState.WAITING, JobState.RUNNING):
            finish(database, job_id, state=state, due_at=START)
    defer(database, a_job(rows.an_account(database, "later"), due_at=LATER))
    states = [job(database, job_id).state for job_id in _due(database)]
    assert sorted(states) == [JobState.RETRYING, JobState.WAITING]
    assert len(_due(database, LATER)) == 3


def test_a_subject_that_runs_is_not_due_in_another_kind(database: Database, account: AccountId):
    running = defer(database, a_job(account))
    told = defer(database, a_job(account, kind=JobKind.TELL_MANAGER))
    elsewhere = defer(database, a_job(rows.an_account(database, "other")))
    assert claim(database, running)
    assert _due(database) == [elsewhere]
    assert finish(database, running)
    assert _due(database) == [told, elsewhere]


def test_the_future_is_told_in_its_order(database: Database, account: AccountId):
    far = defer(database, a_job(account, "deal:1", due_at=LATER + timedelta(hours=1)))
    near = defer(database, a_job(account, "deal:2", due_at=LATER))
    defer(database, a_job(account, "deal:3"))  # due now: not the future
    rows.parked(database, a_job(account, "deal:4"))
    with database.read() as session:
        assert jobs.next_due(session, START, 10) == [
            (near, LATER),
            (far, LATER + timedelta(hours=1)),
        ]
        assert jobs.next_due(session, START, 1) == [(near, LATER)]
