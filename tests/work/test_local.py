"""The local engine over real rows: woken by commits, by due times and by starts, never by luck.

The sweep, which would hide a wake that was forgotten, is put off unless a test is about it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from server.core.clock import SystemClock
from server.core.errors import TryLater
from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.flows.run import Run
from server.flows.world import World
from server.store.db import Database
from server.store.jobs import LEASE, JobKind, JobRow
from server.work import local
from server.work.local import LocalEngine
from server.work.runner import Runner
from server.work.table import Handler
from tests.store import rows
from tests.store.rows import BOUND, a_job, job, until
from tests.work.worlds import a_world

BILL = JobKind.DEAL_TO_INVOICE


@pytest.fixture(autouse=True)
def _no_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SWEEP", 3600)


@pytest.fixture
def world(database: Database) -> World:
    """On the machine's own clock: what is due later comes later."""
    return a_world(database, SystemClock())


@contextmanager
def running(world: World, story: Handler) -> Iterator[LocalEngine]:
    """The engine, started, with every job of the test told by ``story``; stopped at the end."""
    engine = LocalEngine(world, Runner(world, {kind: story for kind in JobKind}))
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


class Story:
    """Notes each run; lets a test wait for it, or hold it."""

    def __init__(self, work: Callable[[Run], str] = lambda run: "done") -> None:
        self._work = work
        self._lock = threading.Lock()
        self.ran: list[str] = []
        self.at_once = self.most_at_once = 0

    def __call__(self, run: Run) -> str:
        with self._lock:
            self.ran.append(run.job.subject)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return self._work(run)
        finally:
            with self._lock:
                self.at_once -= 1

    def wait_for(self, *subjects: str) -> None:
        until(lambda: set(subjects) <= set(self.ran))


def defer(world: World, new: Any) -> int:
    return rows.defer(world.database, new, world.clock.now())


def state(world: World, job_id: int) -> str:
    return job(world.database, job_id).state


# What wakes it


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
    going, go_on = threading.Event(), threading.Event()

    def work(run: Run) -> str:
        going.set()
        assert go_on.wait(BOUND)
        return "done"

    story = Story(work)
    with running(world, story):
        defer(world, a_job(account))
        assert going.wait(BOUND)
        second = defer(world, a_job(account))
        told = defer(world, a_job(account, kind=JobKind.TELL_MANAGER))
        go_on.set()
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


# The sweep


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


# Threads


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
    going, go_on = threading.Event(), threading.Event()

    def work(run: Run) -> str:
        going.set()
        assert go_on.wait(BOUND)
        return "done"

    story = Story(work)
    for n in range(4):
        account = rows.an_account(world.database, f"a{n}")
        defer(world, a_job(account, f"old:{n}", job_class=JobClass.BACKFILL))
    with running(world, story):
        assert going.wait(BOUND)
        defer(world, a_job(rows.an_account(world.database), "click", job_class=JobClass.CLICK))
        go_on.set()
        story.wait_for("click", *(f"old:{n}" for n in range(4)))
    assert story.ran.index("click") == 1


# What goes wrong


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


# Stopping


def test_stopping_finishes_what_runs_and_begins_nothing_new(
    world: World, account: AccountId, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(local, "THREADS", 1)
    going, go_on = threading.Event(), threading.Event()

    def work(run: Run) -> str:
        going.set()
        assert go_on.wait(BOUND)
        return "finished"

    story = Story(work)
    engine = LocalEngine(world, Runner(world, {BILL: story}))
    engine.start()
    first = defer(world, a_job(account, "deal:1"))
    second = defer(world, a_job(account, "deal:2"))
    assert going.wait(BOUND)
    stopping = threading.Thread(target=engine.stop)
    stopping.start()
    until(lambda: not any(thread.name == "dispatch" for thread in threading.enumerate()))
    go_on.set()
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
