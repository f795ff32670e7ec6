"""Never twice: both unique keys of a document, what an attempt freezes, and how it ends."""

from dataclasses import replace
from datetime import date, timedelta
from threading import Event

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.keys import AccountId, DocumentId
from server.core.states import AttemptOutcome, DocumentState
from server.store import ledger
from server.store.db import Database
from server.store.ledger import AttemptRow, ClientLinkRow, DocumentRow, Frozen, Key
from tests.fixed_clock import START
from tests.store import rows

LATER = START + timedelta(minutes=5)
HOME = "freshbooks:900"
FROZEN = Frozen(
    draft={"lines": [{"name": "Ąžuolas", "unit_cost": "1200.75"}], "notes": None},
    draft_hash="h1",
    customer_id="17",
    create_date=date(2026, 3, 2),
    number="BH-000001",
    reference="BHABCDEFGHIJ",
    reference_place="po_number",
)


def _key(account: int, **parts: object) -> Key:
    return replace(Key(account, "kommo", "7", "invoice"), **parts)  # type: ignore[arg-type]


def _open(database: Database, key: Key, home: str = HOME, kind: str = "invoice") -> DocumentRow:
    with database.write() as session:
        return ledger.open_document(session, key, START, kind=kind, home=home)


def _begin(database: Database, key: Key, frozen: Frozen = FROZEN) -> AttemptRow:
    with database.write() as session:
        document = ledger.open_document(session, key, START, kind="invoice", home=HOME)
        return ledger.begin(session, document, frozen, START)


def _record(database: Database, document_id: int, **columns: object) -> DocumentRow:
    with database.write() as session:
        return ledger.record(session, document_id, LATER, **columns)


# The keys


def test_a_key_has_one_document_however_often_it_is_opened(database: Database, account: AccountId):
    first = _open(database, _key(account))
    _record(database, first.id, state=DocumentState.SENT)
    again = _open(database, _key(account))
    assert again.id == first.id
    assert again.state == DocumentState.SENT


@pytest.mark.parametrize(
    "other", [{"source": "client"}, {"source_id": "8"}, {"purpose": "email"}, {"sequence": 1}]
)
def test_every_part_of_the_key_makes_another_document(
    database: Database, account: AccountId, other: dict[str, object]
):
    assert _open(database, _key(account)).id != _open(database, _key(account, **other)).id


def test_accounts_have_documents_of_their_own(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert _open(database, _key(account)).id != _open(database, _key(second)).id


def test_the_database_itself_refuses_a_second_document_of_a_key(
    database: Database, account: AccountId
):
    _open(database, _key(account))
    twin = DocumentRow(
        **vars(_key(account)), kind="invoice", home=HOME, created_at=START, updated_at=START
    )
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(twin)


def test_threads_that_open_one_key_at_once_get_one_document(database: Database, account: AccountId):
    for n in range(3):
        key = _key(account, source_id=str(n))
        assert len({row.id for row in rows.at_once(6, lambda _, k=key: _open(database, k))}) == 1  # type: ignore[misc]


def test_who_opens_a_key_that_another_is_about_to_commit_waits_and_sees_its_attempt(
    postgres: Database,
):
    """Two deals of a new customer at the same instant: the second must see the first's attempt."""
    account, begun = rows.an_account(postgres), Event()

    def open_it(i: int) -> int | None:
        if i == 0:
            with postgres.write() as session:
                document = ledger.open_document(
                    session, _key(account), START, kind="client", home=HOME
                )
                attempt = ledger.begin(session, document, FROZEN, START)
                begun.set()
                rows.until(lambda: rows.someone_waits_for_a_lock(postgres))
            return attempt.id
        assert begun.wait(rows.BOUND)
        with postgres.write() as session:
            document = ledger.open_document(session, _key(account), START, kind="client", home=HOME)
            last = ledger.last_attempt(session, document.id)
        return last.id if last else None

    first, second = rows.at_once(2, open_it)
    assert first == second


def test_an_invoice_adopted_twice_is_refused_by_the_database(
    database: Database, account: AccountId
):
    one, other = _open(database, _key(account)), _open(database, _key(account, source_id="8"))
    _record(database, one.id, upstream_id="5001")
    with pytest.raises(IntegrityError):
        _record(database, other.id, upstream_id="5001")


def test_the_same_number_of_another_kind_or_business_is_another_thing(
    database: Database, account: AccountId
):
    for n, (home, kind) in enumerate(
        [(HOME, "invoice"), (HOME, "client"), ("freshbooks:901", "invoice")]
    ):
        row = _open(database, _key(account, source_id=str(n)), home, kind)
        assert _record(database, row.id, upstream_id="5001").upstream_id == "5001"


def test_documents_that_are_not_there_upstream_yet_do_not_collide(
    database: Database, account: AccountId
):
    for n in range(3):
        _open(database, _key(account, source_id=str(n)))
    assert len(rows.rows_of(database, DocumentRow)) == 3


def test_a_document_is_found_by_its_key_or_not_at_all(database: Database, account: AccountId):
    made = _open(database, _key(account))
    for ask in (ledger.look, ledger.find):
        with database.write() as session:
            found = ask(session, _key(account))
            assert found is not None
            assert found.id == made.id
            assert ask(session, _key(account, sequence=1)) is None
    with database.read() as session:
        assert ledger.get(session, DocumentId(made.id)).source_id == "7"


# Attempts


def test_an_attempt_freezes_what_is_sent_and_says_since_when(
    database: Database, account: AccountId
):
    attempt = _begin(database, _key(account))
    with database.read() as session:
        stored = session.get_one(AttemptRow, attempt.id)
        document = ledger.look(session, _key(account))
    assert ledger.frozen_in(stored) == FROZEN
    assert (stored.ordinal, stored.outcome) == (1, AttemptOutcome.OPEN)
    assert (stored.call_started_at, stored.ended_at) == (START, None)
    assert document is not None
    assert document.state == DocumentState.CLAIMED


def test_attempts_are_counted_and_the_last_one_is_the_last(database: Database, account: AccountId):
    for n in range(3):
        _begin(database, _key(account), replace(FROZEN, draft_hash=f"h{n}"))
    other = _begin(database, _key(account, source_id="8"))
    with database.read() as session:
        document = ledger.look(session, _key(account))
        assert document is not None
        assert [a.ordinal for a in ledger.attempts(session, document.id)] == [1, 2, 3]
        last = ledger.last_attempt(session, document.id)
        assert last is not None
        assert last.draft_hash == "h2"
    assert other.ordinal == 1


def test_a_document_without_attempts_has_no_last_one(database: Database, account: AccountId):
    made = _open(database, _key(account))
    with database.read() as session:
        assert ledger.last_attempt(session, made.id) is None


def test_two_attempts_of_one_document_at_once_do_not_share_an_ordinal(
    database: Database, account: AccountId
):
    attempts = rows.at_once(4, lambda _: _begin(database, _key(account)))
    assert sorted(attempt.ordinal for attempt in attempts) == [1, 2, 3, 4]


def test_an_end_is_written_on_the_attempt_and_its_document_together(
    database: Database, account: AccountId
):
    attempt = _begin(database, _key(account))
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
    attempt = _begin(database, _key(account))
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


def test_a_column_that_does_not_exist_is_not_recorded_in_silence(
    database: Database, account: AccountId
):
    made = _open(database, _key(account))
    with pytest.raises(AttributeError, match="nummber"):
        _record(database, made.id, nummber="1")


def test_an_end_that_is_rolled_back_leaves_the_attempt_open(database: Database, account: AccountId):
    """The second key is checked in the same commit: nothing of the adoption remains."""
    taken = _open(database, _key(account, source_id="8"))
    _record(database, taken.id, upstream_id="5001")
    attempt = _begin(database, _key(account))
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


# What a source has


def test_a_deals_documents_and_its_open_tasks(database: Database, account: AccountId):
    invoice = _open(database, _key(account))
    tasks = [
        _open(database, _key(account, purpose=f"task:{n}"), "kommo:1", "task") for n in range(3)
    ]
    _open(database, _key(account, source_id="8", purpose="task:0"), "kommo:1", "task")
    _record(database, invoice.id, state=DocumentState.CREATED)
    _record(database, tasks[0].id, state=DocumentState.CREATED)
    _record(database, tasks[1].id, state=DocumentState.CLOSED)
    with database.read() as session:
        found = ledger.of_source(session, account, "kommo", "7")
        assert [row.id for row in found] == [invoice.id, *(task.id for task in tasks)]
        assert [row.id for row in ledger.open_tasks(session, account, "7")] == [tasks[0].id]


@pytest.mark.parametrize(
    ("state", "action", "link", "settled"),
    [
        (DocumentState.CLAIMED, "draft", "", False),
        (DocumentState.UNCERTAIN, "draft", "", False),
        (DocumentState.REFUSED, "draft", "", False),
        (DocumentState.CREATED, "draft", "", True),
        (DocumentState.CREATED, "mark_sent", "x", False),
        (DocumentState.CREATED, "email", "x", False),
        (DocumentState.SENT, "email", "", False),
        (DocumentState.SENT, "email", "x", True),
        (DocumentState.MISMATCH, "email", "", True),
        (DocumentState.AMBIGUOUS, "email", "", True),
        (DocumentState.DELETED, "email", "", True),
    ],
)
def test_a_document_is_settled_when_nothing_is_left_to_do(
    state: DocumentState, action: str, link: str, settled: bool
):
    assert DocumentRow(state=state, action=action, link=link).settled is settled


# Clients


def _link(database: Database, account: int, upstream_id: str, home: str = HOME) -> None:
    with database.write() as session:
        ledger.link_client(
            session,
            home=home,
            client_key="email:a@b.test",
            account_id=account,
            upstream_id=upstream_id,
            made_by_us=False,
            created_at=START,
        )


def _linked(database: Database, home: str = HOME) -> str | None:
    with database.read() as session:
        row = ledger.linked_client(session, home, "email:a@b.test")
    return row.upstream_id if row else None


def test_a_client_key_stands_for_one_client_of_a_business_and_can_be_corrected(
    database: Database, account: AccountId
):
    assert _linked(database) is None
    _link(database, account, "17")
    _link(database, account, "99", "freshbooks:901")
    assert (_linked(database), _linked(database, "freshbooks:901")) == ("17", "99")
    _link(database, account, "18")
    assert (_linked(database), _linked(database, "freshbooks:901")) == ("18", "99")


def test_two_deals_may_link_the_same_client_at_once(database: Database, account: AccountId):
    rows.at_once(6, lambda _: _link(database, account, "17"))
    assert [row.upstream_id for row in rows.rows_of(database, ClientLinkRow)] == ["17"]


def test_a_client_that_is_gone_is_matched_anew(database: Database, account: AccountId):
    _link(database, account, "17")
    for _ in range(2):  # again: harmless
        with database.write() as session:
            ledger.unlink_client(session, HOME, "email:a@b.test")
        assert _linked(database) is None
    _link(database, account, "18")
    assert _linked(database) == "18"
