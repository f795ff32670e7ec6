"""What happened to an account's settings, newest first: versions, and rules switched on and off."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.store.settings import RuleSwitchRow, SettingsVersionRow

# Of what happened at one instant, the lower kind came first: a version that drops a rule switches
# it off in the same commit.
SAVED, OFF, ON = 0, 1, 2


@dataclass(frozen=True, order=True)
class Happening:
    """``kind``: SAVED (``id`` is the version's number), ON or OFF (``id`` is the switch's row, and
    ``slug`` the rule's). Ordered as it happened."""

    at: datetime
    kind: int
    id: int
    slug: str = ""
    by: str = ""


def happenings(
    session: Session, account_id: int, limit: int, before: Happening | None = None
) -> list[Happening]:
    """Newest first, ``limit`` at most, those before ``before`` where it is given."""
    found = [
        Happening(row.at, kind, row.id, row.slug, row.by or "")
        for kind, at, id_, rest in _KINDS
        for row in session.execute(_newest(account_id, (kind, at, id_, rest), limit, before))
    ]
    return sorted(found, reverse=True)[:limit]


_Kind = tuple[int, Any, Any, tuple[Any, Any]]
_KINDS: tuple[_Kind, ...] = (
    (
        SAVED,
        SettingsVersionRow.created_at,
        SettingsVersionRow.number,
        (sa.literal(""), SettingsVersionRow.author),
    ),
    (
        OFF,
        RuleSwitchRow.off_at,
        RuleSwitchRow.id,
        (RuleSwitchRow.rule_slug, RuleSwitchRow.off_by),
    ),
    (ON, RuleSwitchRow.on_at, RuleSwitchRow.id, (RuleSwitchRow.rule_slug, RuleSwitchRow.on_by)),
)


def _newest(account_id: int, kind: _Kind, limit: int, before: Happening | None) -> sa.Select[Any]:
    rank, at, id_, (slug, by) = kind
    found = (
        sa.select(at.label("at"), id_.label("id"), slug.label("slug"), by.label("by"))
        .where(at.class_.account_id == account_id, at.is_not(None))
        .order_by(at.desc(), id_.desc())
        .limit(limit)
    )
    if before is None:
        return found
    if rank == before.kind:
        return found.where(
            (at <= before.at) & ((at < before.at) | ((at == before.at) & (id_ < before.id)))
        )
    return found.where(at <= before.at if rank < before.kind else at < before.at)


def texts(session: Session, account_id: int, numbers: Iterable[int]) -> dict[int, str]:
    """The documents of these versions as JSON text, by number; those that exist."""
    table = SettingsVersionRow
    rows = session.execute(
        sa.select(table.number, sa.cast(table.document, sa.Text)).where(
            table.account_id == account_id, table.number.in_(sorted(set(numbers)))
        )
    )
    return {number: text for number, text in rows}


def version(session: Session, account_id: int, number: int) -> tuple[str, datetime] | None:
    """Who saved it, and when; None where the account has no such version."""
    table = SettingsVersionRow
    row = session.execute(
        sa.select(table.author, table.created_at).where(
            table.account_id == account_id, table.number == number
        )
    ).one_or_none()
    return (row.author, row.created_at) if row else None


def newest_number(session: Session, account_id: int) -> int:
    """0 where nothing was saved yet."""
    table = SettingsVersionRow
    found = session.scalar(
        sa.select(sa.func.max(table.number)).where(table.account_id == account_id)
    )
    return found or 0
