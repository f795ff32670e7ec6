"""One-time things: OAuth tickets, and tokens that must not be used twice."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, inserted, rows_changed
from server.store.secrets import hash_of, new_key


class TicketRow(Base):
    """Somebody's intent to connect, or to sign in (a ``vendor`` of its own, so that no ticket is
    ever taken for one of the other intent). minted → started (has a state, bound to a browser) →
    returned (tokens sealed, both sides named) → completed, or failed with a sentence. A widget's
    install has no intent of ours before it: it begins as ``widget``, with its code sealed."""

    __tablename__ = "oauth_ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    holder: Mapped[str | None]  # a hash of who asked for it; None: the command line
    ticket_hash: Mapped[str] = mapped_column(unique=True)
    state_hash: Mapped[str | None] = mapped_column(unique=True)
    browser_hash: Mapped[str | None]
    stage: Mapped[str] = mapped_column(default="minted")
    result_sealed: Mapped[str | None] = mapped_column(sa.Text)
    summary: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class UsedTokenRow(Base):
    """What may not be used any more, kept until it would have expired by itself: the ``jti`` of a
    one-time token, the id of a session that was ended."""

    __tablename__ = "used_token"

    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


def mint(  # all that a new row says
    session: Session,
    vendor: str,
    account_id: int | None,
    now: datetime,
    expires_at: datetime,
    *,
    holder: str | None = None,
) -> str:
    """A new ticket; what is returned is shown once and stored as its hash."""
    ticket = new_key()
    session.add(
        TicketRow(
            vendor=vendor,
            account_id=account_id,
            holder=holder,
            ticket_hash=hash_of(ticket),
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return ticket


def start(
    session: Session, vendor: str, ticket: str, now: datetime, *, holder: str | None = None
) -> tuple[str, str] | None:
    """Spend a minted ticket: (state for the vendor, secret for the browser's cookie), or None. One
    that somebody holds is spent by its holder alone."""
    state, browser = new_key(), new_key()
    spent = rows_changed(
        session,
        sa.update(TicketRow)
        .where(
            TicketRow.vendor == vendor,
            TicketRow.ticket_hash == hash_of(ticket),
            sa.or_(TicketRow.holder.is_(None), TicketRow.holder == holder),
            TicketRow.stage == "minted",
            TicketRow.expires_at > now,
        )
        .values(stage="started", state_hash=hash_of(state), browser_hash=hash_of(browser)),
    )
    return (state, browser) if spent == 1 else None


def come_back(
    session: Session, vendor: str, state: str, browser: str, now: datetime
) -> TicketRow | None:
    """Spend a state from the browser that it was given to: the ticket, now ``returning``."""
    spent = rows_changed(
        session,
        sa.update(TicketRow)
        .where(
            TicketRow.vendor == vendor,
            TicketRow.state_hash == hash_of(state),
            TicketRow.browser_hash == hash_of(browser),
            TicketRow.stage == "started",
            TicketRow.expires_at > now,
        )
        .values(stage="returning"),
    )
    if spent != 1:
        return None
    return session.scalar(sa.select(TicketRow).where(TicketRow.state_hash == hash_of(state)))


def minted_since(session: Session, vendor: str, since: datetime, holder: str | None = None) -> int:
    """How many tickets of this kind were minted since then, over all or for one holder."""
    query = sa.select(sa.func.count()).where(
        TicketRow.vendor == vendor, TicketRow.created_at > since
    )
    if holder is not None:
        query = query.where(TicketRow.holder == holder)
    return session.scalar(query) or 0


def has_state(session: Session, vendor: str, state: str) -> bool:
    """Whether this state was given to a ticket of this kind, however it stands now."""
    query = sa.select(TicketRow.id).where(
        TicketRow.vendor == vendor, TicketRow.state_hash == hash_of(state)
    )
    return session.scalar(query) is not None


def in_browser(
    session: Session, vendor: str, browser: str, stage: str, now: datetime
) -> TicketRow | None:
    """The ticket of this kind that this browser began, where it stands at ``stage`` and lives."""
    return session.scalar(
        sa.select(TicketRow).where(
            TicketRow.vendor == vendor,
            TicketRow.browser_hash == hash_of(browser),
            TicketRow.stage == stage,
            TicketRow.expires_at > now,
        )
    )


def leave(session: Session, vendor: str, stage: str, now: datetime, expires_at: datetime) -> int:
    """A row that nobody holds a ticket for (a widget's install); its id."""
    row = TicketRow(
        vendor=vendor,
        ticket_hash=hash_of(new_key()),
        stage=stage,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row.id


def standing(session: Session, stage: str, now: datetime) -> int:
    """How many that have not expired stand at this stage."""
    query = sa.select(sa.func.count()).where(TicketRow.stage == stage, TicketRow.expires_at > now)
    return session.scalar(query) or 0


def get(session: Session, ticket_id: int) -> TicketRow | None:
    return session.get(TicketRow, ticket_id)


def find(session: Session, ticket: str) -> TicketRow | None:
    return session.scalar(sa.select(TicketRow).where(TicketRow.ticket_hash == hash_of(ticket)))


def settle(session: Session, ticket_id: int, stage: str, **changes: Any) -> None:
    session.execute(
        sa.update(TicketRow).where(TicketRow.id == ticket_id).values(stage=stage, **changes)
    )


def advance(session: Session, ticket_id: int, before: str, stage: str, **changes: Any) -> bool:
    """From one stage to the next, once: whether it stood there."""
    moved = rows_changed(
        session,
        sa.update(TicketRow)
        .where(TicketRow.id == ticket_id, TicketRow.stage == before)
        .values(stage=stage, **changes),
    )
    return moved == 1


def forget_expired(session: Session, now: datetime, most: int) -> int:
    """Retention: what expired holds sealed tokens that nobody will ask for; used tokens that
    have expired are refused as such. How many tickets went."""
    session.execute(sa.delete(UsedTokenRow).where(UsedTokenRow.expires_at < now))
    old = sa.select(TicketRow.id).where(TicketRow.expires_at < now).limit(most)
    return rows_changed(
        session, sa.delete(TicketRow).where(TicketRow.id.in_(old.scalar_subquery()))
    )


def was_used(session: Session, jti: str) -> bool:
    """Whether ``use_once`` took it before."""
    return session.get(UsedTokenRow, jti) is not None


def use_once(session: Session, jti: str, expires_at: datetime) -> bool:
    """Whether this token was not used before; commits with the action that it allows."""
    return inserted(session, UsedTokenRow(jti=jti, expires_at=expires_at))
