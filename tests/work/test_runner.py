"""What a run keeps for the next try, and in which order a runner drains what is due."""

from datetime import timedelta

import pytest

from server.core.errors import TryLater
from server.core.keys import AccountId, JobId
from server.core.states import JobClass, JobState
from server.flows.run import Run
from server.flows.world import World
from server.store import jobs
from server.store.calls import CallRow
from server.store.jobs import JobKind, JobRow
from server.work import runner as runner_module
from server.work.runner import Runner
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.rows import a_job, defer, job
from tests.work.small_stories import a_call, run_once, runner_of


def test_what_a_run_remembers_stands_on_its_job_for_the_next_try(
    world: World, account: AccountId, clock: FixedClock
):
    job_id = defer(world.database, a_job(account, deal=7))

    def story(run: Run) -> str:
        if "responsible" in run.memory:
            return f"remembered {run.memory['responsible']}"
        run.remember(responsible=31)
        raise TryLater("kommo:busy", "Kommo is busy.", burns=False)

    assert run_once(world, story, job_id).payload == {"deal": 7, "responsible": 31}
    clock.advance(minutes=1)
    assert run_once(world, story, job_id).said == "remembered 31"


def test_calls_ride_in_the_commit_of_the_next_phase(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account))

    def story(run: Run) -> str:
        run.record(a_call(world))
        assert rows.rows_of(world.database, CallRow) == []
        with run.phase():
            pass
        assert len(rows.rows_of(world.database, CallRow)) == 1
        run.record(a_call(world))
        return "done"

    run_once(world, story, job_id)
    kept = rows.rows_of(world.database, CallRow)
    assert [(call.job_id, call.account_id, call.path) for call in kept] == [
        (job_id, account, "/api/v4/leads/7")
    ] * 2


def test_the_calls_of_a_try_that_failed_are_kept(world: World, account: AccountId):
    def story(run: Run) -> str:
        run.record(a_call(world))
        raise TryLater("kommo:down", "Kommo did not answer.")

    run_once(world, story, defer(world.database, a_job(account)))
    assert len(rows.rows_of(world.database, CallRow)) == 1


def test_calls_before_an_account_is_known_are_not_kept(world: World):
    job_id = defer(world.database, a_job(None, "ticket:1", JobKind.WELCOME))

    def story(run: Run) -> str:
        run.record(a_call(world))
        return "done"

    Runner(world, {JobKind.WELCOME: story}).run(JobId(job_id))
    assert job(world.database, job_id).state == JobState.DONE
    assert rows.rows_of(world.database, CallRow) == []


def test_what_arrives_during_a_run_is_run_afterwards(world: World, account: AccountId):
    ran: list[object] = []

    def story(run: Run) -> str:
        ran.append(run.memory.get("n"))
        if len(ran) == 1:
            defer(world.database, a_job(account, n=2))
        return "done"

    defer(world.database, a_job(account, n=1))
    assert runner_of(world, story).drain() == 2
    assert ran == [1, 2]


def test_draining_runs_what_is_due_and_what_that_makes_due(world: World, account: AccountId):
    def story(run: Run) -> str:
        n = int(run.memory["n"])
        if n:
            defer(world.database, a_job(account, f"deal:{n}", n=n - 1))
        return "done"

    defer(world.database, a_job(account, "deal:first", n=4))
    defer(world.database, a_job(account, "deal:future", due_at=START + timedelta(hours=1)))
    assert runner_of(world, story).drain() == 5
    states = [row.state for row in rows.rows_of(world.database, JobRow)]
    assert (states.count(JobState.DONE), states.count(JobState.WAITING)) == (5, 1)


def test_draining_an_empty_database_runs_nothing(world: World):
    assert Runner(world).drain() == 0


def test_jobs_that_make_jobs_without_end_are_noticed(
    world: World, account: AccountId, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runner_module, "DRAIN_ROUNDS", 10)

    def story(run: Run) -> str:
        defer(world.database, a_job(account))
        return "again"

    defer(world.database, a_job(account))
    with pytest.raises(RuntimeError, match="without end"):
        runner_of(world, story).drain()


def test_urgent_work_goes_first(world: World):
    order: list[str] = []
    for n, job_class in enumerate(reversed(JobClass)):
        account = rows.an_account(world.database, f"a{n}")
        defer(world.database, a_job(account, job_class.name, job_class=job_class))
    runner_of(world, lambda run: str(order.append(run.job.subject))).drain()
    assert order == [job_class.name for job_class in JobClass]
    assert timedelta(seconds=5) < jobs.LEASE  # the engine renews every five
