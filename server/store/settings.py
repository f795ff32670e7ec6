"""The versions of an account's settings document, and when each rule was switched on and off."""

from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from server.store.db import Base, inserted, rows_changed

CLOCKS_DIFFER = timedelta(seconds=120)  # entries carry Kommo's time, a saved version ours


class SettingsVersionRow(Base):
    """One saved version of the document; the highest number counts."""

    __tablename__ = "settings_version"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "number"),
        sa.Index(None, "account_id", "created_at"),  # the history, a page at a time
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    # "slug:pipeline:stage" to the time from which the rule's naming of that stage counts
    named_since: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # the slug of a rule that bills again on re-entry, to the time from which it does
    again_since: Mapped[dict[str, Any]] = mapped_column(default=dict)
    author: Mapped[str]
    created_at: Mapped[datetime]


class RuleSwitchRow(Base):
    """A stretch of time in which a rule was on, by Kommo's clock; never exported. ``on_by`` and
    ``off_by`` are names that the history shows."""

    __tablename__ = "rule_switch"
    __table_args__ = (
        # One open stretch a rule: "on" is a fact, not a race.
        sa.Index(
            "uq_rule_switch_open",
            "account_id",
            "rule_slug",
            unique=True,
            sqlite_where=sa.text("off_at IS NULL"),
            postgresql_where=sa.text("off_at IS NULL"),
        ),
        sa.Index(None, "account_id", "on_at"),
        sa.Index(None, "account_id", "off_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    rule_slug: Mapped[str]
    on_at: Mapped[datetime]
    on_by: Mapped[str]
    off_at: Mapped[datetime | None]
    off_by: Mapped[str | None]


def current(session: Session, account_id: int) -> SettingsVersionRow | None:
    return session.scalar(
        sa.select(SettingsVersionRow)
        .where(SettingsVersionRow.account_id == account_id)
        .order_by(SettingsVersionRow.number.desc())
        .limit(1)
    )


def current_text(session: Session, account_id: int) -> str | None:
    """The newest version's document as JSON text: who reads it often need not parse it again."""
    text: str | None = session.connection().execute(_TEXT, {"account_id": account_id}).scalar()
    return text


_VERSION = cast("sa.Table", SettingsVersionRow.__table__)
_TEXT = (
    sa.select(sa.cast(_VERSION.c.document, sa.Text))
    .where(_VERSION.c.account_id == sa.bindparam("account_id"))
    .order_by(_VERSION.c.number.desc())
    .limit(1)
)


def save(
    session: Session, account_id: int, document: dict[str, Any], author: str, now: datetime
) -> SettingsVersionRow:
    """A new version. Two at once: the unique number lets one of them fail and read again."""
    before = current(session, account_id)
    row = _next(account_id, before, document, author, now)
    session.add(row)
    session.flush()
    return row


def save_after(  # a version, what it follows, and who made it when
    session: Session,
    account_id: int,
    document: dict[str, Any],
    author: str,
    now: datetime,
    *,
    based_on: int,
) -> bool:
    """A new version, unless another one came after number ``based_on`` (0: there was none), also at
    this very moment: then False."""
    before = current(session, account_id)
    if (before.number if before else 0) != based_on:
        return False
    return inserted(session, _next(account_id, before, document, author, now))


def numbered(session: Session, account_id: int, number: int) -> SettingsVersionRow | None:
    return session.scalar(
        sa.select(SettingsVersionRow).where(
            SettingsVersionRow.account_id == account_id, SettingsVersionRow.number == number
        )
    )


def since(
    session: Session, account_id: int, number: int, *, at_most: int
) -> list[SettingsVersionRow]:
    """The newest versions after ``number``, oldest first."""
    found = session.scalars(
        sa.select(SettingsVersionRow)
        .where(SettingsVersionRow.account_id == account_id, SettingsVersionRow.number > number)
        .order_by(SettingsVersionRow.number.desc())
        .limit(at_most)
    )
    return list(found)[::-1]


def _next(
    account_id: int,
    before: SettingsVersionRow | None,
    document: dict[str, Any],
    author: str,
    now: datetime,
) -> SettingsVersionRow:
    return SettingsVersionRow(
        account_id=account_id,
        number=(before.number if before else 0) + 1,
        document=document,
        named_since=_named_since(before, document, now),
        again_since=_again_since(before, document, now),
        author=author,
        created_at=now,
    )


def _named_since(
    before: SettingsVersionRow | None, document: dict[str, Any], now: datetime
) -> dict[str, str]:
    """A stage that a rule gets later counts from then on, not since the rule was switched on."""
    earlier = before.named_since if before else {}
    fresh = _from_now_on(now)
    named = [
        _name(rule["slug"], place["pipeline_id"], place["stage_id"])
        for rule in document.get("rules", ())
        for place in rule["when"]
    ]
    return {name: earlier.get(name, fresh) for name in named}


def _again_since(
    before: SettingsVersionRow | None, document: dict[str, Any], now: datetime
) -> dict[str, str]:
    """A rule that is told later to bill again leaves the re-entries from before alone."""
    earlier = before.again_since if before else {}
    fresh = _from_now_on(now)
    slugs = [rule["slug"] for rule in document.get("rules", ()) if rule.get("again")]
    return {slug: earlier.get(slug, fresh) for slug in slugs}


def _from_now_on(now: datetime) -> str:
    return (now - CLOCKS_DIFFER).replace(microsecond=0).isoformat()


def _name(slug: str, pipeline_id: int, stage_id: int) -> str:
    return f"{slug}:{pipeline_id}:{stage_id}"


def named_since(session: Session, account_id: int) -> dict[tuple[str, int, int], datetime]:
    """Since when each rule names each of its stages: (slug, pipeline, stage) to that time."""
    found = session.connection().execute(_NAMED, {"account_id": account_id}).scalar() or {}
    return {
        (slug, int(pipeline), int(stage)): datetime.fromisoformat(since)
        for name, since in found.items()
        for slug, pipeline, stage in [name.split(":")]
    }


_NAMED = (
    sa.select(_VERSION.c.named_since)
    .where(_VERSION.c.account_id == sa.bindparam("account_id"))
    .order_by(_VERSION.c.number.desc())
    .limit(1)
)


def again_since(session: Session, account_id: int) -> dict[str, datetime]:
    """By the slug of each rule that bills again on re-entry, since when it does."""
    found = session.connection().execute(_AGAIN, {"account_id": account_id}).scalar() or {}
    return {slug: datetime.fromisoformat(since) for slug, since in found.items()}


_AGAIN = (
    sa.select(_VERSION.c.again_since)
    .where(_VERSION.c.account_id == sa.bindparam("account_id"))
    .order_by(_VERSION.c.number.desc())
    .limit(1)
)


def switched_on(session: Session, account_id: int) -> dict[str, datetime]:
    """The rules that are on, and since when (Kommo's clock)."""
    rows = session.connection().execute(_ON, {"account_id": account_id})
    return {row.rule_slug: row.on_at for row in rows}


_SWITCH = cast("sa.Table", RuleSwitchRow.__table__)
_ON = sa.select(_SWITCH.c.rule_slug, _SWITCH.c.on_at).where(
    _SWITCH.c.account_id == sa.bindparam("account_id"), _SWITCH.c.off_at.is_(None)
)


def switch_on(session: Session, account_id: int, slug: str, at: datetime, by: str) -> bool:
    """Whether it was off before. Kommo's times have whole seconds, so ``at`` is cut to them."""
    at = at.replace(microsecond=0)
    if slug in switched_on(session, account_id):
        return False
    row = RuleSwitchRow(account_id=account_id, rule_slug=slug, on_at=at, on_by=by)
    return inserted(session, row)


def switch_off(session: Session, account_id: int, slug: str, at: datetime, by: str) -> bool:
    """Whether it was on before."""
    changed = rows_changed(
        session,
        sa.update(RuleSwitchRow)
        .where(
            RuleSwitchRow.account_id == account_id,
            RuleSwitchRow.rule_slug == slug,
            RuleSwitchRow.off_at.is_(None),
        )
        .values(off_at=at, off_by=by),
    )
    return changed == 1


def all_off(session: Session, account_id: int, at: datetime, by: str) -> list[str]:
    """Switch off every rule; the slugs of those that were on."""
    slugs = sorted(switched_on(session, account_id))
    for slug in slugs:
        switch_off(session, account_id, slug, at, by)
    return slugs
