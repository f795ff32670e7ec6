"""One engine a database: the lock that says which."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.engine import Engine

from server.store.db import connect
from server.store.one_clock import OneClock


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    database = connect(Flask("test"), database_url)
    yield database.engine
    database.engine.dispose()


def test_two_do_not_hold_it_at_once(engine: Engine) -> None:
    first, second = OneClock(engine), OneClock(engine)
    assert first.try_hold()
    assert first.try_hold()
    assert not second.try_hold()
    first.let_go()
    assert second.try_hold()
    assert not first.try_hold()
    second.let_go()
