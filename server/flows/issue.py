"""The shared last step: a draft becomes an invoice, once.

Each commit is a recovery point. The claim freezes what is sent and says since when; what is then
known of the call is recorded on its attempt; an attempt of unknown outcome is looked up before
anything is sent again. The invoice stays a draft until its totals are proven.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from server.core.errors import AlreadyThere, CannotBill, Certainty, Problem, TryLater
from server.core.invoice import InvoiceDraft
from server.core.keys import DocumentId, InvoiceId, digest, reference
from server.core.said import say
from server.core.settings import Numbering
from server.core.states import AttemptOutcome, DocumentState
from server.flows import look_up
from server.flows.attempt import died, end, noting, unsettled
from server.flows.deliver import deliver
from server.flows.find_client import find_client, forget_client
from server.flows.record_invoice import record_invoice
from server.flows.run import Run
from server.store import counters, ledger
from server.store.db import Session
from server.store.deal_names import Names
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key
from server.vendors.freshbooks.client import Invoice
from server.vendors.freshbooks.write import (
    ReferencePlace,
    invoice_payload,
    where_reference_goes,
)

NUMBER_TRIES = 3  # another's number was taken: the next, this often
TAKEN = "is taken"
ELSEWHERE = Problem(
    "invoice",
    say("This invoice was begun in the FreshBooks business that was connected before."),
    say("Look there whether it was made; to finish it here, connect that business again."),
)


@dataclass(frozen=True)
class Plan:
    """What the rule wants done with the draft."""

    key: Key
    rule_slug: str
    action: str  # draft, mark_sent, email
    numbering: Numbering
    named: tuple[int, Names]  # the deal, and what its draft calls it and its client


def issue(run: Run, draft: InvoiceDraft, plan: Plan) -> DocumentRow:
    """Client, claim, create, compare, deliver. Raises the outcomes; safe to call again."""
    customer_id = find_client(run, draft.client, draft.currency)
    try:
        return _claim(run, draft, plan, customer_id)
    except CannotBill as refused:
        if not any(problem.field == "client" for problem in refused.problems):
            raise
        # The client that we remember is gone upstream: match once again.
        forget_client(run, draft.client.key)
        another = find_client(run, draft.client, draft.currency)
        if another == customer_id:
            raise
        return _claim(run, draft, plan, another)


def _claim(run: Run, draft: InvoiceDraft, plan: Plan, customer_id: str) -> DocumentRow:
    """By what the rule wants now: an earlier claim that was refused froze nothing."""
    wanted = {"home": _home(run), "action": plan.action, "rule_slug": plan.rule_slug}
    deal_id, names = plan.named
    run.note_names(deal_id, replace(names, drafted=True))  # in the commit that keeps the draft
    with run.phase() as session:
        run.must_still_hold(session, "freshbooks")
        document = ledger.open_document(session, plan.key, run.now(), kind="invoice", **wanted)
        before = ledger.attempts(session, document.id)
        frozen = _freeze(session, run, before, draft, plan, customer_id)
        attempt = ledger.begin(session, document, frozen, run.now(), **wanted)
    return _create(run, document, attempt)


def resume(run: Run, document: DocumentRow) -> DocumentRow | None:
    """Go on from where an earlier run stopped; None: of this document nothing is under way."""
    with run.world.database.read() as session:
        attempt = ledger.last_attempt(session, document.id)
    if attempt is None:
        return None
    if _under_way(document, attempt) and document.home != _home(run):
        raise CannotBill([ELSEWHERE])
    if document.state == DocumentState.AMBIGUOUS:
        return _resolve(run, document, attempt)
    if document.state == DocumentState.MISMATCH and run.job.payload.get("replay"):
        return _compare_again(run, document, attempt)
    if document.settled:
        return document
    if document.upstream_id is not None:
        return deliver(run, document)
    if unsettled(attempt):
        return _resolve(run, document, attempt)
    return None


def _home(run: Run) -> str:
    return f"freshbooks:{run.freshbooks_connection.external_id}"


def _under_way(document: DocumentRow, attempt: AttemptRow) -> bool:
    """Whether the next step is a call about what this document's business has, or may have."""
    if document.state == DocumentState.AMBIGUOUS:
        return True
    return not document.settled and (document.upstream_id is not None or unsettled(attempt))


def _compare_again(run: Run, document: DocumentRow, attempt: AttemptRow) -> DocumentRow:
    """Somebody may have mended the invoice upstream; while it differs nothing is sent."""
    seen = run.freshbooks.invoice(InvoiceId(int(document.upstream_id or 0)))
    return _adopt(run, document, attempt, seen, AttemptOutcome(attempt.outcome))


def _freeze(  # everything that an attempt freezes
    session: Session,
    run: Run,
    before: list[AttemptRow],
    draft: InvoiceDraft,
    plan: Plan,
    customer_id: str,
) -> Frozen:
    key = plan.key
    home = f"{key.source}:{run.kommo_connection.external_id}"
    mark = reference(home, key.source, key.source_id, key.purpose, key.sequence)
    place = where_reference_goes(draft, plan.numbering.kind)
    number = mark if place == "invoice_number" else ""
    if plan.numbering.kind == "sequence":
        number = _unused(before, plan.numbering)
        number = number or _next_number(session, run, plan.numbering)
    as_json = draft.to_json()
    return Frozen(
        draft=as_json,
        draft_hash=digest(as_json),
        customer_id=customer_id,
        create_date=_first_day(run, before),
        number=number,
        reference=mark,
        reference_place=place,
    )


def _next_number(session: Session, run: Run, numbering: Numbering) -> str:
    """Reserved in the claim's own commit, so that no two claims have the same."""
    n = counters.take(session, run.account_id, f"invoice:{numbering.prefix}", numbering.next)
    return _spelled(numbering, n)


def _unused(before: list[AttemptRow], numbering: Numbering) -> str:
    """The number of an earlier claim that surely made nothing: a sequence shall have no gaps."""
    if not before or not before[-1].number or before[-1].error.endswith(TAKEN):
        return ""
    number = before[-1].number
    digits = number.removeprefix(numbering.prefix)
    fits = digits.isdecimal() and number == _spelled(numbering, int(digits))
    return number if fits and int(digits) >= numbering.next else ""


def _spelled(numbering: Numbering, n: int) -> str:
    return f"{numbering.prefix}{n:0{numbering.digits}d}"


def _first_day(run: Run, before: list[AttemptRow]) -> date:
    """The day of the first claim in the business's zone; a later attempt keeps it."""
    if before and before[0].create_date is not None:
        return before[0].create_date
    return run.now().astimezone(ZoneInfo(run.freshbooks_connection.timezone)).date()


def _payload(attempt: AttemptRow) -> dict[str, Any]:
    if attempt.create_date is None:
        raise ValueError(f"attempt {attempt.id} has no date")
    return invoice_payload(
        InvoiceDraft.from_json(attempt.draft),
        customer_id=int(attempt.customer_id),
        create_date=attempt.create_date,
        number=attempt.number or None,
        reference=attempt.reference,
        reference_place=cast("ReferencePlace", attempt.reference_place),
    )


def _create(run: Run, document: DocumentRow, attempt: AttemptRow) -> DocumentRow:
    try:
        with noting(run, attempt):
            made = run.freshbooks.create_invoice(_payload(attempt))
    except TryLater as later:
        raise look_up.after_quiet(run, later) from later
    except AlreadyThere as taken:
        return _number_taken(run, document, attempt, taken)
    return _adopt(run, document, attempt, made, AttemptOutcome.CREATED)


def _adopt(
    run: Run, document: DocumentRow, attempt: AttemptRow, made: Invoice, how: AttemptOutcome
) -> DocumentRow:
    if made.tax is None:  # it came without its lines, from which alone the tax is known
        made = run.freshbooks.invoice(InvoiceId(made.id))
    document = record_invoice(run, document, attempt, made, how)
    return document if document.settled else deliver(run, document, seen=made)


def _resolve(run: Run, document: DocumentRow, attempt: AttemptRow) -> DocumentRow:
    """An attempt of unknown outcome: wait, look, adopt, send again, or stop and ask."""
    died(run, attempt)
    waiting = look_up.wait_out(run, attempt)
    if waiting is not None:
        raise waiting
    found = look_up.invoices_of(run, attempt)
    if len(found) == 1:
        return _adopt(run, document, attempt, found[0], AttemptOutcome.ADOPTED)
    if found:
        return _ambiguous(run, document, attempt, found)
    with run.phase() as session:
        again = ledger.begin(
            session,
            ledger.get(session, DocumentId(document.id)),
            ledger.frozen_in(attempt),
            run.now(),
        )
    return _create(run, document, again)


def _ambiguous(
    run: Run, document: DocumentRow, attempt: AttemptRow, found: list[Invoice]
) -> DocumentRow:
    numbers = ", ".join(invoice.number for invoice in found)
    said = say(
        "FreshBooks has %(count)s invoices with the reference %(reference)s: %(numbers)s",
        count=len(found),
        reference=attempt.reference,
        numbers=numbers,
    )
    with run.phase() as session:
        ledger.record(session, document.id, run.now(), state=DocumentState.AMBIGUOUS, said=said)
    reason = say("%(sentence)s.", sentence=said)
    raise CannotBill([Problem("invoice", reason, say("Delete all but one in FreshBooks."))])


def _number_taken(
    run: Run, document: DocumentRow, attempt: AttemptRow, taken: AlreadyThere
) -> DocumentRow:
    """FreshBooks has this number: ours is adopted; another's makes us take the next."""
    ours = [found for found in look_up.invoices_of(run, attempt) if found.number == attempt.number]
    if len(ours) == 1:
        return _adopt(run, document, attempt, ours[0], AttemptOutcome.ADOPTED)
    error = say("number %(number)s is taken", number=taken.ref)
    end(run, attempt, AttemptOutcome.REFUSED, error)
    with run.world.database.read() as session:
        refused = [a for a in ledger.attempts(session, document.id) if a.error.endswith(TAKEN)]
    problem = Problem(
        "numbering",
        say("FreshBooks already has an invoice with the number %(number)s.", number=attempt.number),
        say("Set the next free number under numbering in the settings, then try again."),
    )
    if len(refused) > NUMBER_TRIES or attempt.reference_place == "invoice_number":
        raise CannotBill([problem])
    raise TryLater("freshbooks:number", error, burns=False, certainty=Certainty.REFUSED)
