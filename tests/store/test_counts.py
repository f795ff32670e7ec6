"""What the operator's metrics count."""

from datetime import timedelta

from server.core.keys import AccountId
from server.core.states import DocumentState
from server.store import counts, inbox, ledger
from server.store.db import Database
from server.store.ledger import Key
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer

HOUR = timedelta(hours=1)


def test_an_empty_database_counts_nothing(database: Database):
    with database.read() as session:
        every = (counts.jobs, counts.documents, counts.connections, counts.events)
        assert [count(session) for count in every] == [[]] * 4
        assert counts.oldest_due(session, START) is None


def test_rows_are_counted_by_what_tells_them_apart(database: Database, account: AccountId):
    for n in range(3):
        defer(database, a_job(account, f"deal:{n}"))
    rows.parked(database, a_job(account, "deal:9"), "bug")
    rows.a_connection(database, account)
    with database.write() as session:
        for n in range(2):
            key = Key(account, "kommo", str(n), "invoice")
            row = ledger.open_document(session, key, START, kind="invoice", home="freshbooks:1")
        ledger.record(session, row.id, START, state=DocumentState.SENT)
        inbox.keep(
            session,
            account_id=account,
            kind="kommo",
            headers={},
            body=b"x",
            subjects=[],
            verdict="",
            received_at=START,
        )
    with database.read() as session:
        assert sorted(counts.jobs(session)) == [
            (("deal_to_invoice", "parked", "bug"), 1),
            (("deal_to_invoice", "waiting", ""), 3),
        ]
        assert sorted(counts.documents(session)) == [
            (("invoice", "claimed"), 1),
            (("invoice", "sent"), 1),
        ]
        assert counts.connections(session) == [(("kommo", "connected"), 1)]
        assert counts.events(session) == [(("kommo",), 1)]


def test_the_oldest_job_that_could_run_tells_how_late_we_are(
    database: Database, account: AccountId
):
    oldest = defer(database, a_job(account, "deal:1", due_at=START - 2 * HOUR))
    defer(database, a_job(account, "deal:2", due_at=START - HOUR))
    defer(database, a_job(account, "deal:3", due_at=START + HOUR))
    rows.parked(database, a_job(account, "deal:4"), now=START - 3 * HOUR)
    with database.read() as session:
        assert counts.oldest_due(session, START) == START - 2 * HOUR
    claim(database, oldest)
    with database.read() as session:
        assert counts.oldest_due(session, START) == START - HOUR
