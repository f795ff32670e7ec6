"""What a person looks for by name: deals and clients as they were last read."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.core.states import DocumentState, JobState
from server.store import activity, deal_names
from server.store.activity import Filter, Page
from server.store.db import Database
from server.store.deal_names import DealNameRow, Names
from tests.fixed_clock import START
from tests.store import rows
from tests.store.activity_rows import Past


@pytest.fixture
def past(database: Database, account: AccountId) -> Past:
    return Past(database, account)


def named(past: Past, deal: int, *names: str, drafted: bool = False) -> None:
    with past.database.write() as session:
        deal_names.note(session, past.account_id, deal, Names(*names, drafted), past.now)


def search(past: Past, text: str, **more: object) -> Page:
    with past.database.read() as session:
        wanted = Filter(text=text, **more)  # type: ignore[arg-type]
        return activity.page(session, past.account_id, wanted, most=50)


def found(past: Past, text: str, **more: object) -> list[str]:
    return [entry.subject for entry in search(past, text, **more).entries]


def test_a_deal_is_found_by_its_names_its_number_and_its_invoices(past: Past, database: Database):
    stranger = Past(database, rows.an_account(database, "stranger"))
    for one in (past, stranger):
        one.parked(51)
        one.invoice(77, DocumentState.SENT, number="A-000123")
        named(one, 51, "Stühle für José", "Acme 100% GmbH")
        named(one, 77, "Tables", "Acme_Two")
    past.job(99, JobState.LEFT_OUT)
    past.event(51, left_out=True)
    (entry,) = search(past, "  JOSE stuhle ").entries
    assert (entry.subject, entry.deal_name, entry.client_name) == (
        "deal:51",
        "Stühle für José",
        "Acme 100% GmbH",
    )
    assert found(past, "acme") == ["deal:77", "deal:51"]
    assert found(past, "acme", deal_id=51) == ["deal:51"]
    assert found(past, "acme", cause="problems") == ["deal:51"]
    assert found(past, "acme tables") == found(past, "a-0001") == ["deal:77"]
    assert found(past, "#99") == ["deal:99"]  # of which no name is known
    assert found(past, "0%") == ["deal:51"]
    assert found(past, "e_t") == ["deal:77"]
    assert found(past, "nobody") == found(past, "2147483648999") == []
    assert len(found(past, "  ")) == 4
    past.invoice(7, DocumentState.SENT, number="A-000124", source="shop", source_id="order-7")
    assert found(past, "a-0001") == ["deal:77"]


def test_a_search_gives_the_newest_and_says_that_there_are_more(
    past: Past, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(activity, "FOUND", 2)
    for deal in (1, 2, 3):
        past.parked(deal)
        named(past, deal, f"Order {deal}", "Acme")
    few, many = search(past, "order 3"), search(past, "order")
    assert ([e.subject for e in few.entries], few.cut) == (["deal:3"], False)
    assert ([e.subject for e in many.entries], many.cut) == (["deal:3", "deal:2"], True)


def test_the_last_reading_counts_and_what_was_never_drafted_is_forgotten(past: Past):
    named(past, 1, "First", "Acme", drafted=True)
    named(past, 1, "Later\0", "x" * 900)
    named(past, 2, "Never billed", "Acme")
    past.now += timedelta(days=1)
    named(past, 3, "Young", "Acme")
    with past.database.write() as session:
        assert deal_names.forget_before(session, START + timedelta(hours=1), 10) == 1
    left = {row.deal_id: row for row in rows.rows_of(past.database, DealNameRow)}
    assert left.keys() == {1, 3}
    assert (left[1].deal, len(left[1].client)) == ("Later\N{REPLACEMENT CHARACTER}", 200)
