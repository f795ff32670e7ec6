"""What was made outside for a deal, or was tried: its invoices, e-mails and tasks, as steps of its
story."""

from collections.abc import Iterator
from datetime import datetime

from flask_babel import gettext as _

from server.core.states import AttemptOutcome, DocumentState
from server.store.activity_detail import AttemptSeen, DocumentSeen
from server.web.activity_steps import Step, When
from server.web.activity_words import sentence
from server.web.languages import money, spoken

FOUND = (AttemptOutcome.CREATED, AttemptOutcome.ADOPTED)


def made(document: DocumentSeen, client: str) -> Iterator[Step]:
    """``client``: its name, "" where it is not known."""
    for attempt in reversed(document.attempts):
        match document.kind:
            case "invoice":
                yield from _invoice(document, attempt, client)
            case "email":
                yield _email(attempt)
            case "task":
                yield _task(attempt)
    if document.kind == "invoice":
        yield from _afterwards(document)
    if document.kind == "task" and document.state == DocumentState.CLOSED:
        yield Step(document.updated_at, When.CLOSED, _("The task in Kommo was completed."))


def _invoice(document: DocumentSeen, attempt: AttemptSeen, client: str) -> Iterator[Step]:
    if attempt.outcome == AttemptOutcome.ADOPTED and attempt.started_at:
        yield _unsure(attempt.started_at, "")
    if attempt.outcome in FOUND:
        link = document.made.link if document.made else ""
        words = _made_words(document, client)
        more: tuple[str, ...] = ()
        if attempt.outcome == AttemptOutcome.ADOPTED:
            more = (_("FreshBooks had made it; Billhook found it by its reference and kept it."),)
        yield Step(_end(attempt), When.MADE, words, "good", more, link)
    elif attempt.outcome == AttemptOutcome.UNCERTAIN:
        last = attempt is document.attempts[0]
        yield _unsure(_end(attempt), attempt.error, sent_again=not last)
    else:
        words = {
            AttemptOutcome.NOT_SENT: _("FreshBooks could not be reached; nothing was sent."),
            AttemptOutcome.REFUSED: _("FreshBooks refused the invoice."),
        }.get(AttemptOutcome(attempt.outcome), _("The invoice is on its way to FreshBooks."))
        yield Step(_end(attempt), When.MADE, words, "busy", _why(attempt))


def _unsure(at: datetime | None, error: str, *, sent_again: bool = False) -> Step:
    words = _("The invoice was sent to FreshBooks, and no certain answer came.")
    rest = _("Before anything is sent again, Billhook looks for it there.")
    if sent_again:
        rest = _("Billhook looked for it there, and found none.")
    return Step(at, When.MADE, words, "busy", (sentence(error), rest) if error else (rest,))


def _made_words(document: DocumentSeen, client: str) -> str:
    one = document.made
    if one is None or not one.number:
        return str(_("The invoice was made in FreshBooks."))
    facts = {"number": one.number, "amount": money(one.amount, one.currency), "client": client}
    if client:
        return str(
            _("Invoice %(number)s for %(client)s was made in FreshBooks: %(amount)s.", **facts)
        )
    return str(_("Invoice %(number)s was made in FreshBooks: %(amount)s.", **facts))


def _afterwards(document: DocumentSeen) -> Iterator[Step]:
    last = _end(document.attempts[0]) if document.attempts else None
    match document.state:
        case DocumentState.MISMATCH:
            words = _("The figures differ: %(what)s.", what=spoken(document.said))
            more = (_("So it was not sent, and stays a draft."),)
            yield Step(last or document.updated_at, When.SENT, words, "bad", more)
        case DocumentState.AMBIGUOUS:
            yield Step(document.updated_at, When.SENT, sentence(document.said), "bad")
        case DocumentState.DELETED:
            words = _("It was deleted in FreshBooks; none is made in its place.")
            yield Step(last or document.updated_at, When.SENT, words)
        case DocumentState.SENT if document.action == "mark_sent":
            yield Step(last, When.SENT, _("It was marked as sent."), "good")


def _email(attempt: AttemptSeen) -> Step:
    words = {
        AttemptOutcome.CREATED: _("FreshBooks e-mailed it to the client."),
        AttemptOutcome.ADOPTED: _("FreshBooks had e-mailed it to the client."),
        AttemptOutcome.UNCERTAIN: _("FreshBooks was asked to e-mail it; no certain answer came."),
        AttemptOutcome.OPEN: _("FreshBooks is asked to e-mail it."),
    }.get(AttemptOutcome(attempt.outcome), _("FreshBooks did not e-mail it."))
    tone = "good" if attempt.outcome in FOUND else "busy"
    return Step(_end(attempt), When.SENT, words, tone, _why(attempt))


def _task(attempt: AttemptSeen) -> Step:
    if attempt.outcome in FOUND:
        words = _("A task in Kommo asks the deal's responsible user for help.")
        return Step(_end(attempt), When.ASKED, words)
    words = _("The task for the responsible user could not be made.")
    return Step(_end(attempt), When.ASKED, words, "busy", _why(attempt))


def _why(attempt: AttemptSeen) -> tuple[str, ...]:
    return (sentence(attempt.error),) if attempt.error else ()


def _end(attempt: AttemptSeen) -> datetime | None:
    return attempt.ended_at or attempt.started_at
