"""Jobs as one asks for them: by the cause that has gone, by whom they read, by account; and
those that are over are forgotten."""

from datetime import timedelta

from server.core.keys import AccountId
from server.core.states import JobState
from server.store import jobs
from server.store.db import Database
from server.store.jobs import JobKind, JobRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish, job

LATER = START + timedelta(minutes=5)


def test_what_waits_for_a_cause_resumes_with_fresh_attempts(database: Database, account: AccountId):
    stuck = rows.parked(database, a_job(account, "deal:1"), "freshbooks:down")
    retrying = defer(database, a_job(account, "deal:2"))
    claim(database, retrying)
    finish(
        database,
        retrying,
        state=JobState.RETRYING,
        cause="freshbooks:down",
        attempts=2,
        due_at=LATER,
    )
    with database.write() as session:
        assert jobs.resume(session, account, ["freshbooks:down"], START) == 2
    for job_id in (stuck, retrying):
        row = job(database, job_id)
        assert (row.state, row.due_at, row.attempts) == (JobState.WAITING, START, 0)


def test_other_causes_and_other_accounts_go_on_waiting(database: Database, account: AccountId):
    other = rows.an_account(database, "other")
    left = [
        rows.parked(database, a_job(account, "deal:1"), "problems"),
        rows.parked(database, a_job(account, "deal:2"), "kommo:down"),
        rows.parked(database, a_job(other), "freshbooks:down"),
    ]
    with database.write() as session:
        assert jobs.resume(session, account, ["freshbooks:down"], START) == 0
    assert {job(database, job_id).state for job_id in left} == {JobState.PARKED}


def test_parked_jobs_are_found_by_whom_they_read(database: Database, account: AccountId):
    party = ["contact:17", "company:3"]
    rows.parked(database, a_job(account, "deal:1", party=party))
    rows.parked(database, a_job(account, "deal:2", party=["contact:18"]))
    rows.parked(database, a_job(account, "deal:3"))
    defer(database, a_job(account, "deal:4", party=party))
    with database.read() as session:
        kind = JobKind.DEAL_TO_INVOICE
        assert jobs.parked_on(session, account, kind, "contact:17") == ["deal:1"]
        assert jobs.parked_on(session, account, kind, "contact:1") == []


def test_an_accounts_jobs_come_in_their_order_by_kind_where_asked(
    database: Database, account: AccountId
):
    first = defer(database, a_job(account))
    second = defer(database, a_job(account, kind=JobKind.TELL_MANAGER))
    defer(database, a_job(rows.an_account(database, "other")))
    with database.read() as session:
        assert [row.id for row in jobs.of_account(session, account)] == [first, second]
        told = jobs.of_account(session, account, JobKind.TELL_MANAGER)
        assert [row.id for row in told] == [second]
        assert jobs.get(session, 10**9) is None


def test_retention_takes_what_is_over_in_batches_and_nothing_else(
    database: Database, account: AccountId
):
    for n, state in enumerate(JobState):
        job_id = defer(database, a_job(account, f"deal:{n}"))
        if state != JobState.WAITING:
            claim(database, job_id)
        if state not in (JobState.WAITING, JobState.RUNNING):
            finish(database, job_id, state=state)
    young = defer(database, a_job(account, "deal:young"), LATER)
    claim(database, young, now=LATER)
    finish(database, young, now=LATER)

    def forget() -> int:
        with database.write() as session:
            return jobs.forget_before(session, LATER, 1)

    assert [forget(), forget(), forget()] == [1, 1, 0]
    left = sorted(row.state for row in rows.rows_of(database, JobRow))
    assert left == sorted(["done", "parked", "retrying", "running", "waiting"])
