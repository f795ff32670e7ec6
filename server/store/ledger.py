"""The ledger: what was made upstream and cannot be undone, once per key.

One table seen four ways: idempotency key, "which invoice belongs to this deal", audit, and what
reconciliation compares. An attempt freezes what is sent; while it is uncertain, only the frozen
draft is looked up, compared or sent again.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.keys import DocumentId
from server.core.states import AttemptOutcome, DocumentState
from server.store.copies import copies, copy_of
from server.store.db import Base, is_duplicate, partial_index, put, savepoint, writable
from server.store.sentence import Sentence

OF_INVOICE = sa.text("kind = 'invoice'")


class DocumentRow(Base):
    __tablename__ = "document"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "source", "source_id", "purpose", "sequence"),
        # No invoice is adopted twice. ``home`` is the vendor's own scope of its ids.
        sa.UniqueConstraint("home", "kind", "upstream_id"),
        # All that a search for an invoice's number reads.
        partial_index("ix_document_number", OF_INVOICE, "account_id", "id", "number", "source_id"),
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
    said: Mapped[str] = mapped_column(Sentence, default="")
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
    error: Mapped[str] = mapped_column(Sentence, default="")


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
    return copy_of(session, DocumentRow, _FOUND, vars(key))


def look(session: Session, key: Key) -> DocumentRow | None:
    """To read only; ``find`` locks the row for a decision."""
    return copy_of(session, DocumentRow, _LOOKED_AT, vars(key))


_DOCUMENT = cast("sa.Table", DocumentRow.__table__)


def _by(*names: str) -> sa.Select[Any]:
    return sa.select(_DOCUMENT).where(*(_DOCUMENT.c[one] == sa.bindparam(one) for one in names))


_LOOKED_AT = _by(*Key.__dataclass_fields__)
_FOUND = _LOOKED_AT.with_for_update()


def open_document(session: Session, key: Key, now: datetime, **columns: Any) -> DocumentRow:
    """The document of this key, made in state *claimed* where there was none."""
    row = find(session, key)
    if row is not None:
        return row
    new = {**vars(key), "created_at": now, "updated_at": now, **columns}
    try:
        with savepoint(session):
            (row,) = copies(session, DocumentRow, _OPENED, new)
            return row
    except IntegrityError as err:  # another process claimed the key in between
        if not is_duplicate(err):
            raise
    there = find(session, key)
    if there is None:
        raise RuntimeError(f"{key} can neither be opened nor found")
    return there


_OPENED = sa.insert(_DOCUMENT).returning(*_DOCUMENT.c)


def attempts(session: Session, document_id: int) -> list[AttemptRow]:
    return copies(session, AttemptRow, _ATTEMPTS, {"document_id": document_id})


_ATTEMPT = cast("sa.Table", AttemptRow.__table__)
_ATTEMPTS = (
    sa.select(_ATTEMPT)
    .where(_ATTEMPT.c.document_id == sa.bindparam("document_id"))
    .order_by(_ATTEMPT.c.ordinal)
)


def last_attempt(session: Session, document_id: int) -> AttemptRow | None:
    rows = attempts(session, document_id)
    return rows[-1] if rows else None


def begin(
    session: Session, document: DocumentRow, frozen: Frozen, now: datetime, **columns: Any
) -> AttemptRow:
    """The last commit before a call that cannot be undone: what is sent, and since when.

    ``columns``: what else the document is from now on.
    """
    of = {"document_id": document.id, "of_document": document.id}
    new = {**of, **vars(frozen), "call_started_at": now}
    (attempt,) = copies(session, AttemptRow, _BEGUN, new)
    wanted = {"state": DocumentState.CLAIMED, **columns}
    if any(getattr(document, name) != value for name, value in wanted.items()):
        record(session, document.id, now, **wanted)
    return attempt


_BEFORE = sa.select(sa.func.coalesce(sa.func.max(_ATTEMPT.c.ordinal), 0)).where(
    _ATTEMPT.c.document_id == sa.bindparam("of_document")
)
_BEGUN = sa.insert(_ATTEMPT).values(ordinal=_BEFORE.scalar_subquery() + 1).returning(*_ATTEMPT.c)


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
    known = {"outcome": outcome, "error": error, "ended_at": now}
    of = session.connection().execute(_ENDED, {"attempt_id": attempt_id, **known}).scalar_one()
    return record(session, of, now, **{"state": state, "said": error, **columns})


_ENDED = (
    sa.update(_ATTEMPT)
    .where(_ATTEMPT.c.id == sa.bindparam("attempt_id"))
    .returning(_ATTEMPT.c.document_id)
)


def record(session: Session, document_id: int, now: datetime, **columns: Any) -> DocumentRow:
    for name in columns.keys() - _DOCUMENT.c.keys():
        raise AttributeError(f"a document has no {name}")
    # Neither a Said, whose column takes it as it is, nor an enum's value.
    news = {k: writable(value) if type(value) is str else value for k, value in columns.items()}
    bound = {"document_id": document_id, "updated_at": now, **news}
    (document,) = copies(session, DocumentRow, _RECORDED, bound)
    return document


_OF_ID = _DOCUMENT.c.id == sa.bindparam("document_id")
_RECORDED = sa.update(_DOCUMENT).where(_OF_ID).returning(*_DOCUMENT.c)


def of_source(session: Session, account_id: int, source: str, source_id: str) -> list[DocumentRow]:
    bound = {"account_id": account_id, "source": source, "source_id": source_id}
    return copies(session, DocumentRow, _OF_SOURCE, bound)


_OF_SOURCE = _by("account_id", "source", "source_id").order_by(_DOCUMENT.c.id)


def open_tasks(session: Session, account_id: int, deal_id: str) -> list[DocumentRow]:
    """Tasks that we made for this deal and that nobody completed through us."""
    rows = of_source(session, account_id, "kommo", deal_id)
    return [r for r in rows if r.kind == "task" and r.state == DocumentState.CREATED]


def get(session: Session, document_id: DocumentId) -> DocumentRow:
    (document,) = copies(session, DocumentRow, _GOT, {"document_id": document_id})
    return document


_GOT = sa.select(_DOCUMENT).where(_OF_ID)


def linked_client(session: Session, home: str, client_key: str) -> ClientLinkRow | None:
    return copy_of(session, ClientLinkRow, _LINKED, {"home": home, "client_key": client_key})


_LINK = cast("sa.Table", ClientLinkRow.__table__)
_LINKED = sa.select(_LINK).where(
    _LINK.c.home == sa.bindparam("home"), _LINK.c.client_key == sa.bindparam("client_key")
)


def link_client(session: Session, **columns: Any) -> None:
    """Remember (or correct) which client a key stands for."""
    put(session, ClientLinkRow(**columns))


def linked_ids(session: Session, home: str) -> set[str]:
    """The clients of this business that a key stands for."""
    query = sa.select(ClientLinkRow.upstream_id).where(ClientLinkRow.home == home)
    return set(session.scalars(query))


def unlink_client(session: Session, home: str, client_key: str) -> None:
    """The client is gone upstream; the next sale matches anew."""
    session.execute(sa.delete(ClientLinkRow).filter_by(home=home, client_key=client_key))
