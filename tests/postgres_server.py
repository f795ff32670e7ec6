"""A PostgreSQL that the tests start themselves: the system's programs, a throw-away cluster.

It listens on a Unix socket in a temporary folder alone, so that there is no port to collide on.
PostgreSQL refuses to run as root: then it runs as the user ``postgres`` that its package made.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

ABSENT = "PostgreSQL is absent (on Debian: apt-get install postgresql)"
# Durability is not what the tests are about; without it a cluster is up in a second.
_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: the one on the path, else the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: int(path.parts[-3]), default=None)
    return newest.parent if newest else None


@contextmanager
def running(bin_folder: Path) -> Iterator[URL]:
    """A server for as long as the block lasts; yields the URL of its database ``postgres``."""
    home = Path(tempfile.mkdtemp(prefix="billhook-pg-", dir="/tmp"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:
        who = {"user": "postgres", "group": "postgres", "extra_groups": []}
        shutil.chown(home, "postgres", "postgres")
    data = str(home / "data")

    def run(program: str, *arguments: str) -> None:
        command = [str(bin_folder / program), "-D", data, *arguments]
        with (home / "output").open("ab") as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd=home, **who)
        if done.returncode:
            raise RuntimeError(f"{command}: {(home / 'output').read_text('utf-8', 'replace')}")

    try:
        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-locale")
        run("pg_ctl", "start", "-w", "-o", f"-k {home} -c listen_addresses='' {_FAST}")
        try:
            yield URL.create(
                "postgresql+psycopg",
                username="postgres",
                database="postgres",
                query={"host": str(home)},
            )
        finally:
            # "fast" is SIGINT: it does not wait for connections that a pool still holds.
            run("pg_ctl", "stop", "-w", "-m", "fast")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def empty_database(server: URL, name: str) -> Iterator[str]:
    """A database of its own, dropped afterwards; yields its URL as settings spell it."""
    _do(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _do(server, f'CREATE DATABASE "{name}"')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _do(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def given_server(text: str) -> URL:
    """The server that BILLHOOK_TEST_PG_URL names; its user may create databases."""
    return make_url(text).set(drivername="postgresql+psycopg")


def _do(server: URL, statement: str) -> None:
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain, autocommit=True)) as connection:
        connection.execute(statement.encode())
