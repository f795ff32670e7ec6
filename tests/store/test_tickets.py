"""One-time things are spent once, by the browser that they were given to, before they expire."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId
from server.store import tickets
from server.store.accounts import AccountRow
from server.store.db import Database
from server.store.tickets import TicketRow, UsedTokenRow
from tests.fixed_clock import START
from tests.store import rows

EXPIRY = START + timedelta(minutes=10)


def _mint(database: Database, account: int | None = None) -> str:
    with database.write() as session:
        return tickets.mint(session, "kommo", account, START, EXPIRY)


def _start(
    database: Database, ticket: str, vendor: str = "kommo", now: object = START
) -> tuple[str, str] | None:
    with database.write() as session:
        return tickets.start(session, vendor, ticket, now)  # type: ignore[arg-type]


def _come_back(
    database: Database, state: str, browser: str, vendor: str = "kommo", now: object = START
) -> TicketRow | None:
    with database.write() as session:
        return tickets.come_back(session, vendor, state, browser, now)  # type: ignore[arg-type]


def _started(database: Database) -> tuple[str, str]:
    both = _start(database, _mint(database))
    assert both is not None
    return both


def test_a_ticket_goes_its_way_from_minted_to_returning(database: Database, account: AccountId):
    ticket = _mint(database, account)
    both = _start(database, ticket)
    assert both is not None
    state, browser = both
    row = _come_back(database, state, browser)
    assert row is not None
    assert (row.account_id, row.stage) == (account, "returning")


def test_nothing_that_is_handed_out_stands_in_the_row(database: Database):
    ticket = _mint(database)
    both = _start(database, ticket)
    assert both is not None
    (row,) = rows.rows_of(database, TicketRow)
    stored = {str(getattr(row, column.key)) for column in TicketRow.__table__.columns}
    assert not stored & {ticket, *both}


def test_a_ticket_is_spent_once(database: Database):
    ticket = _mint(database)
    assert _start(database, ticket) is not None
    assert _start(database, ticket) is None


def test_of_threads_that_spend_one_ticket_one_succeeds(database: Database):
    ticket = _mint(database)
    spent = rows.at_once(6, lambda _: _start(database, ticket))
    assert sum(both is not None for both in spent) == 1


def test_a_state_is_spent_once(database: Database):
    state, browser = _started(database)
    assert _come_back(database, state, browser) is not None
    assert _come_back(database, state, browser) is None


def test_of_threads_that_come_back_with_one_state_one_succeeds(database: Database):
    state, browser = _started(database)
    back = rows.at_once(6, lambda _: _come_back(database, state, browser))
    assert sum(row is not None for row in back) == 1


def test_another_browser_gets_nothing_and_spends_nothing(database: Database):
    state, browser = _started(database)
    _, anothers = _started(database)
    for wrong in ("", "guess", anothers):
        assert _come_back(database, state, wrong) is None
    assert _come_back(database, state, browser) is not None


def test_a_ticket_is_for_its_vendor(database: Database):
    ticket = _mint(database)
    assert _start(database, ticket, "freshbooks") is None
    both = _start(database, ticket)
    assert both is not None
    assert _come_back(database, *both, vendor="freshbooks") is None


def test_what_has_expired_is_refused(database: Database):
    ticket = _mint(database)
    assert _start(database, ticket, now=EXPIRY) is None
    both = _start(database, ticket, now=EXPIRY - timedelta(seconds=1))
    assert both is not None
    assert _come_back(database, *both, now=EXPIRY) is None


def test_guesses_find_nothing(database: Database):
    _mint(database)
    assert _start(database, "guess") is None
    assert _come_back(database, "guess", "guess") is None
    with database.read() as session:
        assert tickets.find(session, "guess") is None
        assert tickets.get(session, 10**9) is None


def test_the_page_that_minted_a_ticket_finds_it_again(database: Database, account: AccountId):
    ticket = _mint(database, account)
    with database.read() as session:
        row = tickets.find(session, ticket)
        assert row is not None
        assert tickets.get(session, row.id) is row


def test_a_stage_is_left_once(database: Database):
    ticket = _mint(database)
    with database.read() as session:
        row = tickets.find(session, ticket)
    assert row is not None

    def advance(_: int) -> bool:
        with database.write() as session:
            return tickets.advance(session, row.id, "minted", "completed", summary={"by": "page"})

    assert sum(rows.at_once(6, advance)) == 1
    with database.write() as session:
        tickets.settle(session, row.id, "failed", result_sealed=None)
    (after,) = rows.rows_of(database, TicketRow)
    assert (after.stage, after.summary) == ("failed", {"by": "page"})


def test_widget_installs_are_counted_until_they_expire(database: Database):
    with database.write() as session:
        for _ in range(3):
            tickets.leave(session, "kommo", "widget", START, EXPIRY)
    _mint(database)
    with database.read() as session:
        assert tickets.standing(session, "widget", START) == 3
        assert tickets.standing(session, "widget", EXPIRY) == 0


def test_retention_takes_what_expired_in_batches(database: Database):
    for _ in range(3):
        _mint(database)
    with database.write() as session:
        tickets.mint(session, "kommo", None, START, EXPIRY + timedelta(days=1))

    def forget() -> int:
        with database.write() as session:
            return tickets.forget_expired(session, EXPIRY + timedelta(seconds=1), 2)

    assert [forget(), forget(), forget()] == [2, 1, 0]
    assert len(rows.rows_of(database, TicketRow)) == 1


# One-time tokens


def _use(database: Database, jti: str) -> bool:
    with database.write() as session:
        return tickets.use_once(session, jti, EXPIRY)


def test_a_one_time_token_is_used_once(database: Database):
    assert [_use(database, "jti-1"), _use(database, "jti-1"), _use(database, "jti-2")] == [
        True,
        False,
        True,
    ]


def test_of_threads_that_use_one_token_one_succeeds(database: Database):
    assert sum(rows.at_once(6, lambda _: _use(database, "jti"))) == 1


def test_a_refused_token_leaves_the_rest_of_its_transaction_standing(database: Database):
    _use(database, "jti")
    with database.write() as session:
        assert not tickets.use_once(session, "jti", EXPIRY)
        session.add(AccountRow(name="kept", created_at=START))
    assert len(rows.rows_of(database, AccountRow)) == 1


def test_a_token_whose_action_failed_may_be_used_again(database: Database):
    def use_and_fail() -> None:
        with database.write() as session:
            assert tickets.use_once(session, "jti", EXPIRY)
            raise LookupError

    with pytest.raises(LookupError):
        use_and_fail()
    assert rows.rows_of(database, UsedTokenRow) == []
    assert _use(database, "jti")
