"""Is the vendor back? One call a connection every five minutes, not one a job.

When it answers, every job that waits for it is due at once.
"""

from server.core.errors import TryLater
from server.flows.give_up import PROBE_EVERY, WATCHED
from server.flows.run import Run
from server.store import accounts, jobs


def probe(run: Run) -> str:
    vendor = run.job.subject.removeprefix("connection:")
    try:
        if vendor == "kommo":
            run.kommo.account()
        else:
            run.freshbooks.me()
    except TryLater as later:
        raise TryLater(later.cause, later.sentence, after=PROBE_EVERY, burns=False) from later
    return came_back(run, vendor)


def came_back(run: Run, vendor: str) -> str:
    row = run.kommo_connection if vendor == "kommo" else run.freshbooks_connection
    with run.phase() as session:
        accounts.mark_connection(session, row.id, down_since=None, last_success_at=run.now())
        causes = [f"{vendor}:{what}" for what in WATCHED]
        resumed = jobs.resume(session, run.account_id, causes, run.now())
    return f"{vendor} answers; {resumed} resumed"
