"""Jobs whose stories a test tells itself: a runner of one story, and one run of it."""

from server.core.keys import JobId
from server.flows.run import Run
from server.flows.world import World
from server.store.jobs import JobKind, JobRow
from server.vendors.http import CallMade
from server.work.runner import Runner
from server.work.table import Handler
from tests.store.rows import job

BILL, TELL = JobKind.DEAL_TO_INVOICE, JobKind.TELL_MANAGER


def raising(error: Exception) -> Handler:
    def story(run: Run) -> str:
        raise error

    return story


def runner_of(world: World, story: Handler, kind: JobKind = BILL) -> Runner:
    return Runner(world, {kind: story})


def run_once(world: World, story: Handler, job_id: int) -> JobRow:
    runner_of(world, story).run(JobId(job_id))
    return job(world.database, job_id)


def a_call(world: World) -> CallMade:
    return CallMade("kommo", "GET", "/api/v4/leads/7", 200, "answered", world.clock.now(), 12, "r")
