"""From empty to head and back, on both databases; the models and the migrations say the same."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from server.store import migrate
from server.store.accounts import AccountRow
from server.store.db import Database
from server.store.tables import Base
from tests.store import rows
from tests.store.databases import migrated, opened


def _differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_the_migrations_make_exactly_the_models(database_url: str):
    with migrated(database_url) as database:
        assert _differences(database) == []


def test_a_column_that_no_model_knows_would_be_seen(database_url: str):
    with migrated(database_url) as database:
        with database.write() as session:
            session.execute(sa.text("ALTER TABLE account ADD COLUMN surplus INTEGER"))
        assert "surplus" in str(_differences(database))


def _indexes(database: Database) -> dict[str, str]:
    """Every index and unique constraint with the condition that it holds under."""
    inspector = sa.inspect(database.engine)
    where = f"{database.engine.dialect.name}_where"
    return {
        str(index["name"]): str(index.get("dialect_options", {}).get(where, ""))
        for table in inspector.get_table_names()
        for index in inspector.get_indexes(table)
    }


def test_partial_indexes_are_made_with_their_condition(database_url: str):
    """Alembic compares names and columns of an index, not its condition."""
    with migrated(database_url) as database:
        made = _indexes(database)
    for word in ("waiting", "retrying", "parked"):
        assert word in made["uq_job_open_subject"]
    assert "running" in made["uq_job_running_subject"]
    assert "off_at" in made["uq_rule_switch_open"]


def test_an_empty_database_has_no_version_and_gets_the_newest(database_url: str):
    with opened(database_url) as database:
        assert migrate.current(database.engine) is None
        migrate.upgrade(database.engine)
        assert migrate.current(database.engine) == migrate.head()


def test_upgrading_twice_is_harmless(database_url: str):
    with migrated(database_url) as database:
        rows.an_account(database, "kept")
        migrate.upgrade(database.engine)
        assert [row.name for row in rows.rows_of(database, AccountRow)] == ["kept"]


def test_two_processes_may_upgrade_an_empty_database_at_once(database_url: str):
    with opened(database_url) as one, opened(database_url) as other:
        both = (one.engine, other.engine)
        rows.at_once(2, lambda i: migrate.upgrade(both[i]))
        assert migrate.current(one.engine) == migrate.head()
        assert _differences(one) == []


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(database_url: str):
    with opened(database_url) as database:
        with database.write() as session:
            session.execute(sa.text("CREATE TABLE entry (id INTEGER)"))  # in the way, near the end
        with pytest.raises(DatabaseError, match="entry"):
            migrate.upgrade(database.engine)
        assert sa.inspect(database.engine).get_table_names() == ["entry"]
        assert migrate.current(database.engine) is None


def _alembic(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    config.attributes["connection"] = connection
    return config


def test_there_is_a_way_back_and_up_again(database_url: str):
    with migrated(database_url) as database:
        with database.engine.begin() as connection:
            command.downgrade(_alembic(connection), "base")
        assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]
        migrate.upgrade(database.engine)
        assert _differences(database) == []


def test_history_is_one_line_that_ends_at_head():
    script = ScriptDirectory(str(migrate.SCRIPTS))
    line = list(script.walk_revisions())
    assert line[0].revision == migrate.head()
    assert line[-1].down_revision is None
    assert [r.down_revision for r in line[:-1]] == [r.revision for r in line[1:]]
