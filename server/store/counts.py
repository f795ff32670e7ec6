"""How many of everything: what the operator's metrics show."""

from datetime import datetime

import sqlalchemy as sa

from server.core.states import JobState
from server.store.accounts import ConnectionRow
from server.store.db import Session
from server.store.inbox import EventRow
from server.store.jobs import JobRow
from server.store.ledger import DocumentRow

Count = tuple[tuple[str, ...], int]


def _grouped(session: Session, *columns: sa.orm.InstrumentedAttribute[str]) -> list[Count]:
    rows = session.execute(sa.select(*columns, sa.func.count()).group_by(*columns)).all()
    return [(tuple(str(value) for value in row[:-1]), int(row[-1])) for row in rows]


def jobs(session: Session) -> list[Count]:
    """By kind, state and cause."""
    return _grouped(session, JobRow.kind, JobRow.state, JobRow.cause)


def documents(session: Session) -> list[Count]:
    """By kind and state."""
    return _grouped(session, DocumentRow.kind, DocumentRow.state)


def connections(session: Session) -> list[Count]:
    """By vendor and state."""
    return _grouped(session, ConnectionRow.vendor, ConnectionRow.state)


def events(session: Session) -> list[Count]:
    """By the kind of hook they came by; as long as they are kept."""
    return _grouped(session, EventRow.kind)


def oldest_due(session: Session, now: datetime) -> datetime | None:
    """Since when a job that could run has waited; None: nothing is late."""
    return session.scalar(
        sa.select(sa.func.min(JobRow.due_at)).where(
            JobRow.state.in_((JobState.WAITING, JobState.RETRYING)), JobRow.due_at <= now
        )
    )
