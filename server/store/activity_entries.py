"""One entry of the activity page, made from the row that decides it. No body, no traceback."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.errors import Problem
from server.core.states import IGNORED, Group
from server.store import deal_names
from server.store.activity_groups import STATES_OF, UNDECIDED, UNDER_WAY
from server.store.deal_names import Names
from server.store.inbox import EventRow
from server.store.job_rows import JobKind, JobRow
from server.store.ledger import DocumentRow

LONGEST_ID = 9  # digits of our own ids that any database takes
BUG = "bug"  # its job's text is a traceback: for the log, not for a page


@dataclass(frozen=True)
class Ignored:
    by: str
    at: datetime


@dataclass(frozen=True)
class Made:
    """The deal's invoice, as the ledger knows it. ``amount`` in major units."""

    document_id: int
    number: str
    state: str
    status: str
    amount: Decimal | None
    currency: str
    link: str


@dataclass(frozen=True)
class Entry:
    """``subject`` is what detail, *again* and *ignore* ask for: "deal:5512033", "event:77",
    "ensure:account". ``state`` is that of the row that decides: a job's, a document's, or
    "event". ``said`` is "" where only the log has the words (a bug)."""

    subject: str
    group: Group
    at: datetime
    kind: str
    state: str
    cause: str = ""
    said: str = ""
    problems: tuple[Problem, ...] = ()
    attempts: int = 0
    due_at: datetime | None = None  # of what waits or retries
    deal_id: int | None = None
    deal_name: str = ""  # "" where no run of ours has read the deal, or its names are forgotten
    client_name: str = ""
    invoice: Made | None = None
    ignored: Ignored | None = None


def of_jobs(session: Session, ids: Sequence[int]) -> dict[int, Entry]:
    rows = session.scalars(sa.select(JobRow).where(JobRow.id.in_(ids)))
    return {row.id: of_job(row) for row in rows}


def of_job(row: JobRow) -> Entry:
    ahead = row.state in UNDER_WAY
    return Entry(
        subject=row.about or f"{row.kind}:{row.subject}",
        group=next(g for g, states in STATES_OF.items() if row.state in states),
        at=row.updated_at,
        kind=row.kind,
        state=row.state,
        cause=row.cause,
        said=said_by(row),
        problems=problems_in(row),
        attempts=row.attempts,
        due_at=row.due_at if ahead else None,
        deal_id=deal_in(row.about),
        ignored=ignored_in(row),
    )


def problems_in(row: JobRow) -> tuple[Problem, ...]:
    """The last outcome's; none where a person left it out or it ended well since."""
    return tuple(Problem.from_json(problem) for problem in row.problems)


def said_by(row: JobRow) -> str:
    return "" if row.cause == BUG else row.said


def ignored_in(row: JobRow) -> Ignored | None:
    told = row.payload.get("ignored")
    if not told or row.cause != IGNORED:
        return None
    return Ignored(told["by"], datetime.fromisoformat(told["at"]))


def deal_in(subject: str | None) -> int | None:
    """5512033 of "deal:5512033"; None of anything else."""
    kind, _, number = (subject or "").partition(":")
    return int(number) if kind == "deal" and number.isdecimal() and len(number) < 19 else None


def of_documents(session: Session, ids: Sequence[int]) -> dict[int, Entry]:
    rows = session.scalars(sa.select(DocumentRow).where(DocumentRow.id.in_(ids)))
    return {
        row.id: Entry(
            subject=f"deal:{row.source_id}",
            group=Group.IN_ORDER,
            at=row.updated_at,
            kind=JobKind.DEAL_TO_INVOICE,
            state=row.state,
            cause=row.state if row.state in UNDECIDED else "",
            said=row.said,
            deal_id=deal_in(f"deal:{row.source_id}"),
        )
        for row in rows
    }


def of_events(session: Session, ids: Sequence[int]) -> dict[int, Entry]:
    """Without the bodies."""
    columns = (EventRow.id, EventRow.received_at, EventRow.kind, EventRow.verdict)
    rows = session.execute(sa.select(*columns).where(EventRow.id.in_(ids)))
    return {
        row.id: Entry(
            f"event:{row.id}", Group.LEFT_OUT, row.received_at, row.kind, "event", said=row.verdict
        )
        for row in rows
    }


def completed(session: Session, account_id: int, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """With what is known of their deals: names and invoices."""
    deals = sorted({entry.deal_id for entry in entries if entry.deal_id is not None})
    names = deal_names.of_deals(session, account_id, deals)
    rows = _invoices_of(session, account_id, [str(deal) for deal in deals])
    newest = {deal_in(f"deal:{row.source_id}"): row for row in rows}
    return tuple(
        _completed(entry, names.get(entry.deal_id), newest.get(entry.deal_id))
        if entry.deal_id is not None
        else entry
        for entry in entries
    )


def _completed(entry: Entry, names: Names | None, invoice: DocumentRow | None) -> Entry:
    if names is not None:
        entry = replace(entry, deal_name=names.deal, client_name=names.client)
    if invoice is None:
        return entry
    return replace(entry, invoice=made_in(invoice), ignored=entry.ignored or accepted(invoice))


def _invoices_of(session: Session, account_id: int, deals: Sequence[str]) -> Iterable[DocumentRow]:
    if not deals:
        return ()
    own = sa.and_(DocumentRow.account_id == account_id, DocumentRow.source == "kommo")
    return session.scalars(
        sa.select(DocumentRow)
        .where(own, DocumentRow.source_id.in_(deals), DocumentRow.kind == "invoice")
        .order_by(DocumentRow.id)
    )


def accepted(row: DocumentRow) -> Ignored | None:
    return Ignored(row.ignored_by, row.ignored_at) if row.ignored_at is not None else None


def made_in(row: DocumentRow) -> Made | None:
    """None: only claimed, nothing is known to exist."""
    if row.upstream_id is None:
        return None
    amount = Decimal(row.amount) if row.amount else None
    return Made(row.id, row.number, row.state, row.status, amount, row.currency, row.link)
