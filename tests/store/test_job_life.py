"""The life of jobs in any order of events: nothing that was asked is ever lost.

Every defer carries a mark of its own in the payload. Until a run that began after it has ended for
good, the mark stands on an open or a running row; and never two rows of one subject are open, or
run, at once.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from server.core.states import OPEN_JOB_STATES, JobState
from server.store import jobs, leases
from server.store.db import Database
from server.store.jobs import JobKind, JobRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.databases import emptied

SUBJECTS = ("deal:1", "deal:2")
KINDS = (JobKind.DEAL_TO_INVOICE, JobKind.TELL_MANAGER)
CAUSES = ("kommo:down", "freshbooks:down", "bug")
LIVE = (*OPEN_JOB_STATES, JobState.RUNNING)


class JobLife(RuleBasedStateMachine):
    database: Database

    def __init__(self) -> None:
        super().__init__()
        emptied(self.database)
        self.account = rows.an_account(self.database)
        self.now: datetime = START
        self.asked: set[str] = set()  # marks that no run has served yet
        self.runs: list[JobRow] = []  # as their runners hold them, the overtaken ones too
        self.count = 0

    def _live(self) -> list[JobRow]:
        return [row for row in rows.rows_of(self.database, JobRow) if row.state in LIVE]

    @rule(
        subject=st.sampled_from(SUBJECTS),
        kind=st.sampled_from(KINDS),
        later=st.sampled_from([None, 0, 30]),
    )
    def defer(self, subject: str, kind: JobKind, later: int | None) -> None:
        mark = f"mark{self.count}"
        self.count += 1
        due_at = None if later is None else self.now + timedelta(seconds=later)
        new = rows.a_job(self.account, subject, kind, due_at=due_at, **{mark: 1})
        rows.defer(self.database, new, self.now)
        self.asked.add(mark)

    @rule()
    def claim_what_is_due(self) -> None:
        with self.database.read() as session:
            due = jobs.due(session, self.now, 1)
        for job_id in due:
            row = rows.claim(self.database, job_id, f"runner{self.count}", self.now)
            assert row is not None, "nobody else is there to be faster"
            self.runs.append(row)
        self.count += 1

    @rule(pick=st.randoms(use_true_random=False))
    def claim_anything(self, pick: Any) -> None:
        """What an engine with an old list does: mostly refused, never harmful."""
        live = self._live()
        if live:
            row = rows.claim(self.database, pick.choice(live).id, f"r{self.count}", self.now)
            self.runs += [row] if row else []
        self.count += 1

    @rule(
        pick=st.randoms(use_true_random=False),
        state=st.sampled_from(
            [JobState.DONE, JobState.LEFT_OUT, JobState.RETRYING, JobState.PARKED]
        ),
        cause=st.sampled_from(CAUSES),
        wait=st.sampled_from([0, 60]),
    )
    def finish(self, pick: Any, state: JobState, cause: str, wait: int) -> None:
        if not self.runs:
            return
        run = self.runs.pop(pick.randrange(len(self.runs)))
        stands = rows.finish(
            self.database,
            run.id,
            str(run.lease_owner),
            self.now,
            state=state,
            cause=cause,
            due_at=self.now + timedelta(seconds=wait),
            payload={**run.payload, "learnt": 1},
        )
        if stands and state in (JobState.DONE, JobState.LEFT_OUT):
            self.asked -= run.payload.keys()

    @rule(seconds=st.sampled_from([1, 10, 60]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_dead_are_found(self) -> None:
        with self.database.write() as session:
            leases.free_expired(session, self.now)

    @rule()
    def the_process_starts_anew(self) -> None:
        with self.database.write() as session:
            leases.free_all(session, self.now)

    @rule(cause=st.sampled_from(CAUSES))
    def a_cause_goes_away(self, cause: str) -> None:
        with self.database.write() as session:
            jobs.resume(session, self.account, [cause], self.now)

    @invariant()
    def no_subject_is_open_twice_or_runs_twice(self) -> None:
        live = self._live()
        opened = Counter((r.kind, r.subject) for r in live if r.state != JobState.RUNNING)
        running = Counter(r.subject for r in live if r.state == JobState.RUNNING)
        assert max([*opened.values(), *running.values()], default=1) == 1

    @invariant()
    def nothing_that_was_asked_is_lost(self) -> None:
        kept = {mark for row in self._live() for mark in row.payload}
        assert self.asked <= kept

    @invariant()
    def who_runs_has_a_lease_and_nobody_else(self) -> None:
        for row in rows.rows_of(self.database, JobRow):
            leased = row.lease_owner is not None and row.lease_until is not None
            assert leased is (row.state == JobState.RUNNING)

    def teardown(self) -> None:
        """Whatever happened, what is left can be run to its end."""
        self.now += timedelta(days=1)
        self.the_process_starts_anew()
        for cause in CAUSES:
            self.a_cause_goes_away(cause)
        while self._live():
            self.claim_what_is_due()
            row = self.runs[-1]
            done = {"state": JobState.DONE, "payload": row.payload}
            assert rows.finish(self.database, row.id, str(row.lease_owner), self.now, **done)
            self.asked -= row.payload.keys()
        assert self.asked == set()


def test_no_order_of_events_loses_a_job_or_runs_a_subject_twice(sqlite: Database):
    machine = type("Machine", (JobLife,), {"database": sqlite})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
