"""What a person says to an entry of the activity page: ignore it, or look at it again.

Ignored is decided: its parked jobs are left out, so that neither a vendor's coming back nor a new
mapping takes them up; an invoice that a person had to decide carries who did. A new event or *try
again* makes a new job, as for anything that was left out.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.messages import N_
from server.core.said import say
from server.core.states import IGNORED, JobState
from server.store.activity_detail import open_jobs
from server.store.activity_entries import BUG, LONGEST_ID, deal_in
from server.store.activity_groups import DOCUMENT, EVENT, undecided
from server.store.db import rows_changed, writable
from server.store.inbox import EventRow
from server.store.job_rows import JobRow

BARELY = N_("Ignored by %(by)s.")
WITH_WHY = N_("Ignored by %(by)s: %(why)s")


def leave_out(session: Session, account_id: int, subject: str, by: str, now: datetime) -> bool:
    """Whether it needed attention; then it does not any more. Anything else stays as it is."""
    by = writable(by)
    about = open_jobs(session, account_id, subject)
    parked = [row for row in about if _still_parked(session, row)]
    for row in parked:
        told = {"by": by, "at": now.isoformat(), "cause": row.cause}
        row.said = say(BARELY, by=by) if row.cause == BUG else say(WITH_WHY, by=by, why=row.said)
        row.state, row.cause, row.updated_at = JobState.LEFT_OUT, IGNORED, now
        row.payload = {**row.payload, IGNORED: told}
    session.flush()
    return _accept(session, account_id, subject, by, now) or bool(parked)


def _still_parked(session: Session, row: JobRow) -> bool:
    """Nobody takes it up meanwhile."""
    session.refresh(row, with_for_update=True)
    return row.state == JobState.PARKED


def needs_somebody(session: Session, account_id: int, subject: str) -> bool:
    """Whether it does now; then nobody ignores it before this transaction's end."""
    about = open_jobs(session, account_id, subject)
    if any(_still_parked(session, row) for row in about):
        return True
    mine = sa.and_(_invoices_of(account_id, subject), undecided(DOCUMENT))
    return (
        session.execute(sa.select(DOCUMENT.c.id).where(mine).with_for_update()).first() is not None
    )


def _accept(session: Session, account_id: int, subject: str, by: str, now: datetime) -> bool:
    mine = sa.and_(_invoices_of(account_id, subject), undecided(DOCUMENT))
    marked = {"ignored_by": by, "ignored_at": now}
    return rows_changed(session, sa.update(DOCUMENT).where(mine).values(**marked)) > 0


def reopen(session: Session, account_id: int, subject: str) -> None:
    """Whoever tries again wants to be told again."""
    mine = sa.and_(_invoices_of(account_id, subject), DOCUMENT.c.ignored_at.is_not(None))
    unmarked = {"ignored_by": "", "ignored_at": None}
    rows_changed(session, sa.update(DOCUMENT).where(mine).values(**unmarked))


def _invoices_of(account_id: int, subject: str) -> sa.ColumnElement[bool]:
    return sa.and_(
        DOCUMENT.c.account_id == account_id,
        DOCUMENT.c.source == "kommo",
        DOCUMENT.c.source_id == str(deal_in(subject)),
        DOCUMENT.c.kind == "invoice",
    )


def turned_away(session: Session, account_id: int, subject: str) -> EventRow | None:
    """The event of this account that "event:77" is, where it was left out as a whole."""
    kind, _, number = subject.partition(":")
    if kind != "event" or not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    row = session.get(EventRow, int(number))
    return row if row is not None and row.account_id == account_id and row.left_out else None


def taken_up(session: Session, event_id: int) -> None:
    """What was turned away was looked at after all."""
    told = {"left_out": False, "verdict": say("looked at later")}
    one = sa.and_(EVENT.c.id == event_id, EVENT.c.left_out)
    rows_changed(session, sa.update(EVENT).where(one).values(**told))
