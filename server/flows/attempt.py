"""The one way to make a call that cannot be undone: what comes of it stands on its attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from server.core.errors import CannotBill, Certainty, Reconnect, TryLater
from server.core.said import say
from server.core.states import AttemptOutcome, DocumentState
from server.flows.run import Run
from server.store import ledger
from server.store.ledger import AttemptRow

STOOD_STILL = timedelta(seconds=10)  # half a lease, between the commit and the call


@contextmanager
def noting(run: Run, attempt: AttemptRow) -> Iterator[None]:
    """Around the call that ``attempt`` was begun for. A refusal thaws the document; what is not
    certain makes it *uncertain*, and then nobody sends it again before it was looked up.

    Raises LostLease where this run stood still since the commit, and was overtaken.
    """
    if attempt.call_started_at and run.now() - attempt.call_started_at > STOOD_STILL:
        with run.phase():
            pass
    try:
        yield
    except TryLater as later:
        end(run, attempt, AttemptOutcome(later.certainty.value), later.sentence)
        raise
    except (CannotBill, Reconnect) as refused:
        end(run, attempt, AttemptOutcome.REFUSED, refused.said)
        raise


def end(run: Run, attempt: AttemptRow, outcome: AttemptOutcome, error: str) -> None:
    """An attempt that made nothing, or of which nothing is known."""
    uncertain = outcome == AttemptOutcome.UNCERTAIN
    state = DocumentState.UNCERTAIN if uncertain else DocumentState.REFUSED
    with run.phase() as session:
        ledger.end(session, attempt.id, outcome, run.now(), state=state, error=error)


def died(run: Run, attempt: AttemptRow) -> None:
    """One that is open although its run must be over: the run died, or was only taken for dead (a
    clock that jumped, a machine that slept) and its call goes on; the quiet period begins now."""
    if attempt.outcome == AttemptOutcome.OPEN:
        end(run, attempt, AttemptOutcome.UNCERTAIN, say("Billhook was stopped during the call."))
        attempt.outcome, attempt.ended_at = AttemptOutcome.UNCERTAIN, run.now()


def is_uncertain(later: TryLater) -> bool:
    return later.certainty is Certainty.UNCERTAIN


def unsettled(attempt: AttemptRow | None) -> bool:
    """Whether the call may have happened: its run died, or its answer was lost."""
    return attempt is not None and attempt.outcome in (
        AttemptOutcome.OPEN,
        AttemptOutcome.UNCERTAIN,
    )
