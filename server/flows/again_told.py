"""What *try again* will do, in sentences, before somebody clicks it: from what the ledger and the
jobs know, without a call to a vendor; so they say of an invoice that it was made, not that it is
still there."""

from collections.abc import Iterable

from server.core.messages import N_
from server.core.said import Said, say
from server.core.states import DocumentState, JobState
from server.flows.again import Known, known_of
from server.flows.attempt import unsettled
from server.flows.hook_to_jobs import not_ours
from server.flows.world import World
from server.store import accounts, activity_detail, activity_marks, ledger, settings
from server.store.accounts import ConnectionRow
from server.store.activity_entries import deal_in
from server.store.db import Session
from server.store.inbox import EventRow
from server.store.job_rows import JobKind
from server.store.ledger import DocumentRow
from server.vendors.kommo.hooks import BadHook, parse

LOOKS_FIRST = N_(
    "First looks in FreshBooks, as soon as the earlier attempt is surely over, whether it made the "
    "invoice (reference %(reference)s). If it did, that one is kept; if not, the same invoice is "
    "sent again."
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
DELETED = N_("Invoice %(number)s was deleted in FreshBooks. None is made in its place.")
WRITES_DELETED = N_(
    "Invoice %(number)s was deleted in FreshBooks. That is written on the deal once more; no "
    "invoice is made in its place."
)
SENDS = {
    "mark_sent": N_(
        "Invoice %(number)s was made. It is marked as sent, and written on the deal. No other "
        "invoice is made."
    ),
    "email": N_(
        "Invoice %(number)s was made. It is mailed unless that was done already, and written on "
        "the deal. No other invoice is made."
    ),
}
MADE = N_("Invoice %(number)s was made. No other invoice is made.")
WRITES = N_(
    "Invoice %(number)s was made. Its number, link, amount and status, as Billhook knows them, are "
    "written on the deal once more. No other invoice is made."
)
TELLS = N_("Makes one task in Kommo for the deal's responsible user, unless that was solved.")
RUNNING = N_("Something runs for this deal at this moment; this comes after it.")
NOT_CONNECTED = N_("%(vendor)s is not connected, so it waits until somebody connects it again.")
ELSEWHERE = N_("The invoice was begun in the FreshBooks business that was connected before.")
EVENT = N_(
    "Takes this message of Kommo as if it came now: the deals in it that a rule's stage names are "
    "looked at, and each of them may get an invoice if it has none."
)
NOT_CONNECTED_NOW = N_(
    "Nothing happens as long as Kommo is not connected: the message stays left out. Connect Kommo "
    "first, then try again."
)
OF_ANOTHER = N_(
    "Nothing happens: the message tells of another Kommo account than the one that is connected "
    "here, and stays left out."
)
UNREADABLE = N_("Nothing happens: this message cannot be read any more.")
IDLE = (NOT_CONNECTED_NOW, OF_ANOTHER, UNREADABLE)
PLUMBING = {  # every kind that is of no deal
    JobKind.ENSURE: N_(
        "Looks at Billhook's fields and webhook in Kommo, and makes what is missing. It makes no "
        "invoice."
    ),
    JobKind.SWEEP_EVENTS: N_(
        "Asks Kommo for what its webhooks missed. Deals that entered a rule's stage meanwhile are "
        "then billed as usual."
    ),
    JobKind.TASKS_DONE: N_("Completes the tasks in Kommo that asked for help. Nothing else."),
    JobKind.WHAT_IF: N_("Reads the deals of the last 90 days again. Nothing is written anywhere."),
    JobKind.PROBE: N_(
        "Asks now whether the service is back. If it is, everything that waits for it goes on, and "
        "deals among that are billed as usual."
    ),
    JobKind.ALL_AGAIN: N_(
        "Tries the other deals that stopped for this cause again. Each of them may get an invoice "
        "if it has none."
    ),
    JobKind.WELCOME: N_(
        "Finishes connecting Kommo. What waits for that goes on then, and deals among it are "
        "billed as usual."
    ),
    JobKind.FAREWELL: N_(
        "Asks Kommo whether Billhook may still come in. If not, the connection ends. It makes no "
        "invoice."
    ),
}


def what_again_will_do(world: World, account_id: int, subject: str) -> list[Said]:
    """Empty: there is nothing to try again."""
    with world.database.read() as session:
        event = activity_marks.turned_away(session, account_id, subject)
        if event is not None:
            return [say(_of_event(session, account_id, event))]
        deal_id = deal_in(subject)
        if deal_id is None:
            found = activity_detail.open_jobs(session, account_id, subject)
            return [say(PLUMBING[JobKind(job.kind)]) for job in found[:1]]
        known = known_of(session, account_id, deal_id)
        if known is None:
            return []
        return list(_told(session, account_id, known))


def is_idle(told: Iterable[Said]) -> bool:
    """Whether all of it is that nothing happens."""
    return all(sentence.template in IDLE for sentence in told)


def _of_event(session: Session, account_id: int, event: EventRow) -> str:
    """By what ``replay.take_event_again`` asks."""
    try:
        hook = parse(event.body, str(event.headers.get("Content-Type", "")))
    except BadHook:
        return UNREADABLE
    tie = accounts.connection(session, account_id, "kommo")
    if tie is None or tie.state == "disconnected":
        return NOT_CONNECTED_NOW
    return OF_ANOTHER if not_ours(tie.state, tie.external_id, hook) else EVENT


def _told(session: Session, account_id: int, known: Known) -> Iterable[Said]:
    if known.last is not None and known.last.state == JobState.RUNNING:
        yield say(RUNNING)
    yield from _missing(session, account_id, known)
    if known.bills:
        yield from _billing(session, account_id, known)
    if known.writes and known.invoice is not None:
        gone = known.invoice.state == DocumentState.DELETED
        template = WRITES_DELETED if gone else WRITES
        yield say(template, number=known.invoice.number)
    if known.tells:
        yield say(TELLS)


def _missing(session: Session, account_id: int, known: Known) -> Iterable[Said]:
    """What makes it end where it ended before."""
    names = {"kommo": "Kommo", "freshbooks": "FreshBooks"}
    if not known.bills and known.invoice is not None and known.invoice.link:
        del names["freshbooks"]  # what is written on the deal is known here
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
            return say(SENDS.get(invoice.action, MADE), **facts)
        case DocumentState.DELETED:
            return say(DELETED, **facts)
        case _:
            return say(MADE, **facts)
