"""A run holds its job by a lease: what lengthens it, who takes over from the dead, and how
a run that was overtaken ends."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from server.core.errors import NotOurs
from server.core.keys import AccountId, JobId
from server.core.states import JobState
from server.flows.run import LostLease, Run
from server.flows.world import World
from server.store.accounts import AccountRow
from server.store.calls import CallRow
from server.store.jobs import LEASE, JobRow
from server.store.leases import MOST_DEATHS
from server.work.runner import Runner
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.rows import a_job, defer, job
from tests.work.small_stories import BILL, TELL, a_call, raising, run_once, runner_of


def _overtaken(world: World, clock: FixedClock) -> Callable[[Run], None]:
    """Time passes as if this runner had hung, and another takes the job over."""

    def overtake(run: Run) -> None:
        clock.advance(LEASE)
        other = Runner(world, {BILL: lambda _: "by the other"})
        other.free_expired()
        assert other.run(JobId(run.job.id)) == JobState.DONE

    return overtake


def test_an_overtaken_run_cannot_commit_another_phase(
    world: World, account: AccountId, clock: FixedClock
):
    overtake = _overtaken(world, clock)
    written: list[str] = []

    def story(run: Run) -> str:
        overtake(run)
        with run.phase() as session:
            session.add(AccountRow(name="written", created_at=START))
            written.append("reached")
        return "by the first"

    job_id = defer(world.database, a_job(account))
    assert runner_of(world, story).run(JobId(job_id)) is None
    assert job(world.database, job_id).said == "by the other"
    assert written == []


@pytest.mark.parametrize("ending", [NotOurs("no"), ZeroDivisionError(), None])
def test_an_overtaken_run_ends_silently_whatever_came_of_it(
    world: World, account: AccountId, clock: FixedClock, ending: Exception | None
):
    overtake = _overtaken(world, clock)

    def story(run: Run) -> str:
        overtake(run)
        run.record(a_call(world))
        if ending:
            raise ending
        return "by the first"

    job_id = defer(world.database, a_job(account))
    assert runner_of(world, story).run(JobId(job_id)) is None
    assert job(world.database, job_id).said == "by the other"
    assert len(rows.rows_of(world.database, JobRow)) == 1
    assert rows.rows_of(world.database, CallRow) == []


def test_a_phase_lengthens_the_lease(world: World, account: AccountId, clock: FixedClock):
    def story(run: Run) -> str:
        for _ in range(5):
            clock.advance(LEASE - timedelta(seconds=1))
            with run.phase():
                pass
            Runner(world).free_expired()
        return "mine all the time"

    row = run_once(world, story, defer(world.database, a_job(account)))
    assert row.said == "mine all the time"


def test_a_long_call_keeps_its_lease_by_the_engines_renewal(
    world: World, account: AccountId, clock: FixedClock
):
    def story(run: Run) -> str:
        for _ in range(6):
            clock.advance(seconds=5)
            runner.renew_leases()
            Runner(world).free_expired()
        return "mine all the time"

    runner = runner_of(world, story)
    assert runner.run(JobId(defer(world.database, a_job(account)))) == JobState.DONE
    assert runner.running == set()
    runner.renew_leases()  # nothing runs: nothing to do


def test_a_story_may_end_itself_when_it_lost_its_lease(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account))
    assert runner_of(world, raising(LostLease())).run(JobId(job_id)) is None
    assert job(world.database, job_id).state == JobState.RUNNING  # as whoever has it left it


def test_two_runners_share_the_jobs_and_run_none_twice(world: World):
    ran: list[int] = []
    accounts = [rows.an_account(world.database, f"a{n}") for n in range(6)]
    made = [defer(world.database, a_job(account)) for account in accounts]

    def story(run: Run) -> str:
        ran.append(run.job.id)
        return "done"

    rows.at_once(3, lambda _: runner_of(world, story).drain())
    assert sorted(ran) == made


def test_a_job_that_kills_its_process_each_time_is_parked_and_a_person_is_told(
    world: World, account: AccountId, clock: FixedClock
):
    job_id = defer(world.database, a_job(account, "deal:7"))
    runner = runner_of(world, lambda run: "never reached")
    for _ in range(MOST_DEATHS):
        assert rows.claim(world.database, job_id, "dead", clock.now())
        clock.advance(LEASE)
        runner.free_expired()
    assert job(world.database, job_id).state == JobState.PARKED
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert told.payload["deal"] == "7"
    assert told.payload["for_job"] == job_id


def test_taking_over_frees_what_the_dead_held_without_waiting(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account))
    rows.claim(world.database, job_id, "dead")
    runner = runner_of(world, lambda run: "done")
    assert runner.due() == []
    runner.take_over()
    assert runner.due() == [job_id]
    assert runner.run(JobId(job_id)) == JobState.DONE
