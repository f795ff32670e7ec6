"""What connecting asks of the database, on each kind: races are decided there."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from server.core.tokens import Token
from server.flows import connect, connect_kommo
from server.flows import world as outside
from server.flows.connect import CannotConnect, unrecorded
from server.sandbox.browser import call
from server.store import accounts
from tests.rig import Rig

T = TypeVar("T")


@pytest.fixture
def rig(tmp_path: Path, database_url: str) -> Iterator[Rig]:
    with Rig(tmp_path, database_url=database_url) as rig:
        yield rig


def at_once(how_many: int, do: Callable[[int], T]) -> list[T]:
    gate = threading.Barrier(how_many)

    def one(number: int) -> T:
        gate.wait(10)
        return do(number)

    with ThreadPoolExecutor(how_many) as pool:
        return list(pool.map(one, range(how_many)))


def test_an_account_is_connected_and_counted(rig: Rig) -> None:
    rig.connect()
    assert {rig.connection(v).state for v in ("kommo", "freshbooks")} == {"connected"}
    assert call("GET", f"{rig.url}/readyz").status_code == 200
    assert 'vendor="kommo"} 1.0' in call("GET", f"{rig.url}/metrics").text


def test_four_threads_refresh_once(rig: Rig) -> None:
    rig.connect()
    before = len(rig.sandbox.freshbooks.authority.grants)

    def renew(_number: int) -> Token:
        row = rig.connection("freshbooks")
        return outside.tokens_of(rig.world, row, unrecorded).refreshed(Token("", 1))

    assert len(set(at_once(4, renew))) == 1
    assert len(rig.sandbox.freshbooks.authority.grants) == before + 1


def test_two_completions_of_one_consent_are_one(rig: Rig) -> None:
    ticket = rig.consent("kommo")

    def complete(_number: int) -> str:
        try:
            return str(connect_kommo.complete(rig.world, ticket).account_id)
        except CannotConnect as refused:
            return str(refused)

    assert sorted(at_once(2, complete)) == ["1", "This connection is not ready to be completed."]
    assert len(rig.in_database(accounts.everyone)) == 1


def test_two_consents_of_one_kommo_account_make_one_account(rig: Rig) -> None:
    tickets = [rig.consent("kommo") for _ in range(2)]

    def complete(number: int) -> str:
        try:
            return f"account {connect_kommo.complete(rig.world, tickets[number]).account_id}"
        except CannotConnect:
            return "refused"

    assert set(at_once(2, complete)) <= {"account 1", "refused"}
    assert [row.external_id for row in rig.in_database(kommo_connections)] == [
        str(rig.kommo.account_id)
    ]


def kommo_connections(session: accounts.Session) -> list[accounts.ConnectionRow]:
    return accounts.connected(session, "kommo")


def test_a_ticket_is_spent_by_one_of_two_browsers(rig: Rig) -> None:
    url = connect.start_url(rig.world, "kommo", connect.mint(rig.world, "kommo"))
    statuses = at_once(2, lambda _number: call("GET", url).status_code)
    assert sorted(statuses) == [302, 400]
