"""The inbox: every accepted request as it came, and the entries that it proves.

Nothing is dropped by its body's hash: two real changes may be byte-identical. Folding happens in
jobs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import (
    Base,
    inserted,
    is_duplicate,
    partial_index,
    rows_changed,
    savepoint,
    writable,
)
from server.store.sentence import Sentence

SAME_ENTRY = timedelta(seconds=120)  # a hook and Kommo's event of one move differ by less
SAME_MOMENT = timedelta(seconds=2)  # a stamp of a hook and of an event, of one clock
_LEFT_OUT = sa.text("left_out")  # a bare boolean: both databases know it


class EventRow(Base):
    """One request of a vendor. ``verdict`` says in words what became of it."""

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_heard", "account_id", "received_at", "id"),
        partial_index("ix_event_left_out", _LEFT_OUT, "account_id", "received_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    kind: Mapped[str]  # the hook's kind: kommo, kommo-dp, freshbooks
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    subjects: Mapped[list[Any]]
    verdict: Mapped[str] = mapped_column(Sentence)
    left_out: Mapped[bool] = mapped_column(default=False)  # as a whole, for the account's sake
    received_at: Mapped[datetime] = mapped_column(index=True)


class EntryRow(Base):
    """One proven entering of a stage. ``upstream_id`` is Kommo's event id, once known. ``judged``:
    a run or a person has decided about it; kept for rules that bill again alone. ``ignored_by``:
    who said that it is not to be billed, "" where nobody did."""

    __tablename__ = "entry"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "upstream_id"),
        sa.Index("ix_entry_deal", "account_id", "deal_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    deal_id: Mapped[int] = mapped_column(sa.BigInteger)
    pipeline_id: Mapped[int] = mapped_column(sa.BigInteger)
    stage_id: Mapped[int] = mapped_column(sa.BigInteger)
    at: Mapped[datetime]
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("event.id"), index=True)
    upstream_id: Mapped[str | None]
    judged: Mapped[bool] = mapped_column(default=False)
    ignored_by: Mapped[str] = mapped_column(default="")


class CursorRow(Base):
    """How far a stream was read."""

    __tablename__ = "cursor"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True)
class Entered:
    """An entering as a hook or Kommo's event list tells it."""

    deal_id: int
    pipeline_id: int
    stage_id: int
    at: datetime
    event_id: int | None = None
    upstream_id: str | None = None
    received: bool = False  # ``at`` is when we heard of it: the teller gave no time


def keep(session: Session, **columns: Any) -> int:
    """Store a request as it came; returns the event's id."""
    kept = session.connection().execute(_KEEP, columns).inserted_primary_key
    return int(kept[0]) if kept else 0


_EVENT = cast("sa.Table", EventRow.__table__)
_KEEP = sa.insert(_EVENT)


def enter(session: Session, account_id: int, entered: Entered, *, none_seen: bool = False) -> bool:
    """Keep an entering unless it is known already; whether it was news.

    A hook's repetition, and Kommo's own event of the entering that a hook told, are the same:
    same deal and stage within two minutes. The event's id is put on the hook's row, and a later
    time: left and entered again, it counts from then (a rule may have been switched on between).
    ``none_seen``: this transaction has just found no entry of the deal.
    """
    columns = {name: value for name, value in vars(entered).items() if name != "received"}
    columns["account_id"] = account_id
    if _known(session, account_id, entered):
        return False
    try:
        with savepoint(session):
            row = None if none_seen else _same(session, columns)
            if row is not None:
                return _tell(session, row, entered)
            session.connection().execute(_ENTER, columns)
    except IntegrityError as err:  # another told of the same event meanwhile (PostgreSQL)
        if not is_duplicate(err):
            raise
        return False
    return True


def _same(session: Session, columns: dict[str, Any]) -> "sa.Row[Any, Any, Any] | None":
    """The entry that this telling is of; two events of Kommo's are two entries however near."""
    near = {"since": columns["at"] - SAME_ENTRY, "until": columns["at"] + SAME_ENTRY}
    found = session.connection().execute(_SAME, {**columns, **near}).all()
    fits = (row for row in found if columns["upstream_id"] is None or row.upstream_id is None)
    return next(fits, None)


def _tell(session: Session, row: "sa.Row[Any, Any, Any]", entered: Entered) -> bool:
    later = not entered.received and entered.at - row.at > SAME_MOMENT
    told = {"told_id": row.upstream_id or entered.upstream_id}
    told["told_at"] = entered.at if later else row.at
    if (told["told_id"], told["told_at"]) != (row.upstream_id, row.at):
        entered_again = {"judged": False, "ignored_by": ""} if later else {}
        session.connection().execute(_TOLD.values(**entered_again), {"entry_id": row.id, **told})
    return later


_ENTRY = cast("sa.Table", EntryRow.__table__)
_PLACE = ("account_id", "deal_id", "pipeline_id", "stage_id")
_SAME = (
    sa.select(_ENTRY.c.id, _ENTRY.c.at, _ENTRY.c.upstream_id)
    .where(
        *(_ENTRY.c[name] == sa.bindparam(name) for name in _PLACE),
        _ENTRY.c.at.between(sa.bindparam("since"), sa.bindparam("until")),
    )
    .order_by(_ENTRY.c.id)
)
_ENTER = sa.insert(_ENTRY)
_TOLD = (
    sa.update(_ENTRY)
    .where(_ENTRY.c.id == sa.bindparam("entry_id"))
    .values(upstream_id=sa.bindparam("told_id"), at=sa.bindparam("told_at"))
)


def _known(session: Session, account_id: int, entered: Entered) -> bool:
    """Whether this event of Kommo's stands on an entry already."""
    if entered.upstream_id is None:
        return False
    query = sa.select(EntryRow.id).filter_by(account_id=account_id, upstream_id=entered.upstream_id)
    return session.scalar(query) is not None


def entries(session: Session, account_id: int, deal_id: int) -> list[EntryRow]:
    query = sa.select(EntryRow).where(
        EntryRow.account_id == account_id, EntryRow.deal_id == deal_id
    )
    return list(session.scalars(query.order_by(EntryRow.at, EntryRow.id)))


def judge(session: Session, ids: Sequence[int]) -> None:
    """No later run comes back to these entries."""
    session.execute(sa.update(EntryRow).where(EntryRow.id.in_(ids)).values(judged=True))


def ignore(session: Session, account_id: int, deal_id: int, by: str) -> None:
    """Of all that the deal has entered so far a person said that it is not to be billed."""
    mine = sa.and_(EntryRow.account_id == account_id, EntryRow.deal_id == deal_id)
    told = {"judged": True, "ignored_by": writable(by)}
    session.execute(sa.update(EntryRow).where(mine).values(**told))


def events(
    session: Session,
    *,
    account_id: int | None,
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Sequence[str] = (),
) -> Iterable[EventRow]:
    """The inbox in the order of its coming, for replay."""
    query = sa.select(EventRow).order_by(EventRow.id)
    if account_id is not None:
        query = query.where(EventRow.account_id == account_id)
    if since is not None:
        query = query.where(EventRow.received_at >= since)
    if until is not None:
        query = query.where(EventRow.received_at < until)
    if kinds:
        query = query.where(EventRow.kind.in_(kinds))
    return session.scalars(query.execution_options(yield_per=200))


def by_ids(session: Session, ids: Sequence[int]) -> list[EventRow]:
    query = sa.select(EventRow).where(EventRow.id.in_(ids)).order_by(EventRow.id)
    return list(session.scalars(query))


def cursor(session: Session, account_id: int, stream: str) -> datetime | None:
    row = session.get(CursorRow, (account_id, stream))
    return row.at if row else None


def move_cursor(session: Session, account_id: int, stream: str, at: datetime) -> None:
    """Forwards only; in the commit that wrote what was read up to there."""
    row = session.get(CursorRow, (account_id, stream), with_for_update=True)
    if row is None:
        if inserted(session, CursorRow(account_id=account_id, stream=stream, at=at)):
            return
        row = session.get_one(CursorRow, (account_id, stream), with_for_update=True)
    if row.at < at:
        row.at = at
    session.flush()


def forget_before(session: Session, before: datetime, most: int) -> int:
    """Retention, in batches; an entry outlives the event that proved it."""
    old = sa.select(EventRow.id).where(EventRow.received_at < before).limit(most)
    ids = list(session.scalars(old))
    session.execute(sa.update(EntryRow).where(EntryRow.event_id.in_(ids)).values(event_id=None))
    return rows_changed(session, sa.delete(EventRow).where(EventRow.id.in_(ids)))
