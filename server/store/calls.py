"""Recorded calls, vendor budgets and caches: what is known of our own talking to vendors."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, inserted, put, rows_changed


class CallRow(Base):
    """One call: ids, statuses and times, never a body, a token or a person's name."""

    __tablename__ = "call"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(index=True)
    vendor: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int | None]
    outcome: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(index=True)
    duration_ms: Mapped[int]
    request_id: Mapped[str] = mapped_column(default="")


class BucketRow(Base):
    """An account's budget at a vendor (GCRA), and until when it is paused."""

    __tablename__ = "bucket"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    vendor: Mapped[str] = mapped_column(primary_key=True)
    full_at: Mapped[datetime | None]  # the theoretical arrival time of the next call
    paused_until: Mapped[datetime | None]


class VendorCacheRow(Base):
    """Metadata of a vendor (field ids, stages), shared by all processes."""

    __tablename__ = "vendor_cache"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    fetched_at: Mapped[datetime]


def note(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Each with all columns of CallRow but its id."""
    session.connection().execute(_NOTE, rows)


_NOTE = sa.insert(cast("sa.Table", CallRow.__table__))


def last_success(session: Session, account_id: int, vendor: str) -> datetime | None:
    """When this vendor last answered well, as far back as calls are kept."""
    bound = {"account_id": account_id, "vendor": vendor}
    at: datetime | None = session.connection().execute(_LAST_WELL, bound).scalar()
    return at


_CALL = cast("sa.Table", CallRow.__table__)
# By the id, which the account's index ends with: the newest are looked at first, and few.
_LAST_WELL = (
    sa.select(_CALL.c.started_at)
    .where(
        _CALL.c.account_id == sa.bindparam("account_id"),
        _CALL.c.vendor == sa.bindparam("vendor"),
        _CALL.c.status < 400,
    )
    .order_by(_CALL.c.id.desc())
    .limit(1)
)


def cached(session: Session, account_id: int, name: str, newer_than: datetime) -> Any:
    """The value, or None when it is absent or older."""
    row = session.get(VendorCacheRow, (account_id, name))
    return row.value if row is not None and row.fetched_at > newer_than else None


def caches(
    session: Session, account_id: int, names: Sequence[str], newer_than: datetime
) -> dict[str, Any]:
    """The values of those that are there and not older, by name."""
    bound = {"account_id": account_id, "names": names, "newer_than": newer_than}
    return {row.name: row.value for row in session.connection().execute(_CACHES, bound)}


_CACHE = cast("sa.Table", VendorCacheRow.__table__)
_CACHES = sa.select(_CACHE.c.name, _CACHE.c.value).where(
    _CACHE.c.account_id == sa.bindparam("account_id"),
    _CACHE.c.name.in_(sa.bindparam("names", expanding=True)),
    _CACHE.c.fetched_at > sa.bindparam("newer_than"),
)


def cached_text(session: Session, account_id: int, name: str) -> str | None:
    """The value of whatever age, as JSON text: who reads it often need not parse it again."""
    bound = {"account_id": account_id, "name": name}
    text: str | None = session.connection().execute(_CACHED_TEXT, bound).scalar()
    return text


_CACHED_TEXT = sa.select(sa.cast(_CACHE.c.value, sa.Text)).where(
    _CACHE.c.account_id == sa.bindparam("account_id"), _CACHE.c.name == sa.bindparam("name")
)


def cache(session: Session, account_id: int, name: str, value: Any, now: datetime) -> None:
    put(session, VendorCacheRow(account_id=account_id, name=name, value=value, fetched_at=now))


def drop_cache(session: Session, account_id: int, name: str | None = None) -> None:
    query = sa.delete(VendorCacheRow).where(VendorCacheRow.account_id == account_id)
    session.execute(query.where(VendorCacheRow.name == name) if name else query)


def pause(session: Session, account_id: int, vendor: str, until: datetime) -> None:
    """The circuit breaker: nobody calls this vendor for this account before ``until``."""
    row = session.get(BucketRow, (account_id, vendor), with_for_update=True)
    if row is None:
        if inserted(session, BucketRow(account_id=account_id, vendor=vendor, paused_until=until)):
            return
        row = session.get_one(BucketRow, (account_id, vendor), with_for_update=True)
    if row.paused_until is None or row.paused_until < until:
        row.paused_until = until
    session.flush()


def paused_until(session: Session, account_id: int, vendor: str) -> datetime | None:
    row = session.get(BucketRow, (account_id, vendor))
    return row.paused_until if row is not None else None


def forget_before(session: Session, before: datetime, most: int) -> int:
    old = sa.select(CallRow.id).where(CallRow.started_at < before).limit(most)
    return rows_changed(session, sa.delete(CallRow).where(CallRow.id.in_(old.scalar_subquery())))
