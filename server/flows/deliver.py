"""What the rule wants done with a proven invoice: nothing, mark as sent, or e-mail; then its link.

What the rule wants was committed with the claim. Whoever goes on after another run reads the
invoice first; marking twice does no harm. An e-mail of unknown outcome is sent again only while
the invoice is still a draft, after the quiet period.
"""

from server.core.errors import CannotBill, NotOurs, Problem, Reconnect, TryLater
from server.core.keys import InvoiceId
from server.core.said import say
from server.core.states import AttemptOutcome, DocumentState
from server.flows import look_up
from server.flows.attempt import died, noting, unsettled
from server.flows.record_invoice import as_seen, follow_up
from server.flows.run import Run
from server.store import ledger
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key
from server.vendors.freshbooks.read import Invoice, invoice_page

DRAFT = 1  # FreshBooks' status of an invoice that was never sent


def deliver(run: Run, document: DocumentRow, seen: Invoice | None = None) -> DocumentRow:
    """Send as the rule wants and put the client's link on the document. Raises the outcomes; an
    unsent invoice is shown on the deal as the draft that it is.

    ``seen``: the invoice as it was just made or found; without it, it is read before anything is
    sent, for an earlier run, or a person, may have sent it.
    """
    sent: Invoice | None = None
    try:
        if document.state != DocumentState.SENT:
            sent = _send(run, document, seen or run.freshbooks.invoice(_id(document)))
        link = _client_page(run, document)
    except (TryLater, Reconnect, CannotBill):
        _record(run, document, sent, "" if sent else document.link)
        raise
    return _record(run, document, sent, link)


def _send(run: Run, document: DocumentRow, seen: Invoice) -> Invoice:
    if document.action == "email":
        return _email(run, document, seen)
    return run.freshbooks.mark_sent(seen.id) if seen.status == DRAFT else seen


def _client_page(run: Run, document: DocumentRow) -> str:
    """The client's own page; where FreshBooks gives none, its operator's page stays."""
    try:
        link = run.freshbooks.share_link(_id(document))
    except (CannotBill, NotOurs):
        link = ""
    return link or document.link or operator_page(run, document)


def _record(run: Run, document: DocumentRow, sent: Invoice | None, link: str) -> DocumentRow:
    """What came of it, and that the deal shows it."""
    news = {"state": DocumentState.SENT, **as_seen(sent)} if sent else {}
    with run.phase() as session:
        document = ledger.record(session, document.id, run.now(), link=link, **news)
        follow_up(session, run, document)
    return document


def _id(document: DocumentRow) -> InvoiceId:
    return InvoiceId(int(document.upstream_id or 0))


def operator_page(run: Run, document: DocumentRow) -> str:
    """Where the account's own people see the invoice; a client cannot open it."""
    side = run.world.freshbooks
    return invoice_page(side.app_url, run.freshbooks_connection.realm, _id(document))


def _email(run: Run, document: DocumentRow, seen: Invoice) -> Invoice:
    """The first e-mail, a document of its own."""
    key = Key(run.account_id, "document", str(document.id), "email")
    with run.world.database.read() as session:
        mail = ledger.look(session, key)
        before = ledger.last_attempt(session, mail.id) if mail else None
    if mail is not None and mail.state == DocumentState.SENT:  # and then our run ended
        return seen
    if before is not None and unsettled(before):
        if seen.status != DRAFT:
            _mailed(run, before, AttemptOutcome.ADOPTED)
            return seen
        died(run, before)
        waiting = look_up.wait_out(run, before)
        if waiting is not None:
            raise waiting
    return _mail(run, document, key) if seen.status == DRAFT else seen


def _mail(run: Run, document: DocumentRow, key: Key) -> Invoice:
    recipient = _recipient(run, document)
    with run.phase() as session:
        mail = ledger.open_document(session, key, run.now(), kind="email", home=document.home)
        attempt = ledger.begin(session, mail, Frozen({"to": recipient}, recipient), run.now())
    try:
        with noting(run, attempt):
            seen = run.freshbooks.email_invoice(_id(document), [recipient])
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
            [
                Problem(
                    "client.email",
                    say("The client has no e-mail address."),
                    say("Add one and try again."),
                )
            ]
        )
    return recipient


def _mailed(run: Run, attempt: AttemptRow, how: AttemptOutcome) -> None:
    with run.phase() as session:
        ledger.end(session, attempt.id, how, run.now(), state=DocumentState.SENT)
