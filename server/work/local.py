"""The local engine: one process, APScheduler with its memory store, a pool of threads.

Losing its memory loses nothing: the rows say what is due. A commit wakes the dispatcher at once;
a date job stands for each waiting retry of the near future; a sweep every five seconds is the net.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from server.core.keys import JobId
from server.core.states import JobState
from server.flows import periodic
from server.flows.world import World
from server.store import jobs
from server.work.runner import Runner

log = structlog.get_logger()

THREADS = 16  # stories mostly wait for vendors: 60 deals over 10 accounts run side by side
SWEEP = 5  # seconds
# Seconds between two looks: in a burst one look serves many commits. Over a long line a look takes
# milliseconds; then it is so many times as long as the look took, a quarter second at most.
PAUSE, PAUSES, LONGEST_PAUSE = 0.01, 8, 0.25
DATE_JOBS = 200  # the nearest retries; later ones are met by the sweep that precedes them


class LocalEngine:
    def __init__(self, world: World, runner: Runner) -> None:
        self.world = world
        self.runner = runner
        self._wake = threading.Event()
        self._plan = threading.Event()  # the retries of the future may have changed
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="job")
        self._free = threading.Semaphore(THREADS)
        self._taken: set[JobId] = set()
        self._guard = threading.Lock()
        self._scheduled: dict[JobId, datetime] = {}  # the date jobs that stand
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)

    def start(self) -> None:
        """Only where this process holds the one-clock lock of the database."""
        self.runner.take_over()
        self.world.database.waker.listen(self._wake.set)
        self._scheduler.add_job(self._sweep, "interval", seconds=SWEEP)
        self._scheduler.start()
        self._plan.set()
        self._dispatcher.start()
        self._wake.set()

    def stop(self) -> None:
        """Jobs that run are finished, under their leases; nothing new begins."""
        self.world.database.waker.listen(None)
        self._stopping.set()
        self._wake.set()
        self._dispatcher.join()
        self._pool.shutdown(wait=True)
        self._scheduler.shutdown(wait=True)

    def _sweep(self) -> None:
        try:
            self.runner.renew_leases()
            self.runner.free_expired()
            self._plan.set()
            periodic.defer_due(self.world)
        finally:
            self._wake.set()

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            began = monotonic()
            try:
                self._submit_due()
                if self._plan.is_set():
                    self._plan.clear()
                    self._schedule_retries()
            except Exception:  # the line may not stop: the sweep comes again in five seconds
                log.exception("dispatch failed")
            pause = min(PAUSES * (monotonic() - began), LONGEST_PAUSE)
            self._stopping.wait(max(PAUSE, pause))

    def _submit_due(self) -> None:
        """As many as threads are free. Whoever ends a run has us look again, so that what comes
        meanwhile with a higher class goes first."""
        if len(self._taken) == THREADS:
            return
        ready = self.runner.due()
        with self._guard:
            ready = [job_id for job_id in ready if job_id not in self._taken]
        for job_id in ready:
            if self._stopping.is_set() or not self._free.acquire(blocking=False):
                return
            with self._guard:
                self._taken.add(job_id)
            self._pool.submit(self._run, job_id)

    def _run(self, job_id: JobId) -> None:
        well = False
        try:
            if self.runner.run(job_id) == JobState.RETRYING:
                self._plan.set()
            well = True
        except Exception:  # the pool would swallow it in silence
            log.exception("run failed", job=job_id)  # the lease expires, the job comes back
        finally:
            with self._guard:
                self._taken.discard(job_id)
            self._free.release()
            if well:  # else the sweep looks again: a database that fails is not asked without end
                self._wake.set()

    def _schedule_retries(self) -> None:
        now = self.world.clock.now()
        with self.world.database.read() as session:
            coming = jobs.next_due(session, now, DATE_JOBS)
        for job_id, due_at in coming:
            if self._scheduled.get(job_id) == due_at:
                continue
            # Measured from here, for the sandbox's clock may stand elsewhere than the machine's.
            at = datetime.now(UTC) + max(due_at - now, timedelta(0))
            name = f"job-{job_id}"
            self._scheduler.add_job(
                self._ring, "date", [job_id], run_date=at, id=name, replace_existing=True
            )
        self._scheduled = dict(coming)

    def _ring(self, job_id: JobId) -> None:
        self._scheduled.pop(job_id, None)  # where the clock has not come so far: once more
        self._wake.set()
