"""Running numbers of an account, reserved in the commit that uses them."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, inserted


class CounterRow(Base):
    __tablename__ = "counter"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int]


def take(session: Session, account_id: int, name: str, at_least: int) -> int:
    """The next number, never below ``at_least``; the caller's commit makes it gone for good."""
    counter = sa.select(CounterRow).filter_by(account_id=account_id, name=name).with_for_update()
    row = session.scalar(counter)
    if row is None:
        inserted(session, CounterRow(account_id=account_id, name=name, next=at_least))
        row = session.scalars(counter).one()  # ours, or that of who was faster
    taken = max(row.next, at_least)
    row.next = taken + 1
    session.flush()
    return taken
