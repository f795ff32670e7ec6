"""Which invoice of a deal answers which entering of a stage: each entering has one number a series.

Only rules that bill again on re-entry number what they bill. The vendor's id of the event tells
two enterings apart, however often we hear of them; the number is the ledger's ``sequence``.
"""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base
from server.store.ledger import DocumentRow


class NumberedEntryRow(Base):
    __tablename__ = "numbered_entry"
    __table_args__ = (sa.UniqueConstraint("account_id", "deal_id", "purpose", "sequence"),)

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    deal_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)  # invoice, invoice:<series>
    event: Mapped[str] = mapped_column(primary_key=True)  # the vendor's id of the entering
    sequence: Mapped[int]


def number_of(session: Session, account_id: int, deal_id: int, purpose: str, event: str) -> int:
    """The number of this entering; the next free one where it has none yet.

    What a rule billed before it was told to bill again was not numbered, and its number is taken.
    """
    mine = {"account_id": account_id, "deal_id": deal_id, "purpose": purpose}
    known = number_if_any(session, account_id, deal_id, purpose, event)
    if known is not None:
        return known
    taken = session.scalars(sa.select(_TABLE.c.sequence).filter_by(**mine)).all()
    used = session.scalars(
        sa.select(DocumentRow.sequence).where(
            DocumentRow.account_id == account_id,
            DocumentRow.source == "kommo",
            DocumentRow.source_id == str(deal_id),
            DocumentRow.purpose == purpose,
        )
    ).all()
    sequence: int = max([-1, *taken, *used]) + 1
    session.execute(sa.insert(_TABLE).values(**mine, event=event, sequence=sequence))
    return sequence


def number_if_any(
    session: Session, account_id: int, deal_id: int, purpose: str, event: str
) -> int | None:
    found: int | None = session.scalar(
        sa.select(_TABLE.c.sequence).filter_by(
            account_id=account_id, deal_id=deal_id, purpose=purpose, event=event
        )
    )
    return found


def purposes_used(session: Session, account_id: int) -> dict[str, set[str]]:
    """By the rule's slug, what it has made invoices for, or has begun to."""
    rows = session.execute(
        sa.select(DocumentRow.rule_slug, DocumentRow.purpose)
        .where(DocumentRow.account_id == account_id, DocumentRow.kind == "invoice")
        .distinct()
    )
    used: dict[str, set[str]] = {}
    for slug, purpose in rows:
        used.setdefault(slug, set()).add(purpose)
    return used


_TABLE = cast("sa.Table", NumberedEntryRow.__table__)
