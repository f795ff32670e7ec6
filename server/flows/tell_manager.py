"""One task in Kommo for the deal's responsible user: what failed, and what to do.

A task is a document: the same cause makes none twice, and one of unknown outcome is looked up by
the token in its text before another is made.
"""

from datetime import timedelta

from server.core.errors import NotOurs
from server.core.keys import DealId, reference
from server.core.said import say
from server.core.states import AttemptOutcome, DocumentState, JobState
from server.flows import look_up
from server.flows.attempt import died, noting, unsettled
from server.flows.run import Run
from server.flows.tasks_done import complete
from server.store import jobs, ledger
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key

WITHIN = timedelta(days=1)


def tell_manager(run: Run) -> str:
    told = run.job.payload
    deal_id = DealId(int(told["deal"]))
    if _solved(run, told.get("for_job")):
        raise NotOurs(say("solved in the meantime"))
    key = Key(run.account_id, "kommo", str(deal_id), f"task:{told['cause']}")
    with run.world.database.read() as session:
        document = ledger.look(session, key)
        before = ledger.last_attempt(session, document.id) if document else None
    if document is not None and document.state == DocumentState.CREATED:
        return say("This task was made before.")
    if before is not None and unsettled(before):
        died(run, before)
        waiting = look_up.wait_out(run, before)
        if waiting is not None:
            raise waiting
        found = _look(run, deal_id, before.reference)
        if found is not None:
            return _made(run, before, found, AttemptOutcome.ADOPTED)
    return _tell(run, key, deal_id)


def _solved(run: Run, job_id: int | None) -> bool:
    if job_id is None:
        return False
    with run.world.database.read() as session:
        job = jobs.get(session, job_id)
    return job is None or job.state != JobState.PARKED


def _look(run: Run, deal_id: DealId, token: str) -> int | None:
    for task in run.kommo.tasks_of(deal_id):
        if token in task.text and not task.is_completed:
            return task.id
    return None


def _tell(run: Run, key: Key, deal_id: DealId) -> str:
    home = f"kommo:{run.kommo_connection.external_id}"
    token = reference(home, key.source, key.source_id, key.purpose, 0)
    text = f"FreshBooks invoice: {run.job.payload['text']} [{token}]"
    user = run.job.payload.get("responsible") or _responsible(run, deal_id)
    about = {"for_job": run.job.payload.get("for_job")}
    with run.phase() as session:
        document = ledger.open_document(session, key, run.now(), kind="task", home=home)
        document = ledger.record(session, document.id, run.now(), details=about)
        frozen = Frozen({"text": text}, "", reference=token)
        attempt = ledger.begin(session, document, frozen, run.now())
    with noting(run, attempt):
        task_id = run.kommo.create_task(
            deal_id, text, user, due=run.now() + WITHIN, request_id=token
        )
    made = _made(run, attempt, task_id, AttemptOutcome.CREATED)
    _close_older(run, document)
    return made


def _close_older(run: Run, newest: DocumentRow) -> None:
    """The same job failed for another reason before; who reads both would not know which counts."""
    with run.world.database.read() as session:
        tasks = ledger.open_tasks(session, run.account_id, newest.source_id)
    for task in tasks:
        if task.id != newest.id and task.details == newest.details != {"for_job": None}:
            complete(run, task, "Something else is missing now; see the newer task.")


def _responsible(run: Run, deal_id: DealId) -> int | None:
    """Read only where the run that failed did not come to know it."""
    deal = run.kommo.deal(deal_id)
    if deal is None:
        raise NotOurs(say("the deal was deleted in Kommo"))
    return deal.get("responsible_user_id")


def _made(run: Run, attempt: AttemptRow, task_id: int, how: AttemptOutcome) -> str:
    with run.phase() as session:
        ledger.end(
            session,
            attempt.id,
            how,
            run.now(),
            state=DocumentState.CREATED,
            upstream_id=str(task_id),
        )
    return say("Task %(number)s was made.", number=task_id)
