"""An invoice exists upstream: compare it with the frozen draft, and record what is so."""

from server.core.invoice import InvoiceDraft
from server.core.messages import N_
from server.core.money import Money
from server.core.said import say
from server.core.states import AttemptOutcome, DocumentState, JobClass
from server.flows.run import Run
from server.flows.tasks_done import defer_completion
from server.store import jobs, ledger
from server.store.db import Session
from server.store.jobs import JobKind, NewJob
from server.store.ledger import AttemptRow, DocumentRow
from server.vendors.freshbooks.read import Invoice, invoice_page
from server.vendors.freshbooks.statuses import word_of

DELETED = N_("invoice %(number)s was deleted in FreshBooks")
CURRENCY = N_("its currency is %(theirs)s there, and %(ours)s by the deal")
TOTAL = N_("its total is %(theirs)s there, and %(ours)s by the deal")
TAX = N_("its tax is %(theirs)s there, and %(ours)s by the deal")


def record_invoice(
    run: Run, document: DocumentRow, attempt: AttemptRow, made: Invoice, how: AttemptOutcome
) -> DocumentRow:
    """One commit: the attempt's end, the document's state, and the jobs that follow from it."""
    draft = InvoiceDraft.from_json(attempt.draft)
    difference, said = differs(draft, made), ""
    if made.vis_state == 1:
        state, said = DocumentState.DELETED, say(DELETED, number=made.number)
    elif difference:
        state, said = DocumentState.MISMATCH, difference
    else:
        state = DocumentState.CREATED
    link = invoice_page(run.world.freshbooks.app_url, run.freshbooks_connection.realm, made.id)
    with run.phase() as session:
        document = ledger.end(
            session,
            attempt.id,
            how,
            run.now(),
            state=state,
            said=said,
            upstream_id=str(made.id),
            link=link,
            **as_seen(made),
        )
        if document.settled:
            follow_up(session, run, document)
        if state == DocumentState.MISMATCH:
            tell_mismatch(session, run, made.number, difference)
    return document


def as_seen(invoice: Invoice) -> dict[str, str]:
    """The document's columns that mirror the invoice."""
    return {
        "number": invoice.number,
        "status": word_of(invoice),
        "amount": str(invoice.amount.amount),
        "currency": invoice.currency,
    }


def differs(draft: InvoiceDraft, made: Invoice) -> str:
    """What differs between FreshBooks' figures and the draft's, in words; "" when nothing does."""
    if made.currency != draft.currency:
        return say(CURRENCY, theirs=made.currency, ours=draft.currency)
    if made.amount.amount != draft.totals.total:
        return say(TOTAL, theirs=made.amount, ours=draft.total)
    if made.tax is None:
        return say("FreshBooks does not tell its tax")
    if made.tax.amount != draft.totals.tax:
        ours = Money(draft.totals.tax, draft.currency)
        return say(TAX, theirs=made.tax, ours=ours)
    return ""


def follow_up(session: Session, run: Run, document: DocumentRow) -> None:
    """The invoice goes to the deal; where all is done, tasks that asked for help are completed."""
    account, deal = run.account_id, document.source_id
    about = {"deal": deal, "responsible": run.memory.get("responsible")}
    write = NewJob(
        account, JobKind.INVOICE_TO_DEAL, f"invoice:{document.id}", JobClass.WRITE_BACK, about
    )
    jobs.defer(session, write, run.now())
    if document.settled and document.state != DocumentState.MISMATCH:
        defer_completion(session, run, deal, f"Done: invoice {document.number} was made.")


def tell_mismatch(session: Session, run: Run, number: str, difference: str) -> None:
    payload = {
        "deal": run.job.subject.removeprefix("deal:"),
        "cause": "mismatch",
        "text": f"Invoice {number} was made in FreshBooks, but {difference}. It was not sent and "
        "stays a draft: check it in FreshBooks, correct it where it is wrong, and send it there.",
        "responsible": run.memory.get("responsible"),
    }
    new = NewJob(
        run.account_id,
        JobKind.TELL_MANAGER,
        f"tell:{payload['deal']}",
        JobClass.WRITE_BACK,
        payload,
    )
    jobs.defer(session, new, run.now())
