"""The local engine: one process, APScheduler with its memory store, a pool of threads.

Losing its memory loses nothing: the rows say what is due. A commit wakes the dispatcher at once;
a date job stands for each waiting retry of the near future; a sweep every five seconds is the net.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from server.core.keys import JobId
from server.flows import periodic
from server.flows.world import World
from server.store import jobs
from server.work.runner import Runner

log = structlog.get_logger()

THREADS = 16  # stories mostly wait for vendors: 60 deals over 10 accounts run side by side
SWEEP = 5  # seconds
DATE_JOBS = 200  # the nearest retries; later ones are met by the sweep that precedes them


class LocalEngine:
    def __init__(self, world: World, runner: Runner) -> None:
        self.world = world
        self.runner = runner
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="job")
        self._free = threading.Semaphore(THREADS)
        self._taken: set[JobId] = set()
        self._guard = threading.Lock()
        self._scheduler: Any = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._dispatcher = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)

    def start(self) -> None:
        """Only where this process holds the one-clock lock of the database."""
        with self.world.database.write() as session:
            jobs.free_all(session, self.world.clock.now())
        self.world.database.waker.listen(self._wake.set)
        self._scheduler.add_job(self._sweep, "interval", seconds=SWEEP)
        self._scheduler.start()
        self._dispatcher.start()
        self._wake.set()

    def stop(self) -> None:
        """Jobs that run are finished; nothing new begins."""
        self.world.database.waker.listen(None)
        self._stopping.set()
        self._wake.set()
        self._scheduler.shutdown(wait=True)
        self._dispatcher.join()
        self._pool.shutdown(wait=True)

    def _sweep(self) -> None:
        self.runner.renew_leases()
        periodic.defer_due(self.world)
        self._wake.set()

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self._submit_due()
                self._schedule_retries()
            except Exception:
                # The line may not stop: the sweep comes again in five seconds.
                log.exception("dispatch failed")

    def _submit_due(self) -> None:
        for job_id in self.runner.due():
            if self._stopping.is_set():
                return
            with self._guard:
                if job_id in self._taken:
                    continue
                self._taken.add(job_id)
            self._free.acquire()
            self._pool.submit(self._run, job_id)

    def _run(self, job_id: JobId) -> None:
        try:
            self.runner.run(job_id)
        except Exception:
            log.exception("run failed", job=job_id)  # the lease expires, the job comes back
        finally:
            with self._guard:
                self._taken.discard(job_id)
            self._free.release()
            self._wake.set()

    def _schedule_retries(self) -> None:
        now = self.world.clock.now()
        with self.world.database.read() as session:
            coming = jobs.next_due(session, now, DATE_JOBS)
        for job_id, due_at in coming:
            # Measured from here, for the sandbox's clock may stand elsewhere than the machine's.
            at = datetime.now(UTC) + max(due_at - now, timedelta(0))
            self._scheduler.add_job(
                self._wake.set, "date", run_date=at, id=f"job-{job_id}", replace_existing=True
            )
