"""Databases at head, of both kinds: made once a test process, emptied before each test.

For the tests' conftests; making and migrating one for each test would cost half a second each.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from server.store import db, migrate
from server.store.db import Database
from server.store.tables import Base
from tests import postgres_server

_counter = itertools.count()


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """A Database over ``url``, as the server opens it; its connections are closed afterwards."""
    database = db.connect(Flask("tests"), url)
    try:
        yield database
    finally:
        database.engine.dispose()


@contextmanager
def migrated(url: str) -> Iterator[Database]:
    with opened(url) as database:
        migrate.upgrade(database.engine)
        yield database


def emptied(database: Database) -> Database:
    """Without a row in any table, and without a listener."""
    database.waker.listen(None)
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(table.delete())
    return database


@pytest.fixture(scope="session")
def sqlite_at_head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with migrated(f"sqlite:///{tmp_path_factory.mktemp('store')}/billhook.db") as database:
        yield database


@pytest.fixture(scope="session")
def postgres_at_head(request: pytest.FixtureRequest) -> Iterator[Database]:
    server = request.getfixturevalue("postgres_server_url")
    name = f"billhook_{os.getpid()}_head{next(_counter)}"
    with postgres_server.empty_database(server, name) as url, migrated(url) as database:
        yield database


@pytest.fixture
def sqlite(sqlite_at_head: Database) -> Database:
    return emptied(sqlite_at_head)


@pytest.fixture
def postgres(postgres_at_head: Database) -> Database:
    return emptied(postgres_at_head)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty database at head; the test runs once on each kind."""
    found: Database = request.getfixturevalue(request.param)
    return found
