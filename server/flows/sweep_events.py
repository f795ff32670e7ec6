"""What webhooks missed: Kommo's own list of stage changes, read on from a cursor.

The cursor overlaps ten minutes (events appear late) and moves only in the commit that wrote the
jobs: to the last event that Kommo told, so that neither events that are listed late nor a clock of
ours that is ahead of Kommo's leave a gap; over a silence it follows an hour behind. A first sweep
begins where the first rule was switched on: older deals are never touched.
"""

from collections.abc import Sequence
from datetime import timedelta

from server.core.sale import Place
from server.core.settings import Rule
from server.core.states import JobClass
from server.flows.entered import entered, unplaced
from server.flows.hook_to_jobs import triggers
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.store import inbox, jobs, numbered, settings
from server.store.db import Session
from server.store.inbox import Entered
from server.store.jobs import JobKind, NewJob

STREAM = "kommo:events"
OVERLAP = timedelta(minutes=10)
BEHIND = timedelta(hours=1)  # without events: what may be missing at the end of Kommo's list


def sweep_events(run: Run) -> str:
    began = run.now()
    with run.world.database.read() as session:
        switched_on = settings.switched_on(session, run.account_id)
        document = settings_of(session, run.account_id)
        named = triggers(document)
        read_up_to = inbox.cursor(session, run.account_id, STREAM)
    if not switched_on or not named:
        return "no rule is on"
    since = min(switched_on.values())
    if read_up_to is not None:
        since = max(since, read_up_to - OVERLAP)
    told = run.kommo.stage_events(since=since)
    standing = {
        int(row["id"]): Place(int(row["pipeline_id"]), int(row["status_id"]))
        for row in run.kommo.deals(unplaced(told))
    }
    proven = [e for e in entered(told, standing) if (e.pipeline_id, e.stage_id) in named]
    again = [rule for rule in document.rules if rule.again and rule.slug in switched_on]
    news = 0
    with run.phase() as session:
        for entry in proven:
            if inbox.enter(session, run.account_id, entry) or _waits(session, run, again, entry):
                news += 1
                subject = f"deal:{entry.deal_id}"
                new = NewJob(run.account_id, JobKind.DEAL_TO_INVOICE, subject, JobClass.SWEEP, {})
                jobs.defer(session, new, run.now())
        read = max([began - BEHIND, *(event.at for event in told)])
        inbox.move_cursor(session, run.account_id, STREAM, min(read, began))
    return f"{len(proven)} entries read, {news} of them missed by hooks"


def _waits(session: Session, run: Run, again: Sequence[Rule], entry: Entered) -> bool:
    """A hook told of it, and a rule that bills again on re-entry could not bill it without Kommo's
    own event: here it is, perhaps late."""
    whose = (run.account_id, entry.deal_id)
    event = entry.upstream_id or ""
    return any(
        numbered.number_if_any(session, *whose, rule.purpose, event) is None
        for rule in again
        if (entry.pipeline_id, entry.stage_id) in {(t.pipeline_id, t.stage_id) for t in rule.when}
    )
