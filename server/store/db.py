"""The database as the rest of Billhook sees it: short transactions, UTC times, one write at a time.

Models hang on our own ``Base`` (mypy cannot see ``db.Model``), Flask-SQLAlchemy owns the engine,
and every access goes through ``Database.write()`` or ``Database.read()``: a flow is a row of short
transactions and never holds one over a network call.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, registry, sessionmaker
from sqlalchemy.types import TypeDecorator

BUSY_TIMEOUT_MS = 15_000  # another process (a command beside the server) may hold SQLite's lock
WAL_GLANCE_MS = 20  # a change of mode takes a few milliseconds


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on both databases; a naive time is refused."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(sa.DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    # On the registry, not on the class: Flask-SQLAlchemy derives its own base from this one.
    registry = registry(
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: UtcDateTime,
            dict[str, Any]: sa.JSON,
            list[Any]: sa.JSON,
        },
    )


db = SQLAlchemy(model_class=Base)

__all__ = [
    "WAKE",
    "Base",
    "Database",
    "Session",
    "UtcDateTime",
    "Waker",
    "connect",
    "inserted",
    "is_duplicate",
    "partial_index",
    "put",
    "rows_changed",
    "savepoint",
    "writable",
]


def partial_index(name: str, where: sa.TextClause, *columns: str) -> sa.Index:
    """Over some rows. SQLite takes it only where ``where`` stands in the question word by word, and
    PostgreSQL only where no parameter hides it."""
    return sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


# As SQLite and PostgreSQL name them.
DUPLICATE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505")
WAKE = "billhook_wake"  # in Session.info: this transaction made a job due


class Waker:
    """Told after each commit that made a job due; the engine listens. Set once, by ``app``."""

    def __init__(self) -> None:
        self._listener: Callable[[], None] | None = None

    def listen(self, listener: Callable[[], None] | None) -> None:
        self._listener = listener

    def wake(self) -> None:
        if self._listener is not None:
            self._listener()


class Database:
    """Transactions over one engine.

    SQLite takes one writer at a time; a lock of our own in front of it keeps threads from its
    busy handler's sleeps (p99 48 ms instead of 640 ms, docs/decisions/0005).
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.waker = Waker()
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._readers = sessionmaker(
            engine.execution_options(billhook_read=True), expire_on_commit=False
        )
        sqlite = engine.dialect.name == "sqlite"
        self._one_writer: AbstractContextManager[Any] = (
            threading.Lock() if sqlite else nullcontext()
        )
        self._thread = threading.local()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction; commits at the end, rolls back on any error.

        One inside another would wait for itself for ever (SQLite) or for its own row locks
        (PostgreSQL): RuntimeError.
        """
        if getattr(self._thread, "writes", False):
            raise RuntimeError("a transaction inside a transaction")
        self._thread.writes = True
        try:
            with self._one_writer, self._sessions.begin() as session:
                yield session
        finally:
            self._thread.writes = False
        if session.info.pop(WAKE, False):
            self.waker.wake()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads; what it returns may be used after it is closed."""
        with self._readers() as session:
            yield session


def rows_changed(session: Session, statement: sa.Update | sa.Delete) -> int:
    """Run it and say how many rows it hit: who won a race is decided by this count."""
    result = cast("sa.CursorResult[Any]", session.execute(statement))
    return result.rowcount


def savepoint(session: Session) -> AbstractContextManager[Any]:
    """Around a statement that another process may beat to a key: its failure leaves the transaction
    whole. SQLite's one writer is beaten by nobody, and undoes a failed statement by itself."""
    return nullcontext() if session.get_bind().dialect.name == "sqlite" else session.begin_nested()


def is_duplicate(err: IntegrityError) -> bool:
    """A unique key was met; not an unknown account or an absent value."""
    if isinstance(err.orig, sqlite3.Error):
        return err.orig.sqlite_errorname in DUPLICATE
    return getattr(err.orig, "sqlstate", "") in DUPLICATE


def inserted(session: Session, row: Base) -> bool:
    """Add the row; False where one of its key is there, also one that another process commits at
    this very moment. The transaction goes on either way."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as err:
        if not is_duplicate(err):
            raise
        return False
    return True


def put(session: Session, row: Base) -> None:
    """Add the row, or write over the one of its primary key, whoever adds it meanwhile."""
    try:
        with session.begin_nested():
            session.merge(row)
    except IntegrityError as err:
        if not is_duplicate(err):
            raise
        session.merge(row)
        session.flush()


def writable(text: str) -> str:
    """What both databases take: PostgreSQL no NUL, neither of them half a character (a lone
    surrogate). Texts that quote a vendor may hold either."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def connect(app: Flask, url: str, *, pool_size: int = 24) -> Database:
    """Bind Flask-SQLAlchemy to ``url`` (sqlite:/// or postgresql+psycopg://)."""
    # A statement that fails goes into the log: never with what it carries, which names persons.
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 8, "hide_parameters": True}
    if url.startswith("sqlite"):
        url = _in_place(url)
        options["connect_args"] = {
            "check_same_thread": False,
            "timeout": BUSY_TIMEOUT_MS / 1000,
            "isolation_level": None,  # we say BEGIN ourselves, below
        }
    else:
        options["pool_pre_ping"] = True
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    return Database(engine)


def _in_place(url: str) -> str:
    """The file seen from where we were started (Flask-SQLAlchemy would look in the instance
    folder), in a folder that exists."""
    parts = sa.make_url(url)
    if not parts.database or parts.database == ":memory:":
        return url
    path = Path(parts.database).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    return parts.set(database=str(path)).render_as_string(hide_password=False)


def _to_wal(cursor: Any) -> None:
    """SQLite's busy handler does not cover the change of a new file's mode: where two processes
    open it at once, one of them asks again."""
    for _ in range(BUSY_TIMEOUT_MS // WAL_GLANCE_MS):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            sleep(WAL_GLANCE_MS / 1000)
        else:
            return
    cursor.execute("PRAGMA journal_mode=WAL")


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        _to_wal(cursor)
        # FULL: what was answered 2xx survives a power cut (the promise decides, not the speed).
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock at once: a transaction that reads first cannot then fail
        # to become a writer. Readers stay deferred and never wait.
        read = connection.get_execution_options().get("billhook_read")
        # On the driver's own connection: SQLAlchemy's way costs more than the rest of a small read.
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN" if read else "BEGIN IMMEDIATE")
