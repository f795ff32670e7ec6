"""What a test of the engines may ask for: a database at head, an account, a world around them."""

import pytest

from server.core.keys import AccountId
from server.flows.world import World
from server.store.db import Database
from tests.fixed_clock import FixedClock
from tests.store import rows
from tests.store.databases import (  # noqa: F401 these are fixtures
    database,
    postgres,
    postgres_at_head,
    sqlite,
    sqlite_at_head,
)
from tests.work.worlds import a_world


@pytest.fixture
def account(database: Database) -> AccountId:  # noqa: F811 the fixture's name
    return rows.an_account(database)


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:  # noqa: F811 the fixture's name
    return a_world(database, clock)
