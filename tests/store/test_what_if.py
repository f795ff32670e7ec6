"""What a look back over many deals asks of the store, on both databases."""

import json

from server.core.keys import AccountId
from server.core.states import DocumentState
from server.store import calls, jobs, ledger, what_if
from server.store.db import Database
from server.store.jobs import JobKind
from server.store.ledger import Key
from tests.fixed_clock import START
from tests.store import rows


def document(
    database: Database, account: AccountId, deal: str, state: DocumentState, kind: str = "invoice"
) -> None:
    with database.write() as session:
        key = Key(account, "kommo", deal, kind)
        row = ledger.open_document(session, key, START, kind=kind, home="freshbooks:1")
        ledger.record(session, row.id, START, state=state, number=f"N{deal}")


def test_invoices_that_were_made_are_told_by_their_deals(
    database: Database, account: AccountId
) -> None:
    document(database, account, "1", DocumentState.SENT)
    document(database, account, "2", DocumentState.UNCERTAIN)
    document(database, account, "3", DocumentState.REFUSED)
    document(database, account, "4", DocumentState.CREATED, kind="task")
    other = rows.an_account(database, "other")
    document(database, other, "5", DocumentState.SENT)
    with database.read() as session:
        found = what_if.billed(session, account, "kommo", ["1", "2", "3", "4", "5", "6"], "invoice")
        assert what_if.billed(session, account, "kommo", [], "invoice") == {}
    assert found == {"1": "N1", "2": "N2"}


def test_a_running_job_tells_where_it_stands_and_whether_it_was_asked_anew(
    database: Database, account: AccountId
) -> None:
    new = rows.a_job(account, "what-if:won", JobKind.WHAT_IF, done=0)
    with database.write() as session:
        job_id = jobs.defer(session, new, START)
    with database.write() as session:
        job = jobs.claim(session, job_id, "me", START)
        assert job is not None
        what_if.note_progress(session, job_id, {"done": 250})
        assert not what_if.is_overtaken(session, job)
    with database.write() as session:
        again = jobs.defer(session, new, START)
        other = rows.a_job(account, "what-if:lost", JobKind.WHAT_IF)
        jobs.defer(session, other, START)
    assert again != job_id
    with database.read() as session:
        running = jobs.get(session, job_id)
        assert running is not None
        assert running.payload == {"done": 250}
        assert what_if.is_overtaken(session, running)


def test_a_cached_value_is_there_as_text_whatever_its_age(
    database: Database, account: AccountId
) -> None:
    with database.write() as session:
        calls.cache(session, account, "kommo:lists", {"name": "Überweisung"}, START)
    with database.read() as session:
        text = calls.cached_text(session, account, "kommo:lists")
        assert text is not None
        assert json.loads(text) == {"name": "Überweisung"}
        assert calls.cached_text(session, account, "kommo:other") is None
