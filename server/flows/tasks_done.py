"""The cause is gone: the tasks that asked a person for help are completed."""

from contextlib import suppress

from server.core.errors import NotOurs
from server.core.states import DocumentState
from server.flows.run import Run
from server.store import ledger

RESULT = "Done: Billhook made the invoice."


def tasks_done(run: Run) -> str:
    deal = run.job.subject.removeprefix("tasks:")
    with run.world.database.read() as session:
        tasks = ledger.open_tasks(session, run.account_id, deal)
    for task in tasks:
        if task.upstream_id is not None:
            with suppress(NotOurs):  # somebody deleted it: as good as done
                run.kommo.complete_task(int(task.upstream_id), RESULT)
        with run.phase() as session:
            ledger.record(session, task.id, run.now(), state=DocumentState.CLOSED)
    return f"{len(tasks)} completed"
