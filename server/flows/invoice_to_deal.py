"""The invoice's number, link, amount and status go to the deal's custom fields.

Written only when something differs from what stands there by our own last writing. The fields are
found by their code and made when they are missing.
"""

from server.core.errors import NotOurs
from server.core.keys import DealId, DocumentId, digest
from server.core.settings import SettingsDocument
from server.flows import deal_fields
from server.flows.deliver import operator_page
from server.flows.run import Run
from server.flows.settings_of import settings_of
from server.store import ledger
from server.store.ledger import DocumentRow

DRAFT_LINK = " (draft: only your own team can open it)"


def invoice_to_deal(run: Run) -> str:
    document_id = DocumentId(int(run.job.subject.removeprefix("invoice:")))
    with run.world.database.read() as session:
        document = ledger.get(session, document_id)
        wanted = settings_of(session, run.account_id)
    values = shown(run, document, wanted)
    if digest(values) == document.written:
        return "stands there already"
    if values:
        fields = deal_fields.ensure(run, sorted(values))
        run.kommo.write_deal(
            DealId(int(document.source_id)),
            {fields[code]: value for code, value in values.items()},
        )
    with run.phase() as session:
        ledger.record(session, document_id, run.now(), written=digest(values))
    return f"{document.number} {document.status}"


def shown(run: Run, document: DocumentRow, wanted: SettingsDocument) -> dict[str, str]:
    """Field code to value, for the fields that the mapping writes back."""
    if document.upstream_id is None:
        raise NotOurs("there is no invoice yet")
    into = wanted.mapping.write_back
    status = document.state if document.state in ("mismatch", "deleted") else document.status
    values = {
        into.link: document.link or operator_page(run, document),
        into.number: document.number,
        into.amount: document.amount,
        into.status: status,
    }
    return {code: value for code, value in values.items() if code}
