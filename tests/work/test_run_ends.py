"""One job, one run, over real rows: how it ends, and who is told."""

from dataclasses import replace
from datetime import timedelta

from server.core.errors import CannotBill, NotOurs, Problem, Reconnect, TryLater
from server.core.keys import AccountId, JobId
from server.core.states import JobState
from server.flows.give_up import PROBE_EVERY
from server.flows.run import Run
from server.flows.world import World
from server.store.accounts import ConnectionRow
from server.store.jobs import JobKind, JobRow
from server.work.runner import Runner
from server.work.table import HANDLERS
from tests.fixed_clock import FixedClock
from tests.store import rows
from tests.store.rows import a_job, defer, job
from tests.work.small_stories import BILL, TELL, raising, run_once, runner_of


def test_a_story_that_ends_well_is_done_with_its_words(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account, deal=7))
    seen: list[tuple[str, object, str]] = []

    def story(run: Run) -> str:
        seen.append((run.job.subject, run.memory["deal"], job(world.database, job_id).state))
        return "sent 0000042"

    row = run_once(world, story, job_id)
    assert seen == [("deal:1", 7, JobState.RUNNING)]
    assert (row.state, row.said, row.cause) == (JobState.DONE, "sent 0000042", "")
    assert row.lease_owner is None


def test_a_job_that_is_over_does_not_run_again(world: World, account: AccountId):
    job_id = JobId(defer(world.database, a_job(account)))
    ran: list[int] = []
    runner = runner_of(world, lambda run: str(ran.append(1)))
    assert runner.run(job_id) == JobState.DONE
    assert runner.run(job_id) is None
    assert ran == [1]


def test_a_job_is_left_out_with_the_reason(world: World, account: AccountId):
    row = run_once(
        world, raising(NotOurs("the rule is off")), defer(world.database, a_job(account))
    )
    assert (row.state, row.said) == (JobState.LEFT_OUT, "the rule is off")


def test_a_job_is_parked_with_its_problems_and_one_task_is_asked_for(
    world: World, account: AccountId
):
    problem = Problem("client.email", "The contact has no e-mail.", "Enter one.")
    job_id = defer(world.database, a_job(account, "deal:7", responsible=31))
    row = run_once(world, raising(CannotBill([problem])), job_id)
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
    row = run_once(world, story, job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "bug")
    assert "ZeroDivisionError" in row.said
    clock.advance(days=2)
    assert job_id not in Runner(world, {BILL: story, TELL: story}).due()
    assert ran == [job_id]


def test_the_task_about_a_bug_shows_no_traceback(world: World, account: AccountId):
    run_once(world, raising(ZeroDivisionError("{inside}")), defer(world.database, a_job(account)))
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert "unexpected" in told.payload["text"]
    assert "inside" not in told.payload["text"]


def test_a_kind_that_nobody_handles_is_a_bug(world: World, account: AccountId):
    job_id = defer(world.database, a_job(account, kind=JobKind.SWEEP_EVENTS))
    row = run_once(world, lambda run: "never", job_id)
    assert (row.state, row.cause) == (JobState.PARKED, "bug")


def test_every_kind_has_its_story():
    assert set(HANDLERS) == set(JobKind)


def test_a_job_retries_at_its_times_then_is_parked_and_watched(
    world: World, account: AccountId, clock: FixedClock
):
    connection = rows.a_connection(world.database, account, "freshbooks")
    job_id = defer(world.database, a_job(account))
    down = runner_of(world, raising(TryLater("freshbooks:down", "FreshBooks did not answer.")))
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
        run_once(once, raising(TryLater("freshbooks:down", "No answer.")), job_id)
    kinds = [row.kind for row in rows.rows_of(world.database, JobRow)]
    assert (kinds.count(JobKind.PROBE), kinds.count(TELL)) == (1, 5)


def test_lost_access_parks_without_a_task_a_deal(world: World, account: AccountId):
    row = run_once(world, raising(Reconnect("freshbooks")), defer(world.database, a_job(account)))
    assert (row.state, row.cause) == (JobState.PARKED, "freshbooks:reconnect")
    assert len(rows.rows_of(world.database, JobRow)) == 1


def test_a_job_without_an_account_can_be_parked_too(world: World):
    """A widget install whose Kommo does not answer: there is no connection to watch yet."""
    job_id = defer(world.database, a_job(None, "ticket:1", JobKind.WELCOME))
    story = raising(TryLater("kommo:down", "Kommo did not answer."))
    Runner(replace(world, retry_delays=()), {JobKind.WELCOME: story}).run(JobId(job_id))
    assert job(world.database, job_id).state == JobState.PARKED


def test_words_of_a_vendor_are_told_as_they_are(world: World, account: AccountId):
    """Also where they look like a template."""
    sentence = 'FreshBooks refuses: {"field": 1} {0}'
    story = raising(TryLater("freshbooks:forbidden", sentence))
    job_id = defer(world.database, a_job(account))
    assert run_once(replace(world, retry_delays=()), story, job_id).state == JobState.PARKED
    (told,) = [r for r in rows.rows_of(world.database, JobRow) if r.kind == TELL]
    assert told.payload["text"].startswith(sentence)
