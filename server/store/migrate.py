"""Bring a database to the newest version of the tables.

``python -m server.store.migrate "what changed"`` writes the next migration from the models.
"""

import sys
import tempfile

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine

from server.resources import resource

SCRIPTS = resource("migrations")
UPGRADING = 0x62696C6D  # an advisory lock; the one clock holds its neighbour for life


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision; there is exactly one."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError(f"no migrations in {SCRIPTS}")
    return revision


class NoDatabase(Exception):
    """The database does not answer; the text is the driver's, without the URL."""


def current(engine: Engine) -> str | None:
    """The database's revision; None: empty. Raises NoDatabase."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as err:
        why = str(err.orig).strip().partition("\n")[0]
        raise NoDatabase(f"The database does not answer: {why}") from None


def upgrade(engine: Engine) -> None:
    """To head, in one transaction; safe to call again, and by two processes at once: the second
    waits (SQLite's own lock; PostgreSQL would let both create the first table, so they queue)."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(UPGRADING)))
        command.upgrade(_config(connection), "head")


def _write_next(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = sa.create_engine(f"sqlite:///{folder}/next.db")
        upgrade(engine)
        with engine.begin() as connection:
            command.revision(_config(connection), message=message, autogenerate=True)
        engine.dispose()


if __name__ == "__main__":
    _write_next(sys.argv[1])
