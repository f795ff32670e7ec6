"""An account with a past, on each kind of database: what the buttons of the activity page meet."""

import pytest

from server.flows.world import World
from server.store import settings
from server.store.db import Database
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.activity_rows import Past
from tests.store.databases import (  # noqa: F401 these are fixtures
    database,
    postgres,
    postgres_at_head,
    sqlite,
    sqlite_at_head,
)
from tests.work.worlds import a_world


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:  # noqa: F811 the fixture's name
    return a_world(database, clock)


@pytest.fixture
def past(database: Database) -> Past:  # noqa: F811 the fixture's name
    """Of an account that is connected, with a rule that is on."""
    account = rows.an_account(database)
    for vendor in ("kommo", "freshbooks"):
        rows.a_connection(database, account, vendor, external_id=str(account))
    with database.write() as session:
        settings.switch_on(session, account, "won", START, "test")
    return Past(database, account)


@pytest.fixture
def stranger(past: Past) -> Past:
    return Past(past.database, rows.an_account(past.database, "stranger"))
