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
    Filter(cause="bug"),
    Filter(cause="problems/client.email"),
    Filter(cause="mismatch"),
    Filter(since=START, until=START + 9 * MINUTE),
)


TABLES = ("job", "document", "event", "attempt", "call", "entry")


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
def explained(database: Database) -> Iterator[Session]:
    """A session whose every query is then explained."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, bound: Any, *_more: Any) -> None:
        asked.append((statement, bound))

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            yield session
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    assert asked
    with database.engine.connect() as connection:
        for statement, bound in asked:
            plan = plan_of(connection, statement, bound)
            for table in TABLES:
                for walk in (f"SCAN {table}\n", f"Seq Scan on {table} "):
                    assert walk not in plan, f"{statement}\n{plan}"


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


def test_a_walk_of_a_table_would_be_seen(database: Database, account: AccountId):
    with pytest.raises(AssertionError, match="created_at"), explained(database) as session:
        session.execute(sa.text("SELECT id FROM job WHERE created_at IS NULL"))
