"""What the activity page reads, of an account with 10,000 entries beside it of one with 100; both
in one SQLite file, without a server. CPU, not time: others may use the machine."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import thread_time
from typing import Any

import sqlalchemy as sa
from flask import Flask

from bench.figures import Figure, at_most, plain
from server.core.states import AttemptOutcome, DocumentState, Group, JobState
from server.store import (
    accounts,
    activity,
    activity_causes,
    activity_counts,
    activity_detail,
    migrate,
)
from server.store.activity import Filter
from server.store.db import Database, Session, connect
from server.store.inbox import EventRow
from server.store.job_rows import JobKind, JobRow
from server.store.ledger import AttemptRow, DocumentRow

FEW, MANY, PAGE, ROUNDS = 100, 10_000, 50, 40
LIMIT = 1.5
OTHER_CAUSES = 6  # of twenty; the others are problems of a sale
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Read = Callable[[Session, int], object]

READS: dict[str, Read] = {
    "a page of 50": partial(activity.page, wanted=Filter(), most=PAGE),
    **{
        f"a page of 50, {group}": partial(activity.page, wanted=Filter(group=group), most=PAGE)
        for group in Group
    },
    "a page of 50, one kind": partial(
        activity.page, wanted=Filter(kind=JobKind.INVOICE_TO_DEAL), most=PAGE
    ),
    "the counts": lambda session, account: activity_counts.counts(
        session, account, NOW - timedelta(days=1), NOW
    ),
    "the causes": activity_causes.causes,
    "one entry opened": partial(activity_detail.opened, subject="deal:7"),
}


def measure() -> list[Figure]:
    with _standing() as (database, few, many):
        seconds = {name: _spent(database, read, few, many) for name, read in READS.items()}
    found = [plain(name, _told(*both)) for name, both in seconds.items()]
    page = [seconds["a page of 50"][n] + seconds["the counts"][n] for n in (0, 1)]
    return [
        *found,
        at_most("a page of 50 over 10,000 to over 100", _ratio(*seconds["a page of 50"]), LIMIT),
        at_most("with its counts", _ratio(*page), LIMIT),
    ]


def _told(few: float, many: float) -> str:
    return f"{few * 1000:.1f} · {many * 1000:.1f} ms"


def _ratio(few: float, many: float) -> float:
    return many / few


def _spent(database: Database, read: Read, few: int, many: int) -> tuple[float, float]:
    """CPU seconds of either, by turns; the least of many, for what else runs only adds to it."""
    least = [float("inf")] * 2
    for _ in range(ROUNDS):
        for place, account in enumerate((few, many)):
            began = thread_time()
            with database.read() as session:
                read(session, account)
            least[place] = min(least[place], thread_time() - began)
    return least[0], least[1]


@contextmanager
def _standing() -> Iterator[tuple[Database, int, int]]:
    with tempfile.TemporaryDirectory(prefix="billhook-bench-") as folder:
        database = connect(Flask("bench"), f"sqlite:///{Path(folder) / 'billhook.db'}")
        try:
            migrate.upgrade(database.engine)
            yield database, fill(database, "few", FEW), fill(database, "many", MANY)
        finally:
            database.engine.dispose()


def fill(database: Database, name: str, deals: int) -> int:
    """Of ten deals seven are billed, one is left out, one needs attention, one waits; every fifth
    was left out before. All within thirty days."""
    with database.write() as session:
        account = accounts.add(session, name, NOW).id
        for table, rows in _rows(account, deals).items():
            session.execute(sa.insert(table), rows)
        made = sa.select(DocumentRow.id, DocumentRow.updated_at).filter_by(account_id=account)
        session.execute(sa.insert(AttemptRow), [_attempt(*row) for row in session.execute(made)])
    return account


def fill_parked(database: Database, name: str, deals: int) -> int:
    """Every deal needs attention, for one of twenty causes."""
    with database.write() as session:
        account = accounts.add(session, name, NOW).id
        for deal in range(1, deals + 1):
            at = NOW - timedelta(days=30) * (deal / deals)
            row = _job(account, deal, at, JobState.PARKED)
            if deal % 20 < OTHER_CAUSES:
                row |= {"cause": f"freshbooks:{deal % 20}", "problems": []}
            else:
                row["problems"][0]["field"] = f"client.field{deal % 20}"
            session.execute(sa.insert(JobRow), [row])
    return account


def _attempt(document: int, at: datetime) -> dict[str, Any]:
    return {
        "document_id": document,
        "ordinal": 1,
        "draft": {"lines": [{"name": "Chairs", "qty": "1"}] * 3},
        "draft_hash": "x",
        "outcome": AttemptOutcome.CREATED,
        "call_started_at": at,
        "ended_at": at,
    }


def _rows(account: int, deals: int) -> dict[Any, list[dict[str, Any]]]:
    rows: dict[Any, list[dict[str, Any]]] = {t: [] for t in (JobRow, DocumentRow, EventRow)}
    for deal in range(1, deals + 1):
        at = NOW - timedelta(days=30) * (deal / deals)
        rows[EventRow].append(_event(account, deal, at))
        if deal % 5 == 0:
            rows[JobRow].append(_job(account, deal, at, JobState.LEFT_OUT))
        rows[JobRow].append(_job(account, deal, at, _state(deal)))
        if _state(deal) == JobState.DONE:
            rows[DocumentRow].append(_document(account, deal, at))
            rows[JobRow].append(_job(account, deal, at, JobState.DONE, JobKind.INVOICE_TO_DEAL))
    return rows


def _state(deal: int) -> JobState:
    return {7: JobState.LEFT_OUT, 8: JobState.PARKED, 9: JobState.RETRYING}.get(
        deal % 10, JobState.DONE
    )


def _job(
    account: int, deal: int, at: datetime, state: JobState, kind: JobKind = JobKind.DEAL_TO_INVOICE
) -> dict[str, Any]:
    parked = state == JobState.PARKED
    problem = {"field": "client.email", "reason": "The client has no e-mail.", "todo": "Add it."}
    return {
        "account_id": account,
        "kind": kind,
        "subject": f"deal:{deal}" if kind == JobKind.DEAL_TO_INVOICE else f"invoice:{deal}",
        "payload": {"deal": str(deal), "party": ["contact:1"]},
        "job_class": 1,
        "state": state,
        "cause": "problems" if parked else "",
        "said": "The client has no e-mail." if parked else "",
        "problems": [problem] if parked else [],
        "due_at": at,
        "created_at": at,
        "updated_at": at,
    }


def _document(account: int, deal: int, at: datetime) -> dict[str, Any]:
    return {
        "account_id": account,
        "source": "kommo",
        "source_id": str(deal),
        "purpose": "invoice",
        "kind": "invoice",
        "home": f"freshbooks:{account}",
        "state": DocumentState.SENT,
        "upstream_id": str(deal),
        "number": f"{deal:06d}",
        "amount": "120.00",
        "currency": "EUR",
        "link": f"https://my.freshbooks.com/#/invoice/{deal}",
        "created_at": at,
        "updated_at": at,
    }


def _event(account: int, deal: int, at: datetime) -> dict[str, Any]:
    return {
        "account_id": account,
        "kind": "kommo",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": b"x" * 700,
        "subjects": [["leads", "status", deal]],
        "verdict": "1 of 1 to look at",
        "received_at": at,
    }
