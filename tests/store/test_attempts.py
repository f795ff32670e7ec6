"""An attempt freezes what is sent, is counted, and ends in one commit with its document."""

from dataclasses import replace
from threading import Event

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.keys import AccountId
from server.core.states import AttemptOutcome, DocumentState
from server.store import ledger
from server.store.db import Database
from server.store.ledger import AttemptRow, DocumentRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.ledger_rows import FROZEN, HOME, LATER, a_key, begin, opened, record


def test_an_attempt_freezes_what_is_sent_and_says_since_when(
    database: Database, account: AccountId
):
    attempt = begin(database, a_key(account))
    with database.read() as session:
        stored = session.get_one(AttemptRow, attempt.id)
        document = ledger.look(session, a_key(account))
    assert ledger.frozen_in(stored) == FROZEN
    assert (stored.ordinal, stored.outcome) == (1, AttemptOutcome.OPEN)
    assert (stored.call_started_at, stored.ended_at) == (START, None)
    assert document is not None
    assert document.state == DocumentState.CLAIMED


def test_attempts_are_counted_and_the_last_one_is_the_last(database: Database, account: AccountId):
    for n in range(3):
        begin(database, a_key(account), replace(FROZEN, draft_hash=f"h{n}"))
    other = begin(database, a_key(account, source_id="8"))
    with database.read() as session:
        document = ledger.look(session, a_key(account))
        assert document is not None
        assert [a.ordinal for a in ledger.attempts(session, document.id)] == [1, 2, 3]
        last = ledger.last_attempt(session, document.id)
        assert last is not None
        assert last.draft_hash == "h2"
    assert other.ordinal == 1


def test_a_document_without_attempts_has_no_last_one(database: Database, account: AccountId):
    made = opened(database, a_key(account))
    with database.read() as session:
        assert ledger.last_attempt(session, made.id) is None


def test_two_attempts_of_one_document_at_once_do_not_share_an_ordinal(
    database: Database, account: AccountId
):
    attempts = rows.at_once(4, lambda _: begin(database, a_key(account)))
    assert sorted(attempt.ordinal for attempt in attempts) == [1, 2, 3, 4]


def test_an_end_is_written_on_the_attempt_and_its_document_together(
    database: Database, account: AccountId
):
    attempt = begin(database, a_key(account))
    with database.write() as session:
        document = ledger.end(
            session,
            attempt.id,
            AttemptOutcome.UNCERTAIN,
            LATER,
            state=DocumentState.UNCERTAIN,
            error="the reply was lost",
        )
    assert (document.state, document.said) == (DocumentState.UNCERTAIN, "the reply was lost")
    (stored,) = rows.rows_of(database, AttemptRow)
    assert (stored.outcome, stored.error) == (AttemptOutcome.UNCERTAIN, "the reply was lost")
    assert (stored.call_started_at, stored.ended_at) == (START, LATER)


def test_what_was_made_upstream_is_recorded_with_its_figures(
    database: Database, account: AccountId
):
    attempt = begin(database, a_key(account))
    with database.write() as session:
        ledger.end(
            session,
            attempt.id,
            AttemptOutcome.CREATED,
            LATER,
            state=DocumentState.CREATED,
            upstream_id="5001",
            number="0000042",
            amount="1452.91",
            currency="EUR",
        )
    (document,) = rows.rows_of(database, DocumentRow)
    assert (document.upstream_id, document.number) == ("5001", "0000042")
    assert (document.amount, document.currency, document.said) == ("1452.91", "EUR", "")
    assert (document.created_at, document.updated_at) == (START, LATER)


def test_an_end_that_is_rolled_back_leaves_the_attempt_open(database: Database, account: AccountId):
    """The second key is checked in the same commit: nothing of the adoption remains."""
    taken = opened(database, a_key(account, source_id="8"))
    record(database, taken.id, upstream_id="5001")
    attempt = begin(database, a_key(account))
    with pytest.raises(IntegrityError), database.write() as session:
        ledger.end(
            session,
            attempt.id,
            AttemptOutcome.ADOPTED,
            LATER,
            state=DocumentState.CREATED,
            upstream_id="5001",
        )
    assert [row.outcome for row in rows.rows_of(database, AttemptRow)] == [AttemptOutcome.OPEN]


def test_who_opens_a_key_that_another_is_about_to_commit_waits_and_sees_its_attempt(
    postgres: Database,
):
    """Two deals of a new customer at the same instant: the second must see the first's attempt."""
    account, begun = rows.an_account(postgres), Event()

    def open_it(i: int) -> int | None:
        if i == 0:
            with postgres.write() as session:
                document = ledger.open_document(
                    session, a_key(account), START, kind="client", home=HOME
                )
                attempt = ledger.begin(session, document, FROZEN, START)
                begun.set()
                rows.until(lambda: rows.someone_waits_for_a_lock(postgres))
            return attempt.id
        assert begun.wait(rows.BOUND)
        with postgres.write() as session:
            document = ledger.open_document(
                session, a_key(account), START, kind="client", home=HOME
            )
            last = ledger.last_attempt(session, document.id)
        return last.id if last else None

    first, second = rows.at_once(2, open_it)
    assert first == second
