"""Rows that tests of the memory begin with, and threads that begin at one instant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from server.core.keys import AccountId
from server.core.states import JobClass, JobState
from server.store import accounts, jobs
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.store.jobs import JobKind, JobRow, NewJob
from tests.fixed_clock import START

T = TypeVar("T")
BOUND = 20.0  # seconds after which a thread that should have come has not


def an_account(database: Database, name: str = "acme") -> AccountId:
    with database.write() as session:
        return AccountId(accounts.add(session, name, START).id)


def a_connection(
    database: Database, account_id: int, vendor: str = "kommo", **columns: Any
) -> ConnectionRow:
    standard = {"external_id": f"{vendor}-{account_id}", "realm": "demo.kommo.com", "name": "Demo"}
    with database.write() as session:
        row = ConnectionRow(
            account_id=account_id, vendor=vendor, connected_at=START, **{**standard, **columns}
        )
        session.add(row)
    return row


def a_job(
    account_id: int | None,
    subject: str = "deal:1",
    kind: JobKind = JobKind.DEAL_TO_INVOICE,
    job_class: JobClass = JobClass.HOOK,
    due_at: datetime | None = None,
    **payload: Any,
) -> NewJob:
    return NewJob(account_id, kind, subject, job_class, payload, due_at)


def defer(database: Database, new: NewJob, now: datetime = START) -> int:
    with database.write() as session:
        return jobs.defer(session, new, now)


def claim(
    database: Database, job_id: int, owner: str = "me", now: datetime = START
) -> JobRow | None:
    with database.write() as session:
        return jobs.claim(session, job_id, owner, now)


def finish(
    database: Database,
    job_id: int,
    owner: str = "me",
    now: datetime = START,
    *,
    state: JobState = JobState.DONE,
    **changes: Any,
) -> bool:
    with database.write() as session:
        return jobs.finish(session, job_id, owner, now, state=state, **changes)


def parked(database: Database, new: NewJob, cause: str = "", now: datetime = START) -> int:
    """A job that ran once and waits for a person or a vendor."""
    job_id = defer(database, new, now)
    assert claim(database, job_id, "parker", now) is not None
    assert finish(database, job_id, "parker", now, state=JobState.PARKED, cause=cause)
    return job_id


def job(database: Database, job_id: int) -> JobRow:
    with database.read() as session:
        return session.get_one(JobRow, job_id)


def rows_of(database: Database, table: type[T]) -> list[T]:
    """In the order of their keys, which for most tables is that of their making."""
    with database.read() as session:
        return list(session.scalars(sa.select(table).order_by(*sa.inspect(table).primary_key)))


def a_call(account_id: int, started_at: datetime = START) -> dict[str, Any]:
    """The columns of a recorded call."""
    return {
        "account_id": account_id,
        "job_id": None,
        "vendor": "kommo",
        "method": "GET",
        "path": "/api/v4/leads/7",
        "status": 200,
        "outcome": "answered",
        "started_at": started_at,
        "duration_ms": 12,
        "request_id": "r-1",
    }


def at_once(times: int, work: Callable[[int], T]) -> list[T]:
    """``work(0)`` … ``work(times - 1)``, each in a thread of its own, begun at one instant."""
    gate = threading.Barrier(times)

    def one(i: int) -> T:
        gate.wait(BOUND)
        return work(i)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times), timeout=BOUND * 2))


def until(true: Callable[[], bool]) -> None:
    """Wait, with a bound, for what another thread or the database server is about to do."""
    glance = threading.Event()
    for _ in range(int(BOUND * 100)):
        if true():
            return
        glance.wait(0.01)
    raise AssertionError("it did not come true")


def someone_waits_for_a_lock(database: Database) -> bool:
    """PostgreSQL: whether another connection stands at a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with database.read() as session:
        return bool(session.scalar(sa.text(query)))
