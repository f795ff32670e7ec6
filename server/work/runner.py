"""One job, one run: claim by lease, call the story, put the row into its next state.

Correctness rests on the row alone; who calls ``run`` and how often does not matter.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from server.core.keys import JobId
from server.core.states import JobState
from server.flows import give_up
from server.flows.run import LostLease, Run
from server.flows.world import World
from server.store import jobs, leases
from server.store.db import Session
from server.store.jobs import JobKind, JobRow
from server.work.retry import Verdict, judge
from server.work.table import HANDLERS, Handler

log = structlog.get_logger()

DRAIN_ROUNDS = 1000  # more rounds than any test or command needs; a loop of jobs shows as an error


class Runner:
    def __init__(self, world: World, handlers: Mapping[JobKind, Handler] = HANDLERS) -> None:
        self.world = world
        self.owner = secrets.token_hex(8)
        self.handlers = handlers
        self.running: set[JobId] = set()

    def due(self, most: int = 100) -> list[JobId]:
        """What may run now."""
        with self.world.database.read() as session:
            return jobs.due(session, self.world.clock.now(), most)

    def take_over(self) -> None:
        """Whoever held a lease is dead: only for who holds the database's one clock."""
        self._free(leases.free_all)

    def free_expired(self) -> None:
        """The jobs whose runner died come back."""
        with self.world.database.read() as session:
            expired = leases.any_expired(session, self.world.clock.now())
        if expired:
            self._free(leases.free_expired)

    def run(self, job_id: JobId) -> JobState | None:
        """Run a due job; None: it was not due, or another runs it or its subject."""
        owner = f"{self.owner}:{secrets.token_hex(4)}"
        with self.world.database.write() as session:
            job = jobs.claim(session, job_id, owner, self.world.clock.now())
        if job is None:
            return None
        run = Run(self.world, job, owner)
        self.running.add(job_id)
        try:
            verdict = self._try(run)
            self._finish(run, verdict)
        except LostLease:
            log.warning("job overtaken", job=job_id, kind=job.kind)
            return None
        finally:
            self.running.discard(job_id)
        log.info("job", job=job_id, kind=job.kind, subject=job.subject, state=verdict.state)
        return verdict.state

    def drain(self) -> int:
        """Run what is due, and what that makes due, until nothing is; how many ran."""
        ran = 0
        for _ in range(DRAIN_ROUNDS):
            self.free_expired()
            ready = self.due()
            if not ready:
                return ran
            ran += sum(self.run(job_id) is not None for job_id in ready)
        raise RuntimeError("jobs make jobs without end")

    def renew_leases(self) -> None:
        """Called every few seconds while jobs run: a long call keeps its lease."""
        if not self.running:
            return
        with self.world.database.write() as session:
            leases.renew_of(session, self.owner, sorted(self.running), self.world.clock.now())

    def _free(self, free: Callable[[Session, datetime], list[JobRow]]) -> None:
        """Where that parks a job, somebody hears of it."""
        with self.world.database.write() as session:
            for job in free(session, self.world.clock.now()):
                log.error("bug", job=job.id, kind=job.kind, trace=job.said)
                run = Run(self.world, job, "")
                give_up.given_up(session, run, job.cause, job.said, (), tell=True)

    def _try(self, run: Run) -> Verdict:
        try:
            said = self.handlers[JobKind(run.job.kind)](run)
        except LostLease:
            raise
        except Exception as outcome:  # noqa: BLE001  # the one place that parks a bug
            verdict = judge(
                outcome, run.job.attempts, self.world.retry_delays, self.world.clock.now()
            )
            if verdict.cause == "bug":
                log.error("bug", job=run.job.id, kind=run.job.kind, trace=verdict.said)
            return verdict
        return Verdict(JobState.DONE, said)

    def _finish(self, run: Run, verdict: Verdict) -> None:
        now = self.world.clock.now()
        with self.world.database.write() as session:
            run.note_calls(session)
            stands = jobs.finish(
                session,
                JobId(run.job.id),
                run.owner,
                now,
                state=verdict.state,
                due_at=verdict.due_at or now,
                attempts=verdict.attempts,
                cause=verdict.cause,
                said=verdict.said,
                problems=[problem.to_json() for problem in verdict.problems],
                payload=run.memory,
            )
            if not stands:
                raise LostLease
            if verdict.state == JobState.PARKED:
                give_up.given_up(
                    session, run, verdict.cause, verdict.said, verdict.problems, tell=verdict.tell
                )
