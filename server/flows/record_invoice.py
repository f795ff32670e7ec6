"""An invoice exists upstream: compare it with the frozen draft, and record what is so."""

from server.core.invoice import InvoiceDraft
from server.core.states import AttemptOutcome, DocumentState, JobClass
from server.flows.run import Run
from server.flows.tasks_done import defer_completion
from server.store import jobs, ledger
from server.store.db import Session
from server.store.jobs import JobKind, NewJob
from server.store.ledger import AttemptRow, DocumentRow
from server.vendors.freshbooks.read import Invoice, invoice_page
from server.vendors.freshbooks.statuses import word_of


def record_invoice(
    run: Run, document: DocumentRow, attempt: AttemptRow, made: Invoice, how: AttemptOutcome
) -> DocumentRow:
    """One commit: the attempt's end, the document's state, and the jobs that follow from it."""
    draft = InvoiceDraft.from_json(attempt.draft)
    difference = differs(draft, made)
    if made.vis_state == 1:
        state, said = DocumentState.DELETED, f"invoice {made.number} was deleted in FreshBooks"
    elif difference:
        state, said = DocumentState.MISMATCH, difference
    else:
        state, said = DocumentState.CREATED, ""
    link = invoice_page(run.world.freshbooks.app_url, run.freshbooks_connection.realm, made.id)
    with run.phase() as session:
        document = ledger.end(
            session,
            attempt.id,
            how,
            run.now(),
            state=state,
            upstream_id=str(made.id),
            link=link,
            **as_seen(made),
        )
        document.said = said
        if document.settled:
            follow_up(session, run, document)
        if state == DocumentState.MISMATCH:
            tell_mismatch(session, run, difference)
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
    """What differs between the draft's figures and FreshBooks', in words; "" when nothing does."""
    if made.currency != draft.currency:
        return f"currency: {draft.currency} here, {made.currency} in FreshBooks"
    if made.amount.amount != draft.totals.total:
        return f"total: {draft.total} here, {made.amount} in FreshBooks"
    if made.tax is not None and made.tax.amount != draft.totals.tax:
        return f"tax: {draft.totals.tax} here, {made.tax} in FreshBooks"
    return ""


def follow_up(session: Session, run: Run, document: DocumentRow) -> None:
    """The invoice goes to the deal, and tasks that asked for help are completed."""
    account, deal = run.account_id, document.source_id
    about = {"deal": deal, "responsible": run.memory.get("responsible")}
    write = NewJob(
        account, JobKind.INVOICE_TO_DEAL, f"invoice:{document.id}", JobClass.WRITE_BACK, about
    )
    jobs.defer(session, write, run.now())
    if document.state != DocumentState.MISMATCH:
        defer_completion(session, run, deal, f"Done: invoice {document.number} was made.")


def tell_mismatch(session: Session, run: Run, difference: str) -> None:
    payload = {
        "deal": run.job.subject.removeprefix("deal:"),
        "cause": "mismatch",
        "text": f"The invoice stays a draft, for its figures differ: {difference}. "
        "Compare both, then correct the deal or the invoice in FreshBooks.",
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
