"""The ledger: what was made upstream and cannot be undone, once per key.

One table seen four ways: idempotency key, "which invoice belongs to this deal", audit, and what
reconciliation compares. An attempt freezes what is sent; while it is uncertain, only the frozen
draft is looked up, compared or sent again.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.keys import DocumentId
from server.core.states import AttemptOutcome, DocumentState
from server.store.db import Base, inserted, put, writable


class DocumentRow(Base):
    __tablename__ = "document"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "source", "source_id", "purpose", "sequence"),
        # No invoice is adopted twice. ``home`` is the vendor's own scope of its ids.
        sa.UniqueConstraint("home", "kind", "upstream_id"),
        sa.Index("ix_document_source", "account_id", "source", "source_id"),
        sa.Index("ix_document_state", "account_id", "kind", "state", "updated_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    source: Mapped[str]  # kommo, client, document
    source_id: Mapped[str]
    purpose: Mapped[str]  # invoice, client, task:<fingerprint>, email
    sequence: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str]  # invoice, client, task, email
    home: Mapped[str]  # freshbooks:<business id>, kommo:<account id>
    state: Mapped[str] = mapped_column(default=DocumentState.CLAIMED)
    upstream_id: Mapped[str | None]
    number: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="")  # the vendor's, last seen
    amount: Mapped[str] = mapped_column(default="")  # the vendor's total, major units
    currency: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(sa.Text, default="")
    action: Mapped[str] = mapped_column(default="")  # what the rule wanted: draft, mark_sent, email
    rule_slug: Mapped[str] = mapped_column(default="")
    said: Mapped[str] = mapped_column(sa.Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    written: Mapped[str] = mapped_column(default="")  # digest of what stands on the deal
    ignored_by: Mapped[str] = mapped_column(default="")  # who decided that it needs nobody
    ignored_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def settled(self) -> bool:
        """Nothing is left to do for what the rule wanted, or a person must decide."""
        if self.state == DocumentState.CREATED:
            return self.action in ("", "draft")
        if self.state == DocumentState.SENT:
            return bool(self.link)
        return self.state in (
            DocumentState.MISMATCH,
            DocumentState.AMBIGUOUS,
            DocumentState.DELETED,
        )


class AttemptRow(Base):
    __tablename__ = "attempt"
    __table_args__ = (sa.UniqueConstraint("document_id", "ordinal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(sa.ForeignKey("document.id"))
    ordinal: Mapped[int]
    draft: Mapped[dict[str, Any]]
    draft_hash: Mapped[str]
    customer_id: Mapped[str] = mapped_column(default="")
    create_date: Mapped[date | None]
    number: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    reference_place: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(default=AttemptOutcome.OPEN)
    call_started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(sa.Text, default="")


class ClientLinkRow(Base):
    """Which client of a business a client key stands for."""

    __tablename__ = "client_link"

    home: Mapped[str] = mapped_column(primary_key=True)
    client_key: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    upstream_id: Mapped[str]
    made_by_us: Mapped[bool]
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Key:
    """Never twice: one document a key."""

    account_id: int
    source: str
    source_id: str
    purpose: str
    sequence: int = 0


@dataclass(frozen=True)
class Frozen:
    """What an attempt sends and what it is found again by."""

    draft: dict[str, Any]
    draft_hash: str
    customer_id: str = ""
    create_date: date | None = None
    number: str = ""
    reference: str = ""
    reference_place: str = ""


def find(session: Session, key: Key) -> DocumentRow | None:
    return session.scalar(_FOUND, vars(key))


def look(session: Session, key: Key) -> DocumentRow | None:
    """To read only; ``find`` locks the row for a decision."""
    return session.scalar(_LOOKED_AT, vars(key))


_LOOKED_AT = sa.select(DocumentRow).where(
    *(getattr(DocumentRow, name) == sa.bindparam(name) for name in Key.__dataclass_fields__)
)
_FOUND = _LOOKED_AT.with_for_update()


def open_document(session: Session, key: Key, now: datetime, **columns: Any) -> DocumentRow:
    """The document of this key, made in state *claimed* where there was none."""
    row = find(session, key)
    if row is not None:
        return row
    row = DocumentRow(**vars(key), created_at=now, updated_at=now, **columns)
    if inserted(session, row):
        return row
    there = find(session, key)  # another process claimed the key in between
    if there is None:
        raise RuntimeError(f"{key} can neither be opened nor found")
    return there


def attempts(session: Session, document_id: int) -> list[AttemptRow]:
    return list(session.scalars(_ATTEMPTS, {"document_id": document_id}))


_ATTEMPTS = (
    sa.select(AttemptRow)
    .where(AttemptRow.document_id == sa.bindparam("document_id"))
    .order_by(AttemptRow.ordinal)
)


def last_attempt(session: Session, document_id: int) -> AttemptRow | None:
    rows = attempts(session, document_id)
    return rows[-1] if rows else None


def begin(session: Session, document: DocumentRow, frozen: Frozen, now: datetime) -> AttemptRow:
    """The last commit before a call that cannot be undone: what is sent, and since when."""
    before = last_attempt(session, document.id)
    row = AttemptRow(
        document_id=document.id,
        ordinal=(before.ordinal if before else 0) + 1,
        call_started_at=now,
        **vars(frozen),
    )
    session.add(row)
    document.state = DocumentState.CLAIMED
    document.updated_at = now
    session.flush()
    return row


def frozen_in(attempt: AttemptRow) -> Frozen:
    return Frozen(**{name: getattr(attempt, name) for name in Frozen.__dataclass_fields__})


def end(
    session: Session,
    attempt_id: int,
    outcome: AttemptOutcome,
    now: datetime,
    *,
    state: DocumentState,
    error: str = "",
    **columns: Any,
) -> DocumentRow:
    """What is known of the call, on the attempt and on its document, in one commit."""
    attempt = session.get_one(AttemptRow, attempt_id)
    attempt.outcome = outcome
    attempt.error = writable(error)
    attempt.ended_at = now
    return record(session, attempt.document_id, now, state=state, said=error, **columns)


def record(session: Session, document_id: int, now: datetime, **columns: Any) -> DocumentRow:
    document = session.get_one(DocumentRow, document_id)
    for name, value in columns.items():
        if not hasattr(DocumentRow, name):
            raise AttributeError(f"a document has no {name}")
        setattr(document, name, writable(value) if isinstance(value, str) else value)
    document.updated_at = now
    session.flush()
    return document


def of_source(session: Session, account_id: int, source: str, source_id: str) -> list[DocumentRow]:
    bound = {"account_id": account_id, "source": source, "source_id": source_id}
    return list(session.scalars(_OF_SOURCE, bound))


_OF_SOURCE = (
    sa.select(DocumentRow)
    .where(
        DocumentRow.account_id == sa.bindparam("account_id"),
        DocumentRow.source == sa.bindparam("source"),
        DocumentRow.source_id == sa.bindparam("source_id"),
    )
    .order_by(DocumentRow.id)
)


def open_tasks(session: Session, account_id: int, deal_id: str) -> list[DocumentRow]:
    """Tasks that we made for this deal and that nobody completed through us."""
    rows = of_source(session, account_id, "kommo", deal_id)
    return [r for r in rows if r.kind == "task" and r.state == DocumentState.CREATED]


def get(session: Session, document_id: DocumentId) -> DocumentRow:
    return session.get_one(DocumentRow, document_id)


def linked_client(session: Session, home: str, client_key: str) -> ClientLinkRow | None:
    return session.get(ClientLinkRow, (home, client_key))


def link_client(session: Session, **columns: Any) -> None:
    """Remember (or correct) which client a key stands for."""
    put(session, ClientLinkRow(**columns))


def linked_ids(session: Session, home: str) -> set[str]:
    """The clients of this business that a key stands for."""
    query = sa.select(ClientLinkRow.upstream_id).where(ClientLinkRow.home == home)
    return set(session.scalars(query))


def unlink_client(session: Session, home: str, client_key: str) -> None:
    """The client is gone upstream; the next sale matches anew."""
    row = linked_client(session, home, client_key)
    if row is not None:
        session.delete(row)
        session.flush()
