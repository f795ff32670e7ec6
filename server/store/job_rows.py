"""The job's row and its kinds; what is done with them stands in ``store.jobs``."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from server.core.states import JobClass, JobState
from server.store.db import Base, partial_index
from server.store.sentence import Sentence

# As text, here and in questions: SQLite takes a partial index only where its own condition stands
# in the question word by word, and PostgreSQL only where no parameter hides it.
OPEN = sa.text("state IN ('waiting', 'retrying', 'parked')")
RUNNING = sa.text("state = 'running'")
_PARKED = sa.text("state = 'parked'")
_UNDER_WAY = sa.text("about IS NOT NULL AND state IN ('waiting', 'retrying', 'running')")
_LEFT_OUT = sa.text("about IS NOT NULL AND state = 'left_out'")
_ABOUT = sa.text("about IS NOT NULL")
_OPEN_ABOUT = sa.text("about IS NOT NULL AND state IN ('waiting', 'retrying', 'running', 'parked')")
_SHOWN = ("about", "kind", "state")


class JobKind(StrEnum):
    DEAL_TO_INVOICE = "deal_to_invoice"
    INVOICE_TO_DEAL = "invoice_to_deal"
    TELL_MANAGER = "tell_manager"  # one task in Kommo, with the cause in plain words
    TASKS_DONE = "tasks_done"  # the cause is gone: complete those tasks
    ENSURE = "ensure"  # fields and webhook at Kommo, as they must be
    SWEEP_EVENTS = "sweep_events"  # what webhooks missed
    PROBE = "probe"  # is the vendor back?
    WELCOME = "welcome"  # a widget install told us a code; exchange it
    FAREWELL = "farewell"  # Kommo says that our integration was switched off; look whether it was
    ALL_AGAIN = "all_again"  # the rest of a cause of which a person tries all again
    WHAT_IF = "what_if"  # what a rule would have billed; a person looks on


@dataclass(frozen=True)
class NewJob:
    """Work on one subject ("deal:5512033"). ``payload`` is merged into an open job's."""

    account_id: int | None  # None: not known yet (a widget install before its token is read)
    kind: JobKind
    subject: str
    job_class: JobClass
    payload: dict[str, Any]
    due_at: datetime | None = None


# What a person asked for, or would miss; every other kind is plumbing.
MEANINGFUL = (JobKind.DEAL_TO_INVOICE, JobKind.INVOICE_TO_DEAL, JobKind.TELL_MANAGER)


def _about(context: Any) -> str | None:
    """Whose activity a new row is."""
    row = context.get_current_parameters()
    if row["kind"] not in MEANINGFUL:
        return None
    deal = (row.get("payload") or {}).get("deal")
    return f"deal:{deal}" if deal else str(row["subject"])


class JobRow(Base):
    __tablename__ = "job"
    __table_args__ = (
        sa.Index(
            "uq_job_open_subject",
            "account_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        sa.Index(
            "uq_job_running_subject",
            "account_id",
            "subject",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        sa.Index("ix_job_due", "state", "due_at"),
        # For the activity page (store/activity_groups.py), each with all that its walk asks, so
        # that no row is read to be passed over; finished plumbing is in none of them.
        partial_index("ix_job_about", _ABOUT, "account_id", "about", "kind", "id"),
        partial_index(
            "ix_job_open_about", _OPEN_ABOUT, "account_id", "about", "state", "kind", "id"
        ),
        partial_index(
            "ix_job_kind", _ABOUT, "account_id", "kind", "updated_at", "id", "about", "state"
        ),
        partial_index("ix_job_parked", _PARKED, "account_id", "updated_at", "id", *_SHOWN),
        partial_index("ix_job_cause", _PARKED, "account_id", "cause", "updated_at", "id"),
        partial_index("ix_job_under_way", _UNDER_WAY, "account_id", "updated_at", "id", *_SHOWN),
        partial_index(
            "ix_job_left_out", _LEFT_OUT, "account_id", "kind", "state", "updated_at", "id", "about"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    about: Mapped[str | None] = mapped_column(default=_about)  # "deal:5512033"; None: plumbing
    job_class: Mapped[int]
    state: Mapped[str] = mapped_column(default=JobState.WAITING)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)  # tries that count against the retry delays
    cause: Mapped[str] = mapped_column(default="")
    said: Mapped[str] = mapped_column(Sentence, default="")  # the last outcome, for a person
    problems: Mapped[list[Any]] = mapped_column(default=list)
    fingerprint: Mapped[str] = mapped_column(default="")
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def take_up(self, new: NewJob, now: datetime) -> None:
        """Fold ``new`` into this open job."""
        self.payload = {**self.payload, **new.payload}
        self.job_class = min(self.job_class, new.job_class)
        self.updated_at = now
        if new.due_at is None or self.state == JobState.PARKED:
            self.state, self.due_at, self.attempts = JobState.WAITING, new.due_at or now, 0
        else:
            self.due_at = min(self.due_at, new.due_at)
