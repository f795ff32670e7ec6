"""Accounts, their connections to vendors, and the secret URLs that vendors call us by."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.core.keys import AccountId
from server.store.db import Base, inserted
from server.store.secrets import Vault, hash_of, new_key


class AccountRow(Base):
    """A tenant."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # used on the command line
    look_first: Mapped[bool] = mapped_column(default=False)  # after a restore: look before claims
    created_at: Mapped[datetime]


class ConnectionRow(Base):
    """An account's tie to one vendor. ``external_id`` is the vendor's id of the other side:
    Kommo's account id, FreshBooks' business id."""

    __tablename__ = "connection"
    __table_args__ = (
        sa.UniqueConstraint("vendor", "external_id"),
        sa.UniqueConstraint("account_id", "vendor"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    vendor: Mapped[str]
    external_id: Mapped[str]
    realm: Mapped[str]  # Kommo: the host; FreshBooks: the accounting id in its paths
    name: Mapped[str]
    currency: Mapped[str] = mapped_column(default="")
    timezone: Mapped[str] = mapped_column(default="UTC")
    grant_id: Mapped[int | None] = mapped_column(sa.ForeignKey("grant.id"))
    state: Mapped[str] = mapped_column(default="connected")  # connected, reconnect, disconnected
    down_since: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    connected_at: Mapped[datetime]


class HookRow(Base):
    """A secret URL. The key is found by its hash; sealed beside it, to show and to subscribe."""

    __tablename__ = "hook"
    __table_args__ = (sa.UniqueConstraint("account_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    kind: Mapped[str]  # kommo, kommo-dp, freshbooks
    key_hash: Mapped[str] = mapped_column(unique=True)
    key_sealed: Mapped[str]
    upstream_id: Mapped[str | None]
    verifier_sealed: Mapped[str | None]
    checked_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]


def named(session: Session, name: str) -> AccountRow | None:
    return session.scalar(sa.select(AccountRow).where(AccountRow.name == name))


def by_id(session: Session, account_id: int) -> AccountRow | None:
    return session.get(AccountRow, account_id)


def everyone(session: Session) -> list[AccountRow]:
    return list(session.scalars(sa.select(AccountRow).order_by(AccountRow.id)))


def add(session: Session, name: str, now: datetime) -> AccountRow:
    """A new account; a taken name gets a number behind it."""
    taken = set(session.scalars(sa.select(AccountRow.name)))
    for free in chain([name], (f"{name}-{i}" for i in range(2, 10_000))):
        row = AccountRow(name=free, created_at=now)
        if free not in taken and inserted(session, row):
            return row
    raise RuntimeError(f"no name is left beside {name}")


def connection(session: Session, account_id: int, vendor: str) -> ConnectionRow | None:
    return session.scalar(_CONNECTION, {"account_id": account_id, "vendor": vendor})


_CONNECTION = sa.select(ConnectionRow).where(
    ConnectionRow.account_id == sa.bindparam("account_id"),
    ConnectionRow.vendor == sa.bindparam("vendor"),
)


def connections(session: Session, account_id: int) -> list[ConnectionRow]:
    query = sa.select(ConnectionRow).where(ConnectionRow.account_id == account_id)
    return list(session.scalars(query.order_by(ConnectionRow.vendor)))


def connected(session: Session, vendor: str) -> list[ConnectionRow]:
    """Every live connection of one vendor, over all accounts."""
    query = sa.select(ConnectionRow).where(
        ConnectionRow.vendor == vendor, ConnectionRow.state == "connected"
    )
    return list(session.scalars(query.order_by(ConnectionRow.id)))


def connection_of(session: Session, vendor: str, external_id: str) -> ConnectionRow | None:
    """Whose Kommo account or FreshBooks business this is; each belongs to one account at most."""
    return session.scalar(
        sa.select(ConnectionRow).where(
            ConnectionRow.vendor == vendor, ConnectionRow.external_id == external_id
        )
    )


def of_businesses(session: Session, vendor: str, ids: Sequence[str]) -> list[ConnectionRow]:
    """The connections to these other sides that nobody has ended, by their names."""
    query = sa.select(ConnectionRow).where(
        ConnectionRow.vendor == vendor,
        ConnectionRow.external_id.in_(ids),
        ConnectionRow.state != "disconnected",
    )
    return list(session.scalars(query.order_by(ConnectionRow.name, ConnectionRow.id)))


def mark_connection(session: Session, connection_id: int, **changes: Any) -> None:
    session.execute(
        sa.update(ConnectionRow).where(ConnectionRow.id == connection_id).values(**changes)
    )


def of_grant(session: Session, grant_id: int) -> list[ConnectionRow]:
    """The connections that live by one grant."""
    query = sa.select(ConnectionRow).where(ConnectionRow.grant_id == grant_id)
    return list(session.scalars(query.order_by(ConnectionRow.id)))


def lose_grant(session: Session, grant_id: int, state: str = "reconnect") -> None:
    """What lived by this grant waits for a person to connect again."""
    session.execute(
        sa.update(ConnectionRow)
        .where(ConnectionRow.grant_id == grant_id, ConnectionRow.state == "connected")
        .values(state=state)
    )


def heard(session: Session, hook_id: int, now: datetime) -> None:
    session.execute(sa.update(HookRow).where(HookRow.id == hook_id).values(heard_at=now))


def checked(
    session: Session, account_id: int, kind: str, upstream_id: str | None, now: datetime
) -> None:
    """``upstream_id``: the vendor's own id of the subscription; None: it gives none."""
    session.execute(
        sa.update(HookRow)
        .where(HookRow.account_id == account_id, HookRow.kind == kind)
        .values(checked_at=now, upstream_id=upstream_id)
    )


def without_webhooks(session: Session) -> list[int]:
    """Accounts that Kommo sends nothing to: their events are read more often."""
    query = sa.select(HookRow.account_id).where(
        HookRow.kind == "kommo", HookRow.upstream_id.is_(None)
    )
    return list(session.scalars(query))


def hooks_of(session: Session, account_id: int) -> list[HookRow]:
    return list(session.scalars(sa.select(HookRow).where(HookRow.account_id == account_id)))


def hook_of(session: Session, account_id: int, kind: str) -> HookRow | None:
    return session.scalar(
        sa.select(HookRow).where(HookRow.account_id == account_id, HookRow.kind == kind)
    )


def hook_key(session: Session, vault: Vault, account_id: AccountId, kind: str) -> str:
    """The account's secret key for hooks of this kind; made on first use, then the same for ever:
    the URL stands in customers' pipelines."""
    row = hook_of(session, account_id, kind)
    owner = f"hook:{account_id}:{kind}"
    if row is not None:
        key: str = vault.open(owner, row.key_sealed)
        return key
    key = new_key()
    sealed = vault.seal(owner, key)
    new = HookRow(account_id=account_id, kind=kind, key_hash=hash_of(key), key_sealed=sealed)
    if inserted(session, new):
        return key
    return hook_key(session, vault, account_id, kind)  # another made it in between
