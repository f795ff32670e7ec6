"""What *try again* will do, in sentences, before somebody clicks it: from what the ledger and the
jobs know, without a call to a vendor."""

from collections.abc import Iterable

from server.core.messages import N_
from server.core.said import Said, say
from server.core.states import DocumentState, JobState
from server.flows.again import Known, known_of
from server.flows.attempt import unsettled
from server.flows.world import World
from server.store import accounts, activity_detail, activity_marks, ledger, settings
from server.store.accounts import ConnectionRow
from server.store.activity_entries import deal_in
from server.store.db import Session
from server.store.ledger import DocumentRow

LOOKS_FIRST = N_(
    "First looks in FreshBooks whether the earlier attempt made the invoice (reference "
    "%(reference)s). If it did, that one is kept; if not, the same invoice is sent again."
)
LOOKS_FOR_TWO = N_(
    "First looks in FreshBooks for invoices with the reference %(reference)s. One is kept as this "
    "deal's; if there is none, it is sent again; if there are several, it stops again."
)
REFUSED = N_(
    "The earlier attempt surely made nothing. Reads the deal again, and may create one invoice."
)
NEW = N_("Reads the deal again; nothing was made so far, so it may create one invoice.")
MORE = N_(
    "What was begun for this deal is finished first, without a second invoice for the same. Then "
    "reads the deal again, and may create one invoice for each series, or each entering of the "
    "stage, that has none yet."
)
NO_RULE = N_("No rule is on, so the deal is only left out again.")
COMPARES = N_(
    "Compares invoice %(number)s in FreshBooks with the deal's draft again. If they agree now, it "
    "goes on as the rule wants; if not, nothing is sent. No other invoice is made."
)
DELETED = N_(
    "Invoice %(number)s was deleted in FreshBooks; none is made in its place. That is written on "
    "the deal."
)
SENDS = {
    "mark_sent": N_(
        "Invoice %(number)s exists; it is marked as sent, and written on the deal. No other "
        "invoice is made."
    ),
    "email": N_(
        "Invoice %(number)s exists; it is mailed unless that was done already, and written on the "
        "deal. No other invoice is made."
    ),
}
EXISTS = N_("Invoice %(number)s exists. No other invoice is made.")
WRITES = N_(
    "Invoice %(number)s exists; its number, link, amount and status are written on the deal. No "
    "other invoice is made."
)
TELLS = N_("Makes one task in Kommo for the deal's responsible user, unless that was solved.")
RUNNING = N_("Something runs for this deal at this moment; this comes after it.")
NOT_CONNECTED = N_("%(vendor)s is not connected, so it waits until somebody connects it again.")
ELSEWHERE = N_("The invoice was begun in the FreshBooks business that was connected before.")
EVENT = N_("Reads this message of Kommo again, and then the deals that it names.")
PLUMBING = N_("Does this once more, now. It makes no invoice.")


def what_again_will_do(world: World, account_id: int, subject: str) -> list[Said]:
    """Empty: there is nothing to try again."""
    with world.database.read() as session:
        if activity_marks.turned_away(session, account_id, subject) is not None:
            return [say(EVENT)]
        deal_id = deal_in(subject)
        if deal_id is None:
            found = activity_detail.open_jobs(session, account_id, subject)
            return [say(PLUMBING)] if found else []
        known = known_of(session, account_id, deal_id)
        if known is None:
            return []
        return list(_told(session, account_id, known))


def _told(session: Session, account_id: int, known: Known) -> Iterable[Said]:
    if known.last is not None and known.last.state == JobState.RUNNING:
        yield say(RUNNING)
    yield from _missing(session, account_id, known)
    if known.bills:
        yield from _billing(session, account_id, known)
    if known.writes and known.invoice is not None:
        template = DELETED if known.invoice.state == DocumentState.DELETED else WRITES
        yield say(template, number=known.invoice.number)
    if known.tells:
        yield say(TELLS)


def _missing(session: Session, account_id: int, known: Known) -> Iterable[Said]:
    """What makes it end where it ended before."""
    names = {"kommo": "Kommo", "freshbooks": "FreshBooks"}
    for vendor, name in names.items():
        row = accounts.connection(session, account_id, vendor)
        if row is None or row.state != "connected":
            yield say(NOT_CONNECTED, vendor=name)
        elif vendor == "freshbooks" and _begun_elsewhere(known, row):
            yield say(ELSEWHERE)


def _begun_elsewhere(known: Known, row: ConnectionRow) -> bool:
    home = f"freshbooks:{row.external_id}"
    return known.invoice is not None and known.bills and known.invoice.home != home


def _billing(session: Session, account_id: int, known: Known) -> Iterable[Said]:
    invoice = known.invoice
    if known.more and invoice is not None:
        return [say(MORE)]
    attempt = ledger.last_attempt(session, invoice.id) if invoice else None
    if invoice is None or attempt is None:
        return _new(session, account_id, NEW)
    if invoice.state == DocumentState.AMBIGUOUS:
        return [say(LOOKS_FOR_TWO, reference=attempt.reference)]
    if invoice.upstream_id is not None:
        return [_made(invoice)]
    if unsettled(attempt):
        return [say(LOOKS_FIRST, reference=attempt.reference)]
    return _new(session, account_id, REFUSED)


def _new(session: Session, account_id: int, template: str) -> Iterable[Said]:
    yield say(template)
    if not settings.switched_on(session, account_id):
        yield say(NO_RULE)


def _made(invoice: DocumentRow) -> Said:
    facts = {"number": invoice.number}
    match invoice.state:
        case DocumentState.MISMATCH:
            return say(COMPARES, **facts)
        case DocumentState.CREATED:
            return say(SENDS.get(invoice.action, EXISTS), **facts)
        case _:
            return say(EXISTS, **facts)
