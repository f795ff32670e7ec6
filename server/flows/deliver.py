"""What the rule wants done with a proven invoice: nothing, mark as sent, or e-mail; then its link.

Each is an intent that was committed before its call: after a lost reply the invoice is read first.
Marking twice does no harm. An e-mail of unknown outcome is sent again only while the invoice is
still a draft, after the quiet period.
"""

from server.core.errors import CannotBill, NotOurs, Problem, Reconnect, TryLater
from server.core.keys import InvoiceId
from server.core.states import AttemptOutcome, DocumentState
from server.flows import look_up
from server.flows.attempt import noting, unsettled
from server.flows.record_invoice import as_seen, follow_up
from server.flows.run import Run
from server.store import ledger
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key
from server.vendors.freshbooks.read import Invoice, invoice_page

DRAFT = 1  # FreshBooks' status of an invoice that was never sent


def deliver(run: Run, document: DocumentRow, seen: Invoice | None = None) -> DocumentRow:
    """Send as the rule wants and put the client's link on the document. Raises the outcomes; an
    unsent invoice is shown on the deal as the draft that it is. ``seen`` is how it was found: one
    that a person sent meanwhile is not sent again."""
    try:
        if seen is not None and seen.status != DRAFT:
            document = _sent(run, document, seen)
        if document.state != DocumentState.SENT:
            document = _send(run, document)
        return _link(run, document)
    except (TryLater, Reconnect, CannotBill):
        with run.phase() as session:
            follow_up(session, run, document)
        raise


def _send(run: Run, document: DocumentRow) -> DocumentRow:
    invoice_id = InvoiceId(int(document.upstream_id or 0))
    if document.action == "email":
        return _email(run, document, invoice_id)
    if document.details.get("sending"):
        seen = run.freshbooks.invoice(invoice_id)
        if seen.status != DRAFT:
            return _sent(run, document, seen)
    else:
        with run.phase() as session:
            document = ledger.record(session, document.id, run.now(), details={"sending": True})
    return _sent(run, document, run.freshbooks.mark_sent(invoice_id))


def _sent(run: Run, document: DocumentRow, seen: Invoice) -> DocumentRow:
    with run.phase() as session:
        return ledger.record(
            session, document.id, run.now(), state=DocumentState.SENT, link="", **as_seen(seen)
        )


def _link(run: Run, document: DocumentRow) -> DocumentRow:
    """The client's own page; where FreshBooks gives none, its operator's page stays."""
    try:
        link = run.freshbooks.share_link(InvoiceId(int(document.upstream_id or 0)))
    except (CannotBill, NotOurs):
        link = document.link or operator_page(run, document)
    with run.phase() as session:
        document = ledger.record(session, document.id, run.now(), link=link)
        follow_up(session, run, document)
    return document


def operator_page(run: Run, document: DocumentRow) -> str:
    """Where the account's own people see the invoice; a client cannot open it."""
    side = run.world.freshbooks
    return invoice_page(
        side.app_url, run.freshbooks_connection.realm, int(document.upstream_id or 0)
    )


def _email(run: Run, document: DocumentRow, invoice_id: InvoiceId) -> DocumentRow:
    """The first e-mail, a document of its own."""
    key = Key(run.account_id, "document", str(document.id), "email")
    with run.world.database.read() as session:
        mail = ledger.look(session, key)
        before = ledger.last_attempt(session, mail.id) if mail else None
    if mail is not None and mail.state == DocumentState.SENT:  # and then our run ended
        return _sent(run, document, run.freshbooks.invoice(invoice_id))
    if before is not None and unsettled(before):
        waiting = look_up.wait_out(run, before)
        if waiting is not None:
            raise waiting
        seen = run.freshbooks.invoice(invoice_id)
        if seen.status != DRAFT:
            _mailed(run, before, AttemptOutcome.ADOPTED)
            return _sent(run, document, seen)
    return _sent(run, document, _mail(run, document, key, invoice_id))


def _mail(run: Run, document: DocumentRow, key: Key, invoice_id: InvoiceId) -> Invoice:
    recipient = _recipient(run, document)
    with run.phase() as session:
        mail = ledger.open_document(session, key, run.now(), kind="email", home=document.home)
        attempt = ledger.begin(session, mail, Frozen({"to": recipient}, recipient), run.now())
    try:
        with noting(run, attempt):
            seen = run.freshbooks.email_invoice(invoice_id, [recipient])
    except TryLater as later:
        raise look_up.after_quiet(run, later) from later
    _mailed(run, attempt, AttemptOutcome.CREATED)
    return seen


def _recipient(run: Run, document: DocumentRow) -> str:
    with run.world.database.read() as session:
        attempt = ledger.last_attempt(session, document.id)
    recipient: str = attempt.draft["client"]["email"] if attempt else ""
    if not recipient:
        raise CannotBill(
            [Problem("client.email", "The client has no e-mail address.", "Add one and try again.")]
        )
    return recipient


def _mailed(run: Run, attempt: AttemptRow, how: AttemptOutcome) -> None:
    with run.phase() as session:
        ledger.end(session, attempt.id, how, run.now(), state=DocumentState.SENT)
