"""What a deal and its client are called, as they were last read: what a person looks for.

One row a deal, so that what names a person stands in one place besides the drafts. Of a deal that
was never drafted it is forgotten with its jobs; else it stays as long as the draft, which names the
client as well. Nothing is sent or decided by it.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, partial_index, rows_changed, writable
from server.store.ledger import OF_INVOICE, DocumentRow

LONGEST = 200  # characters of a name
MOST_WORDS = 8  # of a search
READ = 20_000  # names, and invoices' numbers, that a search looks through: the newest
_FORGOTTEN = sa.text("NOT drafted")


class DealNameRow(Base):
    """``words``: what a search compares, without case and accents."""

    __tablename__ = "deal_name"
    __table_args__ = (
        partial_index("ix_deal_name_old", _FORGOTTEN, "read_at"),
        {"sqlite_with_rowid": False},  # a search walks the account's rows, and nothing else
    )

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    deal_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    deal: Mapped[str]
    client: Mapped[str]
    words: Mapped[str] = mapped_column(sa.Text)
    drafted: Mapped[bool]
    read_at: Mapped[datetime]


@dataclass(frozen=True)
class Names:
    """``drafted``: an invoice was, so that its draft names the client anyway."""

    deal: str
    client: str
    drafted: bool = False


def note(session: Session, account_id: int, deal_id: int, names: Names, now: datetime) -> None:
    """In place of what was noted of the deal before; one statement."""
    deal, client = (writable(name.strip())[:LONGEST] for name in (names.deal, names.client))
    row = {"account_id": account_id, "deal_id": deal_id, "deal": deal, "client": client}
    row |= {"words": plain(f"{deal} {client}"), "drafted": names.drafted, "read_at": now}
    session.connection().execute(_NOTE[session.get_bind().dialect.name], row)


_NAME = cast("sa.Table", DealNameRow.__table__)


def _note(new: Any) -> Any:
    told = {name: new.excluded[name] for name in ("deal", "client", "words", "read_at")}
    told["drafted"] = sa.or_(_NAME.c.drafted, new.excluded.drafted)
    return new.on_conflict_do_update(index_elements=["account_id", "deal_id"], set_=told)


_NOTE = {
    "sqlite": _note(sqlite.insert(_NAME)),
    "postgresql": _note(postgresql.insert(_NAME)),
}


def plain(text: str) -> str:
    """How names are compared: without case, accents and space at the ends."""
    loose = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in loose if not unicodedata.combining(letter)).strip()


def of_deals(session: Session, account_id: int, deals: Sequence[int]) -> dict[int, Names]:
    if not deals:
        return {}
    rows = session.connection().execute(_OF_DEALS, {"account_id": account_id, "deals": deals})
    return {deal_id: Names(deal, client) for deal_id, deal, client in rows}


_OWN = _NAME.c.account_id == sa.bindparam("account_id")
_OF_DEALS = sa.select(_NAME.c.deal_id, _NAME.c.deal, _NAME.c.client).where(
    _OWN, _NAME.c.deal_id.in_(sa.bindparam("deals", expanding=True))
)


def fitting(session: Session, account_id: int, text: str, most: int) -> list[int]:
    """The deals that have every word of ``text`` in their names, or whose number it is, or that
    have an invoice whose number holds it; at most ``most``, the highest numbers first."""
    words = plain(text).split()[:MOST_WORDS]
    if not words:
        return []
    found = set(_named(session, account_id, words, most))
    number = text.strip().removeprefix("#").strip()
    if len(words) == 1 and any(letter.isdecimal() for letter in number):
        found |= _numbered(session, account_id, number, most)
        if number.isascii() and number.isdecimal() and len(number) < 19:
            found.add(int(number))
    return sorted(found, reverse=True)[:most]


def _named(session: Session, account_id: int, words: Sequence[str], most: int) -> list[int]:
    read = sa.select(_NAME.c.deal_id, _NAME.c.words).where(_OWN)
    newest = read.order_by(_NAME.c.deal_id.desc()).limit(READ).subquery()
    fits = [newest.c.words.contains(word, autoescape=True) for word in words]
    query = sa.select(newest.c.deal_id).where(*fits).order_by(newest.c.deal_id.desc()).limit(most)
    return list(session.connection().execute(query, {"account_id": account_id}).scalars())


def _numbered(session: Session, account_id: int, number: str, most: int) -> set[int]:
    """By the index of invoices' numbers; of what fits the row is read, for an order of another
    source is no deal."""
    own = sa.and_(DocumentRow.account_id == account_id, OF_INVOICE)
    read = sa.select(DocumentRow.id, DocumentRow.number, DocumentRow.source_id).where(own)
    newest = read.order_by(DocumentRow.id.desc()).limit(READ).subquery()
    fits = sa.func.lower(newest.c.number).contains(number.lower(), autoescape=True)
    of_deal = sa.and_(DocumentRow.id == newest.c.id, DocumentRow.source == "kommo")
    query = sa.select(newest.c.source_id).join(DocumentRow, of_deal).where(fits)
    query = query.order_by(newest.c.id.desc()).limit(most)
    return {int(deal) for deal in session.connection().execute(query).scalars()}


def forget_before(session: Session, before: datetime, most: int) -> int:
    """Retention, in batches."""
    old = sa.select(_NAME.c.account_id, _NAME.c.deal_id).where(_FORGOTTEN, _NAME.c.read_at < before)
    key = sa.tuple_(_NAME.c.account_id, _NAME.c.deal_id)
    return rows_changed(session, sa.delete(DealNameRow).where(key.in_(old.limit(most))))
