"""The local engine's threads: how many, what goes first, what goes wrong, and how they stop."""

import threading

import pytest
import sqlalchemy as sa
import structlog

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.flows.run import Run
from server.flows.world import World
from server.store.jobs import JobKind, JobRow
from server.work import local
from server.work.local import LocalEngine
from server.work.runner import Runner
from tests.store import rows
from tests.store.rows import BOUND, a_job, job, until
from tests.work.local.conftest import Held, Story, defer, running, state

BILL = JobKind.DEAL_TO_INVOICE


def test_more_jobs_than_threads_all_run(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "THREADS", 3)
    three = threading.Barrier(3)

    def work(run: Run) -> str:
        three.wait(BOUND)  # three run side by side each time, else this breaks
        return "done"

    story = Story(work)
    made = [
        defer(world, a_job(rows.an_account(world.database, f"a{n}"), f"deal:{n}"))
        for n in range(12)
    ]
    with running(world, story):
        until(lambda: {state(world, job_id) for job_id in made} == {JobState.DONE})
    assert story.most_at_once == 3
    assert len(story.ran) == 12


def test_a_click_that_comes_while_all_threads_are_busy_goes_next(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Not after everything that was due before it came."""
    monkeypatch.setattr(local, "THREADS", 1)
    held = Held()
    story = Story(held)
    for n in range(4):
        account = rows.an_account(world.database, f"a{n}")
        defer(world, a_job(account, f"old:{n}", job_class=JobClass.BACKFILL))
    with running(world, story):
        assert held.has_begun()
        defer(world, a_job(rows.an_account(world.database), "click", job_class=JobClass.CLICK))
        held.go_on()
        story.wait_for("click", *(f"old:{n}" for n in range(4)))
    assert story.ran.index("click") == 1


def test_a_dispatch_that_fails_does_not_stop_the_line(world: World, account: AccountId):
    def rename(old: str, new: str) -> None:
        with world.database.write() as session:
            session.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))

    with structlog.testing.capture_logs() as logs, running(world, Story()):
        rename("job", "job_away")
        try:
            world.database.waker.wake()
            until(lambda: any(entry["event"] == "dispatch failed" for entry in logs))
        finally:
            rename("job_away", "job")
        job_id = defer(world, a_job(account))
        until(lambda: state(world, job_id) == JobState.DONE)


def test_a_bug_in_one_job_leaves_the_others_running(world: World, account: AccountId):
    def work(run: Run) -> str:
        return str(1 // int(run.job.subject.removeprefix("deal:")))

    with running(world, Story(work)):
        made = [defer(world, a_job(account, f"deal:{n}")) for n in range(4)]
        until(lambda: JobState.WAITING not in {state(world, job_id) for job_id in made})
    states = [state(world, job_id) for job_id in made]
    assert states == [JobState.PARKED, JobState.DONE, JobState.DONE, JobState.DONE]


def test_stopping_finishes_what_runs_and_begins_nothing_new(
    world: World, account: AccountId, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "THREADS", 1)
    held = Held()
    story = Story(held)
    engine = LocalEngine(world, Runner(world, {BILL: story}))
    engine.start()
    first = defer(world, a_job(account, "deal:1"))
    second = defer(world, a_job(account, "deal:2"))
    assert held.has_begun()
    stopping = threading.Thread(target=engine.stop)
    stopping.start()
    until(lambda: not any(thread.name == "dispatch" for thread in threading.enumerate()))
    held.go_on()
    stopping.join(BOUND)
    assert not stopping.is_alive()
    assert job(world.database, first).said == "finished"
    assert state(world, second) == JobState.WAITING
    assert story.ran == ["deal:1"]


def test_after_a_stop_the_next_engine_takes_the_rest(world: World, account: AccountId):
    with running(world, Story()):
        pass
    job_id = defer(world, a_job(account))  # nobody listens any more
    assert state(world, job_id) == JobState.WAITING
    with running(world, Story()):
        until(lambda: state(world, job_id) == JobState.DONE)
    assert [row.state for row in rows.rows_of(world.database, JobRow)] == [JobState.DONE]


def test_a_stopped_engine_leaves_no_thread_behind(world: World, account: AccountId):
    before = set(threading.enumerate())
    with running(world, Story()):
        job_id = defer(world, a_job(account))
        until(lambda: state(world, job_id) == JobState.DONE)
    assert set(threading.enumerate()) <= before
