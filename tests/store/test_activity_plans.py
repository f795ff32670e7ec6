"""The activity page reads by index alone: no table is walked from end to end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from server.core.keys import AccountId
from server.core.states import DocumentState, Group, JobState
from server.store import activity, activity_causes, activity_counts, activity_detail
from server.store.activity import Filter, Place
from server.store.db import Database, Session
from server.store.jobs import JobKind
from tests.fixed_clock import START
from tests.store import rows
from tests.store.activity_rows import MINUTE, Past

FILTERS = (
    *(Filter(group=group) for group in (None, *Group)),
    *(Filter(kind=JobKind.INVOICE_TO_DEAL, group=group) for group in (None, *Group)),
    Filter(kind=JobKind.ENSURE),
    Filter(deal_id=3),
    Filter(text="3"),
    Filter(cause="bug"),
    Filter(cause="problems/client.email"),
    Filter(cause="mismatch"),
    Filter(since=START, until=START + 9 * MINUTE),
)


TABLES = ("job", "document", "event", "attempt", "call", "entry", "deal_name")


@pytest.fixture
def account(database: Database) -> AccountId:
    """With an entry of every sort."""
    past = Past(database, rows.an_account(database))
    past.parked(1)
    past.parked(2, "bug")
    past.job(3, JobState.LEFT_OUT)
    past.job(4, JobState.WAITING)
    past.invoice(5, DocumentState.SENT)
    past.invoice(6, DocumentState.MISMATCH)
    past.event(3)
    return AccountId(past.account_id)


@contextmanager
def planned(database: Database) -> Iterator[tuple[Session, list[str]]]:
    """A session, and afterwards how each of its queries is answered."""
    asked: list[tuple[str, Any]] = []
    plans: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, bound: Any, *_more: Any) -> None:
        asked.append((statement, bound))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            yield session, plans
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    assert asked
    with database.engine.connect() as connection:
        plans += [plan_of(connection, statement, bound) for statement, bound in asked]


@contextmanager
def explained(database: Database) -> Iterator[Session]:
    """A session whose every query is then explained."""
    with planned(database) as (session, plans):
        yield session
    for plan in plans:
        for table in TABLES:
            for walk in (f"SCAN {table}\n", f"Seq Scan on {table} "):
                assert walk not in plan, plan


def plan_of(connection: sa.Connection, statement: str, bound: Any) -> str:
    if connection.dialect.name == "sqlite":
        rows_ = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, bound)
        return "".join(f"{row[3]}\n" for row in rows_)
    # On a few rows PostgreSQL walks a table although it need not.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return "".join(
        f"{row[0]}\n" for row in connection.exec_driver_sql("EXPLAIN " + statement, bound)
    )


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_a_page_and_the_next_read_by_index(database: Database, account: AccountId, wanted: Filter):
    with explained(database) as session:
        one = activity.page(session, account, wanted, most=1)
        before = one.older or Place(START, 3, 1)
        activity.page(session, account, wanted, before=before, most=1)


def test_counts_and_causes_read_by_index(database: Database, account: AccountId):
    with explained(database) as session:
        activity_counts.counts(session, account, START, START + 9 * MINUTE)
        assert activity_causes.causes(session, account)


@pytest.mark.parametrize("subject", ["deal:3", "deal:5", "ensure:account", "event:1"])
def test_an_opened_entry_reads_by_index(database: Database, account: AccountId, subject: str):
    with explained(database) as session:
        activity_detail.opened(session, account, subject)


def test_of_a_deals_thousand_jobs_none_reads_the_others(sqlite: Database):
    """PostgreSQL plans by what stands in the tables, of which these are almost empty."""
    with planned(sqlite) as (session, plans):
        activity.page(session, rows.an_account(sqlite), Filter(group=Group.LEFT_OUT), most=1)
    walk = next(plan for plan in plans if "ix_job_left_out" in plan)
    assert "ix_job_open_about (account_id=? AND about=?" in walk
    assert "ix_job_about (account_id=? AND about=? AND kind=? AND id>?)" in walk


def test_a_walk_of_a_table_would_be_seen(database: Database, account: AccountId):
    with pytest.raises(AssertionError, match="job"), explained(database) as session:
        session.execute(sa.text("SELECT id FROM job WHERE created_at IS NULL"))
