"""One entry opened: steps, attempts, calls and events; bounded, and of one account alone."""

from dataclasses import asdict

import pytest

from server.core.keys import AccountId
from server.core.states import DocumentState, JobState
from server.store import activity_detail, calls, inbox, ledger
from server.store.activity_detail import Detail
from server.store.db import Database
from server.store.inbox import Entered
from server.store.jobs import JobKind
from server.store.ledger import Key
from tests.fixed_clock import START
from tests.store import rows
from tests.store.activity_rows import MINUTE, Past
from tests.store.rows import a_call


@pytest.fixture
def past(database: Database, account: AccountId) -> Past:
    return Past(database, account)


def opened(past: Past, subject: str) -> Detail | None:
    with past.database.read() as session:
        return activity_detail.opened(session, past.account_id, subject)


def the(past: Past, subject: str) -> Detail:
    found = opened(past, subject)
    assert found is not None
    return found


def test_a_deal_shows_its_jobs_documents_attempts_calls_and_events(past: Past):
    heard = past.event(1, verdict="1 of 1 to look at")
    job = past.parked(1, said="No e-mail.")
    past.job(1, JobState.WAITING, JobKind.TELL_MANAGER)
    invoice = past.invoice(1, DocumentState.SENT)
    with past.database.write() as session:
        calls.note(session, [{**a_call(past.account_id), "job_id": job}])
    found = the(past, "deal:1")
    assert [(j.kind, j.state) for j in found.jobs] == [
        (JobKind.TELL_MANAGER, JobState.WAITING),
        (JobKind.DEAL_TO_INVOICE, JobState.PARKED),
    ]
    assert (found.jobs[1].said, found.jobs[1].problems[0].field) == ("No e-mail.", "client.email")
    assert found.jobs[0].due_at is not None
    assert found.jobs[1].due_at is None
    (document,) = found.documents
    assert document.made is not None
    assert (document.id, document.made.number) == (invoice.id, "000001")
    assert [attempt.outcome for attempt in document.attempts] == ["created"]
    assert [(c.method, c.path, c.request_id) for c in found.calls] == [
        ("GET", "/api/v4/leads/7", "r-1")
    ]
    assert [(e.id, e.verdict) for e in found.events] == [(heard, "1 of 1 to look at")]


def test_the_e_mails_of_its_invoices_belong_to_the_deal(past: Past):
    invoice = past.invoice(1, DocumentState.SENT)
    with past.database.write() as session:
        key = Key(past.account_id, "document", str(invoice.id), "email")
        ledger.open_document(session, key, START, kind="email", home=invoice.home)
    assert [d.kind for d in the(past, "deal:1").documents] == ["invoice", "email"]


def test_no_body_and_no_traceback_is_shown(past: Past):
    past.event(1)
    past.parked(1, "bug", said="Traceback: secret")
    assert "secret" not in str(asdict(the(past, "deal:1")))


def test_an_event_is_found_by_the_job_that_it_began_and_by_the_entry_that_it_proved(
    past: Past, monkeypatch: pytest.MonkeyPatch
):
    began = past.event(1, verdict="1 of 1 to look at")
    past.now -= MINUTE
    past.job(1, JobState.DONE)
    proved = past.event(1, verdict="1 of 1 to look at")
    with past.database.write() as session:
        inbox.enter(session, past.account_id, Entered(1, 3001, 142, past.now, proved))
    for deal in range(2, 6):
        past.event(deal)
    monkeypatch.setattr(activity_detail, "EVENTS_READ", 2)
    assert [e.id for e in the(past, "deal:1").events] == [proved, began]


def test_a_deal_of_which_only_events_are_known_shows_those(past: Past):
    past.event(7, 8)
    found = the(past, "deal:7")
    assert (found.jobs, found.documents, [e.verdict for e in found.events]) == (
        (),
        (),
        ["concerns no rule"],
    )
    assert opened(past, "deal:78") is None


def test_an_event_and_the_plumbing_open_too(past: Past):
    event = past.event(1, verdict="names another Kommo account (9)", left_out=True)
    past.job(0, JobState.PARKED, JobKind.ENSURE, cause="kommo:reconnect", said="Connect again.")
    assert the(past, f"event:{event}").events[0].verdict == "names another Kommo account (9)"
    assert [job.said for job in the(past, "ensure:account").jobs] == ["Connect again."]


def test_another_accounts_entries_are_not_found(past: Past, database: Database):
    stranger = Past(database, rows.an_account(database, "stranger"))
    job = stranger.parked(1)
    stranger.invoice(1, DocumentState.SENT)
    event = stranger.event(1, left_out=True)
    stranger.job(0, JobState.PARKED, JobKind.ENSURE)
    with database.write() as session:
        calls.note(session, [{**a_call(stranger.account_id), "job_id": job}])
    for subject in ("deal:1", f"event:{event}", "ensure:account"):
        assert opened(past, subject) is None
        assert opened(stranger, subject) is not None


@pytest.mark.parametrize(
    "subject", ["", "deal:", "deal:x", "deal:-1", "deal:" + "9" * 30, "event:" + "9" * 30, "x:y:z"]
)
def test_a_subject_that_is_none_finds_nothing(past: Past, subject: str):
    assert opened(past, subject) is None


def test_of_everything_there_is_a_bound(past: Past, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(activity_detail, "JOBS", 2)
    monkeypatch.setattr(activity_detail, "CALLS", 2)
    monkeypatch.setattr(activity_detail, "EVENTS", 2)
    monkeypatch.setattr(activity_detail, "ATTEMPTS", 2)
    monkeypatch.setattr(activity_detail, "DOCUMENTS", 2)
    job = 0
    for _ in range(3):
        job = past.job(1, JobState.DONE)
        past.event(1)
    for sequence in range(3):
        past.invoice(1, DocumentState.SENT, sequence)
    with past.database.write() as session:
        calls.note(session, [{**a_call(past.account_id), "job_id": job}] * 3)
    found = the(past, "deal:1")
    assert [len(f) for f in (found.jobs, found.documents, found.calls, found.events)] == [2] * 4
