"""What every hook asks of the database: whose it is, and what is known of its deal.

One statement each, and values instead of rows: twenty hooks at a time share one processor with the
jobs, and an ORM row costs more than the rest of a small question.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from server.store.accounts import ConnectionRow, HookRow
from server.store.db import Session
from server.store.inbox import EntryRow
from server.store.job_rows import OPEN, RUNNING, JobKind, JobRow
from server.store.ledger import DocumentRow
from server.store.secrets import hash_of
from server.store.settings import SettingsVersionRow


@dataclass(frozen=True)
class Hook:
    """A secret URL of an account. ``state`` and ``external_id`` are those of the account's
    connection to Kommo, "" where it never had one; ``settings`` is the newest document as JSON."""

    id: int
    account_id: int
    kind: str
    verifier_sealed: str | None
    heard_at: datetime | None
    state: str
    external_id: str
    settings: str | None


@dataclass(frozen=True)
class Known:
    """``in_work``: a job of the deal waits, retries, is parked or runs. ``has_entries``: it was
    seen entering some stage. ``has_documents``: the ledger knows it."""

    in_work: bool
    has_entries: bool
    has_documents: bool


def hook_by_key(session: Session, kind: str, key: str) -> Hook | None:
    bound = {"kind": kind, "key_hash": hash_of(key)}
    row = session.connection().execute(_HOOK, bound).first()
    return Hook(*row) if row else None


def of_deal(session: Session, account_id: int, deal_id: int) -> Known:
    bound = {"account_id": account_id, "deal_id": deal_id, "source_id": str(deal_id)}
    bound["subject"] = f"deal:{deal_id}"
    row = session.connection().execute(_KNOWN, bound).one()
    return Known(*row)


_AT, _TIE = cast("sa.Table", HookRow.__table__), cast("sa.Table", ConnectionRow.__table__)
_JOB, _DOCUMENT = cast("sa.Table", JobRow.__table__), cast("sa.Table", DocumentRow.__table__)
_ENTRY = cast("sa.Table", EntryRow.__table__)
_VERSION = cast("sa.Table", SettingsVersionRow.__table__)

_KOMMO = sa.and_(_TIE.c.account_id == _AT.c.account_id, _TIE.c.vendor == "kommo")
_TEXT = (
    sa.select(sa.cast(_VERSION.c.document, sa.Text))
    .where(_VERSION.c.account_id == _AT.c.account_id)
    .order_by(_VERSION.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_HOOK = (
    sa.select(
        _AT.c.id,
        _AT.c.account_id,
        _AT.c.kind,
        _AT.c.verifier_sealed,
        _AT.c.heard_at,
        sa.func.coalesce(_TIE.c.state, ""),
        sa.func.coalesce(_TIE.c.external_id, ""),
        _TEXT,
    )
    .select_from(_AT.outerjoin(_TIE, _KOMMO))
    .where(_AT.c.kind == sa.bindparam("kind"), _AT.c.key_hash == sa.bindparam("key_hash"))
)
# Of all kinds only these have a deal for their subject; with the kind the index is used to its end.
_OF_DEAL = (
    _JOB.c.account_id == sa.bindparam("account_id"),
    _JOB.c.kind == JobKind.DEAL_TO_INVOICE,
    _JOB.c.subject == sa.bindparam("subject"),
)
_KNOWN = sa.select(
    sa.or_(*(sa.exists().where(*_OF_DEAL, state) for state in (OPEN, RUNNING))),
    sa.exists().where(
        _ENTRY.c.account_id == sa.bindparam("account_id"),
        _ENTRY.c.deal_id == sa.bindparam("deal_id"),
    ),
    sa.exists().where(
        _DOCUMENT.c.account_id == sa.bindparam("account_id"),
        _DOCUMENT.c.source == "kommo",
        _DOCUMENT.c.source_id == sa.bindparam("source_id"),
    ),
)
