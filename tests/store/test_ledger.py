"""Never twice: both unique keys of a document, what a source has, and when it is settled."""

import pytest
from sqlalchemy.exc import IntegrityError

from server.core.keys import AccountId, DocumentId
from server.core.states import DocumentState
from server.store import ledger
from server.store.db import Database
from server.store.ledger import DocumentRow
from tests.fixed_clock import START
from tests.store import rows
from tests.store.ledger_rows import HOME, a_key, opened, record


def test_a_key_has_one_document_however_often_it_is_opened(database: Database, account: AccountId):
    first = opened(database, a_key(account))
    record(database, first.id, state=DocumentState.SENT)
    again = opened(database, a_key(account))
    assert again.id == first.id
    assert again.state == DocumentState.SENT


@pytest.mark.parametrize(
    "other", [{"source": "client"}, {"source_id": "8"}, {"purpose": "email"}, {"sequence": 1}]
)
def test_every_part_of_the_key_makes_another_document(
    database: Database, account: AccountId, other: dict[str, object]
):
    assert opened(database, a_key(account)).id != opened(database, a_key(account, **other)).id


def test_accounts_have_documents_of_their_own(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert opened(database, a_key(account)).id != opened(database, a_key(second)).id


def test_the_database_itself_refuses_a_second_document_of_a_key(
    database: Database, account: AccountId
):
    opened(database, a_key(account))
    twin = DocumentRow(
        **vars(a_key(account)), kind="invoice", home=HOME, created_at=START, updated_at=START
    )
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(twin)


def test_threads_that_open_one_key_at_once_get_one_document(database: Database, account: AccountId):
    for n in range(3):
        key = a_key(account, source_id=str(n))
        assert len({row.id for row in rows.at_once(6, lambda _, k=key: opened(database, k))}) == 1  # type: ignore[misc]


def test_an_invoice_adopted_twice_is_refused_by_the_database(
    database: Database, account: AccountId
):
    one, other = opened(database, a_key(account)), opened(database, a_key(account, source_id="8"))
    record(database, one.id, upstream_id="5001")
    with pytest.raises(IntegrityError):
        record(database, other.id, upstream_id="5001")


def test_the_same_number_of_another_kind_or_business_is_another_thing(
    database: Database, account: AccountId
):
    for n, (home, kind) in enumerate(
        [(HOME, "invoice"), (HOME, "client"), ("freshbooks:901", "invoice")]
    ):
        row = opened(database, a_key(account, source_id=str(n)), home, kind)
        assert record(database, row.id, upstream_id="5001").upstream_id == "5001"


def test_documents_that_are_not_there_upstream_yet_do_not_collide(
    database: Database, account: AccountId
):
    for n in range(3):
        opened(database, a_key(account, source_id=str(n)))
    assert len(rows.rows_of(database, DocumentRow)) == 3


def test_a_document_is_found_by_its_key_or_not_at_all(database: Database, account: AccountId):
    made = opened(database, a_key(account))
    for ask in (ledger.look, ledger.find):
        with database.write() as session:
            found = ask(session, a_key(account))
            assert found is not None
            assert found.id == made.id
            assert ask(session, a_key(account, sequence=1)) is None
    with database.read() as session:
        assert ledger.get(session, DocumentId(made.id)).source_id == "7"


def test_a_column_that_does_not_exist_is_not_recorded_in_silence(
    database: Database, account: AccountId
):
    made = opened(database, a_key(account))
    with pytest.raises(AttributeError, match="nummber"):
        record(database, made.id, nummber="1")


def test_a_deals_documents_and_its_open_tasks(database: Database, account: AccountId):
    invoice = opened(database, a_key(account))
    tasks = [
        opened(database, a_key(account, purpose=f"task:{n}"), "kommo:1", "task") for n in range(3)
    ]
    opened(database, a_key(account, source_id="8", purpose="task:0"), "kommo:1", "task")
    record(database, invoice.id, state=DocumentState.CREATED)
    record(database, tasks[0].id, state=DocumentState.CREATED)
    record(database, tasks[1].id, state=DocumentState.CLOSED)
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
