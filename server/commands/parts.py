"""What every command begins with: the settings, the wired parts, the account it was given."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from server.app import Wired, create_app, wired
from server.config import Config
from server.store import accounts, migrate
from server.store.accounts import AccountRow
from server.vendors.connection import SHARED


def read_config(*required: str) -> Config:
    """From the environment. Raises BadConfig, also where one of ``required`` is not set."""
    config = Config.from_env(os.environ).with_local_keys()
    if required:
        config.require(*required)
    return config


@contextmanager
def billhook(*required: str) -> Iterator[Wired]:
    """The parts over a database that is up to date."""
    with opened(read_config(*required)) as parts:
        if migrate.current(parts.database.engine) != migrate.head():
            raise click.ClickException("The database is not up to date. Run: billhook migrate")
        yield parts


@contextmanager
def opened(config: Config) -> Iterator[Wired]:
    """The parts; their connections are closed at the end."""
    parts = wired(create_app(config))
    try:
        yield parts
    finally:
        parts.database.engine.dispose()
        SHARED.close()


def account_named(parts: Wired, name: str | None) -> AccountRow:
    """By its name; without one, the only account there is."""
    with parts.database.read() as session:
        rows = accounts.everyone(session)
    if name is None and len(rows) == 1:
        return rows[0]
    for row in rows:
        if row.name == name:
            return row
    names = ", ".join(row.name for row in rows)
    if not rows:
        raise click.ClickException("There is no account yet. Run: billhook connect kommo")
    if name is None:
        raise click.ClickException(f"Say which account: {names}")
    raise click.ClickException(f"There is no account “{name}”. There are: {names}")
