"""Grants: the tokens of one identity at one vendor, which connections use.

A FreshBooks user has one live refresh token, so a new consent of the same identity replaces the
pair. ``token_version`` counts the pairs: who holds an older one reads again instead of refreshing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.tokens import TokenPair
from server.store.db import Base, inserted, rows_changed
from server.store.secrets import Vault

REMEMBERED = 256  # opened pairs; decrypting costs as much as reading the row


class GrantRow(Base):
    __tablename__ = "grant"
    __table_args__ = (sa.UniqueConstraint("vendor", "app", "identity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    vendor: Mapped[str]
    app: Mapped[str]  # the OAuth client id
    identity: Mapped[str]  # Kommo: the account's id; FreshBooks: the identity's
    tokens_sealed: Mapped[str] = mapped_column(sa.Text)
    token_version: Mapped[int] = mapped_column(default=1)
    expires_at: Mapped[datetime]
    scope: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="live")  # live, doubted (refused once), dead
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    updated_at: Mapped[datetime]


@dataclass(frozen=True)
class StoredPair:
    """What a holder of tokens reads in one glance."""

    pair: TokenPair
    version: int
    state: str
    lease_until: datetime | None

    @property
    def live(self) -> bool:
        return self.state != "dead"


def _owner(vendor: str, app: str, identity: str) -> str:
    return f"grant:{vendor}:{app}:{identity}"


def _seal(vault: Vault, owner: str, pair: TokenPair) -> str:
    return vault.seal(owner, {"access": pair.access, "refresh": pair.refresh})


def put(
    session: Session, vault: Vault, who: tuple[str, str, str], pair: TokenPair, now: datetime
) -> GrantRow:
    """A consent's pair for ``who`` = (vendor, app, identity); replaces an older pair."""
    vendor, app, identity = who
    sealed = _seal(vault, _owner(*who), pair)
    grant = sa.select(GrantRow).filter_by(vendor=vendor, app=app, identity=identity)
    row = session.scalar(grant.with_for_update())
    if row is None:
        first = {"token_version": 0, "expires_at": pair.expires_at, "updated_at": now}
        new = GrantRow(vendor=vendor, app=app, identity=identity, tokens_sealed=sealed, **first)
        inserted(session, new)
        row = session.scalars(grant.with_for_update()).one()  # ours, or that of who was faster
    row.tokens_sealed = sealed
    row.token_version = row.token_version + 1
    row.expires_at = pair.expires_at
    row.scope = pair.scope
    row.state = "live"
    row.lease_owner = None
    row.lease_until = None
    row.updated_at = now
    session.flush()
    return row


def read(session: Session, vault: Vault, grant_id: int) -> StoredPair:
    return stored(vault, session.get_one(GrantRow, grant_id))


def stored(vault: Vault, row: GrantRow) -> StoredPair:
    """What stands on the row. Raises CannotOpen."""
    owner = _owner(row.vendor, row.app, row.identity)
    access, refresh = _opened(vault, owner, row.tokens_sealed)
    pair = TokenPair(access, refresh, row.expires_at, row.scope)
    return StoredPair(pair, row.token_version, row.state, row.lease_until)


@lru_cache(REMEMBERED)
def _opened(vault: Vault, owner: str, sealed: str) -> tuple[str, str]:
    """Found by the sealed text, so a new pair is a new one."""
    inside = vault.open(owner, sealed)
    return inside["access"], inside["refresh"]


def of_identity(session: Session, who: tuple[str, str, str]) -> GrantRow | None:
    """The grant of ``who`` = (vendor, app, identity), if there is one."""
    vendor, app, identity = who
    return session.scalar(
        sa.select(GrantRow).where(
            GrantRow.vendor == vendor, GrantRow.app == app, GrantRow.identity == identity
        )
    )


def lease(session: Session, grant_id: int, owner: str, now: datetime, length: timedelta) -> bool:
    """Whether ``owner`` may refresh now: one refresher at a time, over all processes.

    Who has the lease lengthens it by asking again.
    """
    taken = rows_changed(
        session,
        sa.update(GrantRow)
        .where(
            GrantRow.id == grant_id,
            sa.or_(
                GrantRow.lease_until.is_(None),
                GrantRow.lease_until <= now,
                GrantRow.lease_owner == owner,
            ),
        )
        .values(lease_owner=owner, lease_until=now + length),
    )
    return taken == 1


def swap(
    session: Session, vault: Vault, grant_id: int, seen: int, pair: TokenPair, now: datetime
) -> bool:
    """Store a refreshed pair, if version ``seen`` still stands; the lease ends with it."""
    row = session.get_one(GrantRow, grant_id)
    swapped = rows_changed(
        session,
        sa.update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.token_version == seen)
        .values(
            tokens_sealed=_seal(vault, _owner(row.vendor, row.app, row.identity), pair),
            token_version=seen + 1,
            expires_at=pair.expires_at,
            scope=pair.scope or row.scope,
            state="live",
            lease_owner=None,
            lease_until=None,
            updated_at=now,
        ),
    )
    return swapped == 1


def release(session: Session, grant_id: int, owner: str) -> None:
    session.execute(
        sa.update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.lease_owner == owner)
        .values(lease_owner=None, lease_until=None)
    )


def doubt(session: Session, grant_id: int, seen: int, until: datetime) -> None:
    """The vendor refused this pair once. Nobody refreshes before ``until``: another holder, whose
    lease ran out under it, may still bring the pair that replaced this one."""
    session.execute(
        sa.update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.token_version == seen)
        .values(state="doubted", lease_owner=None, lease_until=until)
    )


def kill(session: Session, grant_id: int, seen: int) -> bool:
    """The vendor says that this pair is dead; a newer one, stored meanwhile, stays. Whether it
    was this one."""
    killed = rows_changed(
        session,
        sa.update(GrantRow)
        .where(GrantRow.id == grant_id, GrantRow.token_version == seen)
        .values(state="dead", lease_owner=None, lease_until=None),
    )
    return killed == 1


def end(session: Session, grant_id: int) -> None:
    """The vendor told us that access has ended: no version of it is of use any more."""
    session.execute(
        sa.update(GrantRow)
        .where(GrantRow.id == grant_id)
        .values(state="dead", lease_owner=None, lease_until=None)
    )
