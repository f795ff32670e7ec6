"""One engine a database: a lock held for life, let go by the system when its holder dies.

Correctness rests on the job rows; this keeps two engines from doing the same work twice as often,
and lets the one on SQLite clear the leases of the dead at once.
"""

import fcntl
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

_ADVISORY_KEY = 0x62696C6C  # "bill": any number that nobody else locks in this database


class OneClock:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file: int | None = None
        self._connection: Connection | None = None

    def try_hold(self) -> bool:
        """Whether it is ours, now and until ``let_go`` or the end of the process."""
        if self._file is not None or self._connection is not None:
            return True
        if self._engine.dialect.name == "sqlite":
            return self._lock_file()
        return self._lock_row()

    def let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _lock_file(self) -> bool:
        path = Path(f"{self._engine.url.database}.engine.lock")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def _lock_row(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        held = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_ADVISORY_KEY)))
        if not held:
            connection.close()
            return False
        # Taken out of the pool: its session is the lock.
        connection.detach()
        self._connection = connection
        return True
