"""One job, one run, over real rows; the handlers are the test's own small stories."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from server.core.errors import CannotBill, NotOurs, Problem, Reconnect, TryLater
from server.core.keys import AccountId, JobId
from server.core.states import JobClass, JobState
from server.flows.give_up import PROBE_EVERY
from server.flows.run import LostLease, Run
from server.flows.world import World
from server.store import jobs
from server.store.accounts import AccountRow, ConnectionRow
from server.store.calls import CallRow
from server.store.jobs import LEASE, JobKind, JobRow
from server.store.leases import MOST_DEATHS
from server.vendors.http import CallMade
from server.work import runner as runner_module
from server.work.runner import Runner
from server.work.table import HANDLERS, Handler
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.rows import a_job, defer, job

BILL, TELL = JobKind.DEAL_TO_INVOICE, JobKind.TELL_MANAGER


def _raise(error: Exception) -> Handler:
    def story(run: Run) -> str:
        raise error

    return story


def _runner(world: World, story: Handler, kind: JobKind = BILL) -> Runner:
    return Runner(world, {kind: story})


def _run(world: World, story: Handler, job_id: int) -> JobRow:
    _runner(world, story).run(JobId(job_id))
    return job(world.database, job_id)


def _call(world: World) -> CallMade:
    return CallMade("kommo", "GET", "/api/v4/leads/7", 200, "answered", world.clock.now(), 12, "r")


# The outcomes


def test_a_story_that_ends_well_is_done_with_its_words(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account, deal=7))
    seen: list[tuple[str, object, str]] = []

    def story(run: Run) -> str:
        seen.append((run.job.subject, run.memory["deal"], job(world.database, job_id).state))
        return "sent 0000042"

    row = _run(world, story, job_id)
    assert seen == [("deal:1", 7, JobState.RUNNING)]
    assert (row.state, row.said, row.cause) == (JobState.DONE, "sent 0000042", "")
    assert row.lease_owner is None


def test_a_job_that_is_over_does_not_run_again(world: World, account: AccountId):
    job_id = JobId(defer(world.database, a_job(account)))
    ran: list[int] = []
    runner = _runner(world, lambda run: str(ran.append(1)))
    assert runner.run(job_id) == JobState.DONE
    assert runner.run(job_id) is None
    assert ran == [1]


def test_a_job_is_left_out_with_the_reason(world: World, account: AccountId):
    row = _run(world, _raise(NotOurs("the rule is off")), defer(world.database, a_job(account)))
    assert (row.state, row.said) == (JobState.LEFT_OUT, "the rule is off")


def test_a_job_is_parked_with_its_problems_and_one_task_is_asked_for(
    world: World, account: AccountId
):
    problem = Problem("client.email", "The contact has no e-mail.", "Enter one.")
    job_id = defer(world.database, a_job(account, "deal:7", responsible=31))
    row = _run(world, _raise(CannotBill([problem])), job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "problems")
    assert row.problems == [vars(problem)]
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert (told.state, told.subject) == (JobState.WAITING, "tell:7")
    assert told.payload["text"].startswith("The contact has no e-mail. Enter one.")
    assert (told.payload["deal"], told.payload["responsible"]) == ("7", 31)
    assert told.payload["for_job"] == job_id


def test_a_bug_is_parked_with_its_traceback_and_not_run_again(
    world: World, account: AccountId, clock: FixedClock
):
    ran: list[int] = []

    def story(run: Run) -> str:
        ran.append(run.job.id)
        return str(1 // 0)

    job_id = defer(world.database, a_job(account))
    row = _run(world, story, job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "bug")
    assert "ZeroDivisionError" in row.said
    clock.advance(days=2)
    assert job_id not in Runner(world, {BILL: story, TELL: story}).due()
    assert ran == [job_id]


def test_the_task_about_a_bug_shows_no_traceback(world: World, account: AccountId):
    _run(world, _raise(ZeroDivisionError("{inside}")), defer(world.database, a_job(account)))
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert "unexpected" in told.payload["text"]
    assert "inside" not in told.payload["text"]


def test_a_kind_that_nobody_handles_is_a_bug(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account, kind=JobKind.SWEEP_EVENTS))
    row = _run(world, lambda run: "never", job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "bug")


def test_every_kind_has_its_story():
    assert set(HANDLERS) == set(JobKind)


def test_a_job_retries_at_its_times_then_is_parked_and_watched(
    world: World, account: AccountId, clock: FixedClock
):
    connection = rows.a_connection(world.database, account, "freshbooks")
    job_id = defer(world.database, a_job(account))
    down = _runner(world, _raise(TryLater("freshbooks:down", "FreshBooks did not answer.")))
    for attempts, delay in enumerate(world.retry_delays, 1):
        assert down.run(JobId(job_id)) == JobState.RETRYING
        row = job(world.database, job_id)
        assert (row.attempts, row.due_at) == (attempts, clock.now() + delay)
        clock.advance(delay - timedelta(seconds=1))
        assert down.run(JobId(job_id)) is None
        clock.advance(seconds=1)
    assert down.run(JobId(job_id)) == JobState.PARKED
    watched = {row.kind: row for row in rows.rows_of(world.database, JobRow) if row.id != job_id}
    assert set(watched) == {TELL, JobKind.PROBE}
    assert watched[JobKind.PROBE].due_at == clock.now() + PROBE_EVERY
    with world.database.read() as session:
        assert session.get_one(ConnectionRow, connection.id).down_since == clock.now()


def test_a_hundred_jobs_on_a_vendor_that_is_down_make_one_probe(world: World, account: AccountId):
    rows.a_connection(world.database, account, "freshbooks")
    once = replace(world, retry_delays=())
    for n in range(5):
        job_id = defer(world.database, a_job(account, f"deal:{n}"))
        _run(once, _raise(TryLater("freshbooks:down", "No answer.")), job_id)
    kinds = [row.kind for row in rows.rows_of(world.database, JobRow)]
    assert (kinds.count(JobKind.PROBE), kinds.count(TELL)) == (1, 5)


def test_lost_access_parks_without_a_task_a_deal(world: World, account: AccountId):
    row = _run(world, _raise(Reconnect("freshbooks")), defer(world.database, a_job(account)))
    assert (row.state, row.cause) == (JobState.PARKED, "freshbooks:reconnect")
    assert len(rows.rows_of(world.database, JobRow)) == 1


def test_a_job_without_an_account_can_be_parked_too(world: World):
    """A widget install whose Kommo does not answer: there is no connection to watch yet."""
    job_id = defer(world.database, a_job(None, "ticket:1", JobKind.WELCOME))
    story = _raise(TryLater("kommo:down", "Kommo did not answer."))
    Runner(replace(world, retry_delays=()), {JobKind.WELCOME: story}).run(JobId(job_id))
    assert job(world.database, job_id).state == JobState.PARKED


def test_words_of_a_vendor_are_told_as_they_are(world: World, account: AccountId):
    """Also where they look like a template."""
    sentence = 'FreshBooks refuses: {"field": 1} {0}'
    story = _raise(TryLater("freshbooks:forbidden", sentence))
    job_id = defer(world.database, a_job(account))
    assert _run(replace(world, retry_delays=()), story, job_id).state == JobState.PARKED
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert told.payload["text"].startswith(sentence)


# What a run keeps


def test_what_a_run_remembers_stands_on_its_job_for_the_next_try(
    world: World, account: AccountId, clock: FixedClock
):
    job_id = defer(world.database, a_job(account, deal=7))

    def story(run: Run) -> str:
        if "responsible" in run.memory:
            return f"remembered {run.memory['responsible']}"
        run.remember(responsible=31)
        raise TryLater("kommo:busy", "Kommo is busy.", burns=False)

    assert _run(world, story, job_id).payload == {"deal": 7, "responsible": 31}
    clock.advance(minutes=1)
    assert _run(world, story, job_id).said == "remembered 31"


def test_calls_ride_in_the_commit_of_the_next_phase(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account))

    def story(run: Run) -> str:
        run.record(_call(world))
        assert rows.rows_of(world.database, CallRow) == []
        with run.phase():
            pass
        assert len(rows.rows_of(world.database, CallRow)) == 1
        run.record(_call(world))
        return "done"

    _run(world, story, job_id)
    kept = rows.rows_of(world.database, CallRow)
    assert [(call.job_id, call.account_id, call.path) for call in kept] == [
        (job_id, account, "/api/v4/leads/7")
    ] * 2


def test_the_calls_of_a_try_that_failed_are_kept(world: World, account: AccountId):
    def story(run: Run) -> str:
        run.record(_call(world))
        raise TryLater("kommo:down", "Kommo did not answer.")

    _run(world, story, defer(world.database, a_job(account)))
    assert len(rows.rows_of(world.database, CallRow)) == 1


def test_calls_before_an_account_is_known_are_not_kept(world: World):
    job_id = defer(world.database, a_job(None, "ticket:1", JobKind.WELCOME))

    def story(run: Run) -> str:
        run.record(_call(world))
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
    assert _runner(world, story).drain() == 2
    assert ran == [1, 2]


# Lost leases


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
    assert _runner(world, story).run(JobId(job_id)) is None
    assert job(world.database, job_id).said == "by the other"
    assert written == []


@pytest.mark.parametrize("ending", [NotOurs("no"), ZeroDivisionError(), None])
def test_an_overtaken_run_ends_silently_whatever_came_of_it(
    world: World, account: AccountId, clock: FixedClock, ending: Exception | None
):
    overtake = _overtaken(world, clock)

    def story(run: Run) -> str:
        overtake(run)
        run.record(_call(world))
        if ending:
            raise ending
        return "by the first"

    job_id = defer(world.database, a_job(account))
    assert _runner(world, story).run(JobId(job_id)) is None
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

    row = _run(world, story, defer(world.database, a_job(account)))
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

    runner = _runner(world, story)
    assert runner.run(JobId(defer(world.database, a_job(account)))) == JobState.DONE
    assert runner.running == set()
    runner.renew_leases()  # nothing runs: nothing to do


def test_a_story_may_end_itself_when_it_lost_its_lease(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account))
    assert _runner(world, _raise(LostLease())).run(JobId(job_id)) is None
    assert job(world.database, job_id).state == JobState.RUNNING  # as whoever has it left it


def test_two_runners_share_the_jobs_and_run_none_twice(world: World):
    ran: list[int] = []
    accounts = [rows.an_account(world.database, f"a{n}") for n in range(6)]
    made = [defer(world.database, a_job(account)) for account in accounts]

    def story(run: Run) -> str:
        ran.append(run.job.id)
        return "done"

    rows.at_once(3, lambda _: _runner(world, story).drain())
    assert sorted(ran) == made


# Processes that died


def test_a_job_that_kills_its_process_each_time_is_parked_and_a_person_is_told(
    world: World, account: AccountId, clock: FixedClock
):
    job_id = defer(world.database, a_job(account, "deal:7"))
    runner = _runner(world, lambda run: "never reached")
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
    runner = _runner(world, lambda run: "done")
    assert runner.due() == []
    runner.take_over()
    assert runner.due() == [job_id]
    assert runner.run(JobId(job_id)) == JobState.DONE


# Draining


def test_draining_runs_what_is_due_and_what_that_makes_due(world: World, account: AccountId):
    def story(run: Run) -> str:
        n = int(run.memory["n"])
        if n:
            defer(world.database, a_job(account, f"deal:{n}", n=n - 1))
        return "done"

    defer(world.database, a_job(account, "deal:first", n=4))
    defer(world.database, a_job(account, "deal:future", due_at=START + timedelta(hours=1)))
    assert _runner(world, story).drain() == 5
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
        _runner(world, story).drain()


def test_urgent_work_goes_first(world: World):
    order: list[str] = []
    for n, job_class in enumerate(reversed(JobClass)):
        account = rows.an_account(world.database, f"a{n}")
        defer(world.database, a_job(account, job_class.name, job_class=job_class))
    _runner(world, lambda run: str(order.append(run.job.subject))).drain()
    assert order == [job_class.name for job_class in JobClass]
    assert timedelta(seconds=5) < jobs.LEASE  # the engine renews every five
