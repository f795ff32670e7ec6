"""Is it there already? How an attempt of unknown outcome is found again upstream.

By number where we number; by the frozen customer around the frozen day; over the business by what
changed since the day before; each among the deleted too. FreshBooks ignores search keys that it
does not know, so every row is compared with the frozen reference here.
"""

from datetime import timedelta

from server.core.errors import Certainty, TryLater
from server.core.said import say
from server.flows.attempt import is_uncertain
from server.flows.run import Run
from server.store.ledger import AttemptRow
from server.vendors.freshbooks.client import Invoice

AROUND = timedelta(days=2)  # create_date may be read in another zone than it was written in


def wait_out(run: Run, attempt: AttemptRow) -> TryLater | None:
    """While the first call may still be running: the outcome that waits without burning a try."""
    if attempt.call_started_at is None:
        return None
    since = max(attempt.call_started_at, attempt.ended_at or attempt.call_started_at)
    left = since + run.world.quiet_period - run.now()
    return not_yet(left) if left > timedelta(0) else None


def after_quiet(run: Run, later: TryLater) -> TryLater:
    """The outcome of a create that failed: one of unknown effect waits the quiet period at least.

    It counts as a try, the wait does not: a vendor that fails at every create is told of in time.
    """
    return not_yet(run.world.quiet_period, burns=True) if is_uncertain(later) else later


def not_yet(left: timedelta, *, burns: bool = False) -> TryLater:
    return TryLater(
        "freshbooks:uncertain",
        say(
            "FreshBooks' answer was lost; Billhook looks for the invoice before it sends it again."
        ),
        after=left,
        burns=burns,
        certainty=Certainty.UNCERTAIN,
    )


def invoices_of(run: Run, attempt: AttemptRow) -> list[Invoice]:
    """Every invoice that carries the attempt's reference; deleted ones only where no other does."""
    for deleted in (False, True):
        found = {
            invoice.id: invoice
            for invoice in _candidates(run, attempt, deleted=deleted)
            if carries(invoice, attempt)
        }
        if found:
            return list(found.values())
    return []


def _candidates(run: Run, attempt: AttemptRow, *, deleted: bool) -> list[Invoice]:
    client = run.freshbooks
    rows: list[Invoice] = []
    if attempt.number:
        rows += client.find_invoices(number=attempt.number, deleted=deleted)
    if attempt.create_date is not None:
        around = (attempt.create_date - AROUND, attempt.create_date + AROUND)
        rows += client.find_invoices(
            customer_id=int(attempt.customer_id), dates=around, deleted=deleted
        )
    if attempt.call_started_at is not None:
        day_before = (attempt.call_started_at - timedelta(days=1)).date()
        rows += client.find_invoices(updated_since=day_before, deleted=deleted)
    return rows


def carries(invoice: Invoice, attempt: AttemptRow) -> bool:
    """Whether the reference stands where the attempt put it."""
    match attempt.reference_place:
        case "invoice_number":
            return invoice.number == attempt.reference
        case "po_number":
            return invoice.po_number == attempt.reference
        case _:
            lines = invoice.notes.rstrip().splitlines()
            return bool(lines) and attempt.reference in lines[-1].split()
