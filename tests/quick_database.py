"""SQLite as tests like it: its tables are made once, and nobody waits for the disk."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from server.store import db, migrate


@cache
def file_at_head() -> bytes:
    """An empty SQLite database at head: making the tables took a fifth of each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "billhook.db"
        database = db.connect(Flask("tests"), f"sqlite:///{path}")
        migrate.upgrade(database.engine)
        database.engine.dispose()
        return path.read_bytes()


def do_not_wait_for_the_disk(engine: sa.Engine) -> None:
    """No fsync: no test cuts the power, and our PostgreSQL server waits as little."""

    @sa.event.listens_for(engine, "connect")
    def pragma(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    engine.dispose()  # whoever connected before
