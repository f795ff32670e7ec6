"""What every command begins with: the settings, the wired parts, the account it was given."""

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from server.app import Wired, create_app, wired
from server.config import Config
from server.store import accounts, migrate
from server.store.accounts import AccountRow
from server.vendors.connection import SHARED

NO_DRIVER = (
    "BILLHOOK_DATABASE_URL names PostgreSQL, whose driver is not installed."
    " In a checkout run: make venv. Elsewhere: pip install 'billhook[postgres]'"
)

TO_SERVE = (  # the settings without which nobody can connect
    "public_url",
    "kommo_client_id",
    "kommo_client_secret",
    "freshbooks_client_id",
    "freshbooks_client_secret",
)


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
    try:
        parts = wired(create_app(config))
    except ModuleNotFoundError as missing:
        if missing.name != "psycopg":
            raise
        raise click.ClickException(NO_DRIVER) from missing
    try:
        yield parts
    finally:
        parts.database.engine.dispose()
        SHARED.close()


@contextmanager
def in_foreground(port: int) -> Iterator[None]:
    """For what runs until Ctrl-C: a closed terminal and ``kill`` end it the same way, so that
    what it started is taken down. ``port`` may be taken already."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # nohup's choice stands
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        click.echo("")
    except OSError as wrong:
        if wrong.errno != errno.EADDRINUSE:
            raise
        raise click.ClickException(
            f"Port {port} is in use. Take another one with --port, or --port 0 for any free one."
        ) from wrong
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
