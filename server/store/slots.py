"""A stretch of periodic work, taken once over all processes."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, inserted, rows_changed


class SlotRow(Base):
    __tablename__ = "slot"

    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    taken_at: Mapped[datetime]


def _number(length: timedelta, now: datetime) -> int:
    return int((now - datetime(2020, 1, 1, tzinfo=UTC)) / length)


def due(session: Session, name: str, length: timedelta, now: datetime) -> bool:
    """Whether this stretch of ``length`` is still to be taken; only a look."""
    return session.get(SlotRow, (name, _number(length, now))) is None


def take(session: Session, name: str, length: timedelta, now: datetime) -> bool:
    """Whether the stretch is ours."""
    row = SlotRow(name=name, slot=_number(length, now), taken_at=now)
    return due(session, name, length, now) and inserted(session, row)


def forget_before(session: Session, before: datetime) -> int:
    return rows_changed(session, sa.delete(SlotRow).where(SlotRow.taken_at < before))
