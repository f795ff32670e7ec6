"""The cause is gone: the tasks that asked a person for help are completed."""

from contextlib import suppress

from server.core.errors import NotOurs
from server.core.states import DocumentState, JobClass
from server.flows.run import Run
from server.store import jobs, ledger
from server.store.db import Session
from server.store.jobs import JobKind, NewJob
from server.store.ledger import DocumentRow


def defer_completion(session: Session, run: Run, deal: str, result: str) -> None:
    """In the commit that ends the cause; nothing where no task of ours is open."""
    if ledger.open_tasks(session, run.account_id, deal):
        payload = {"result": result}
        new = NewJob(
            run.account_id, JobKind.TASKS_DONE, f"tasks:{deal}", JobClass.WRITE_BACK, payload
        )
        jobs.defer(session, new, run.now())


def tasks_done(run: Run) -> str:
    deal = run.job.subject.removeprefix("tasks:")
    with run.world.database.read() as session:
        tasks = ledger.open_tasks(session, run.account_id, deal)
    for task in tasks:
        complete(run, task, run.job.payload["result"])
    return f"{len(tasks)} completed"


def complete(run: Run, task: DocumentRow, result: str) -> None:
    if task.upstream_id is not None:
        with suppress(NotOurs):  # somebody deleted it: as good as done
            run.kommo.complete_task(int(task.upstream_id), result)
    with run.phase() as session:
        ledger.record(session, task.id, run.now(), state=DocumentState.CLOSED)
