"""The local engine is woken by commits, by due times and by starts, never by luck."""

import threading
from datetime import datetime, timedelta

import pytest

from server.core.errors import TryLater
from server.core.keys import AccountId
from server.core.states import JobState
from server.flows.run import Run
from server.flows.world import World
from server.store.jobs import LEASE, JobKind
from server.work import local
from tests.store import rows
from tests.store.rows import BOUND, a_job, job, until
from tests.work.local.conftest import Held, Story, defer, running, state


def test_a_deferred_job_runs_at_once_without_waiting_for_a_tick(world: World, account: AccountId):
    story = Story()
    with running(world, story):
        for n in range(3):
            job_id = defer(world, a_job(account, f"deal:{n}"))
            until(lambda job_id=job_id: state(world, job_id) == JobState.DONE)  # type: ignore[misc]
    assert story.ran == ["deal:0", "deal:1", "deal:2"]


def test_what_waited_before_the_start_runs(world: World, account: AccountId):
    job_id = defer(world, a_job(account))
    with running(world, Story()):
        until(lambda: state(world, job_id) == JobState.DONE)


def test_a_job_that_a_job_defers_runs_at_once_too(world: World, account: AccountId):
    def work(run: Run) -> str:
        if run.job.subject == "deal:1":
            with run.phase() as session:
                rows.jobs.defer(session, a_job(account, "deal:2"), run.now())
        return "done"

    story = Story(work)
    with running(world, story):
        defer(world, a_job(account, "deal:1"))
        story.wait_for("deal:1", "deal:2")


def test_what_arrives_for_a_subject_that_runs_follows_when_it_ends(
    world: World, account: AccountId
):
    held = Held()
    story = Story(held)
    with running(world, story):
        defer(world, a_job(account))
        assert held.has_begun()
        second = defer(world, a_job(account))
        told = defer(world, a_job(account, kind=JobKind.TELL_MANAGER))
        held.go_on()
        until(lambda: {state(world, second), state(world, told)} == {JobState.DONE})
    assert story.most_at_once == 1


def test_a_retry_comes_when_its_time_comes(world: World, account: AccountId):
    """By a date job of its own; the sweep is an hour away."""
    times: list[datetime] = []
    wait = timedelta(milliseconds=300)

    def work(run: Run) -> str:
        times.append(run.now())
        if len(times) == 1:
            raise TryLater("kommo:busy", "Kommo is busy.", after=wait, burns=False)
        return "done"

    with running(world, Story(work)):
        job_id = defer(world, a_job(account))
        until(lambda: state(world, job_id) == JobState.DONE)
    assert times[1] - times[0] >= wait


def test_retries_that_stood_before_the_start_are_scheduled_from_their_rows(
    world: World, account: AccountId
):
    due_at = world.clock.now() + timedelta(milliseconds=300)
    job_id = defer(world, a_job(account, due_at=due_at))
    times: list[datetime] = []
    with running(world, Story(lambda run: str(times.append(run.now())))):
        until(lambda: state(world, job_id) == JobState.DONE)
    assert times[0] >= due_at


def test_what_a_dead_process_held_runs_after_the_start(world: World, account: AccountId):
    job_id = defer(world, a_job(account))
    rows.claim(world.database, job_id, "dead", world.clock.now())
    with running(world, Story()):
        until(lambda: state(world, job_id) == JobState.DONE)


def test_the_sweep_is_the_net_for_what_no_commit_of_ours_told(
    world: World, account: AccountId, monkeypatch: pytest.MonkeyPatch
):
    """A command beside the server wrote the row, or a sandbox's clock was moved."""
    monkeypatch.setattr(local, "SWEEP", 0.1)
    with running(world, Story()):
        listener = world.database.waker
        listener.listen(None)
        job_id = defer(world, a_job(account))
        until(lambda: state(world, job_id) == JobState.DONE)


def test_the_sweep_renews_what_runs_and_frees_what_died(
    world: World, account: AccountId, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "SWEEP", 0.1)
    going, go_on = threading.Event(), threading.Event()

    def work(run: Run) -> str:
        if run.job.subject == "deal:slow":
            going.set()
            assert go_on.wait(BOUND)
        return "done"

    with running(world, Story(work)):
        slow = defer(world, a_job(account, "deal:slow"))
        assert going.wait(BOUND)
        first = job(world.database, slow).lease_until
        assert first is not None
        until(lambda: (job(world.database, slow).lease_until or first) > first)
        long_ago = world.clock.now() - LEASE - timedelta(seconds=1)
        with world.database.write() as session:  # no commit that wakes
            new = a_job(account, "deal:dead")
            dead = rows.jobs.defer(session, new, long_ago)
            assert rows.jobs.claim(session, dead, "dead", long_ago)
        until(lambda: state(world, dead) == JobState.DONE)
        go_on.set()
    assert state(world, slow) == JobState.DONE
