"""The invoice's number, link, amount and status go to the deal's custom fields.

Written only when something differs from what stands there by our own last writing. The fields are
found by their code and made when they are missing. Of several invoices the deal shows the newest.
"""

from decimal import Decimal

from server.core.errors import NotOurs
from server.core.keys import DocumentId, digest
from server.core.said import say
from server.core.settings import WriteBack
from server.core.states import DocumentState
from server.flows import deal_fields
from server.flows.deliver import operator_page
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.flows.tasks_done import defer_completion
from server.store import ledger
from server.store.db import Session
from server.store.ledger import DocumentRow
from server.vendors.kommo.fields import Choice, FieldInput

OWN_WORDS = (DocumentState.MISMATCH, DocumentState.DELETED)  # said instead of the vendor's status


def invoice_to_deal(run: Run) -> str:
    document_id = DocumentId(int(run.job.subject.removeprefix("invoice:")))
    with run.world.database.read() as session:
        document = ledger.get(session, document_id)
        newer = _newer(session, document)
        into = settings_of(session, run.account_id).mapping.write_back
    if newer:
        return say("The deal shows invoice %(number)s, which is newer.", number=newer.number)
    values = shown(run, document, into)
    now_there = digest({code: str(value) for code, value in values.items()})
    if now_there == document.written:
        return say("The deal shows it already.")
    if values:
        deal_fields.write(run, int(document.source_id), deal_fields.specs_of(into), values)
    with run.phase() as session:
        document = ledger.record(session, document_id, run.now(), written=now_there)
        if document.settled and document.state != DocumentState.MISMATCH:
            result = f"Done: the deal shows invoice {document.number}."
            defer_completion(session, run, document.source_id, result)
    return say("The deal shows invoice %(number)s.", number=document.number)


def _newer(session: Session, document: DocumentRow) -> DocumentRow | None:
    """The deal's newest invoice, where it is another one."""
    rows = ledger.of_source(session, document.account_id, document.source, document.source_id)
    made = [row for row in rows if row.kind == "invoice" and row.upstream_id is not None]
    return made[-1] if made and made[-1].id > document.id else None


def shown(run: Run, document: DocumentRow, into: WriteBack) -> dict[str, FieldInput]:
    """Field code to value, for the fields that the mapping writes back.

    An unsent invoice has no page that its client can open: the link is then FreshBooks' own page
    for the account's team, and the status beside it says *draft*.
    """
    if document.upstream_id is None:
        raise NotOurs(say("there is no invoice yet"))
    status = document.state if document.state in OWN_WORDS else document.status
    values: dict[str | None, FieldInput] = {
        into.link: document.link or operator_page(run, document),
        into.number: document.number,
        into.amount: Decimal(document.amount),
        into.status: Choice(status),
    }
    return {code: value for code, value in values.items() if code}
