"""The local engine, started over real rows, and stories that note when they ran.

The sweep, which would hide a wake that was forgotten, is put off unless a test is about it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.core.clock import SystemClock
from server.flows.run import Run
from server.flows.world import World
from server.store.db import Database
from server.store.jobs import JobKind
from server.work import local
from server.work.local import LocalEngine
from server.work.runner import Runner
from server.work.table import Handler
from tests.store import rows
from tests.store.rows import BOUND, job, until
from tests.work.worlds import a_world


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


class Held:
    """The work of a story that stands still until the test lets it go on."""

    def __init__(self) -> None:
        self._going, self._go_on = threading.Event(), threading.Event()

    def __call__(self, run: Run) -> str:
        self._going.set()
        assert self._go_on.wait(BOUND)
        return "finished"

    def has_begun(self) -> bool:
        return self._going.wait(BOUND)

    def go_on(self) -> None:
        self._go_on.set()


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
