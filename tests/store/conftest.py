"""What a test of the memory may ask for: an empty database at head, an account in it."""

import pytest

from server.core.keys import AccountId
from server.store.db import Database
from tests.store import rows
from tests.store.databases import (  # noqa: F401 these are fixtures
    database,
    postgres,
    postgres_at_head,
    sqlite,
    sqlite_at_head,
)


@pytest.fixture
def account(database: Database) -> AccountId:  # noqa: F811 the fixture's name
    return rows.an_account(database)
