"""What a look back over many deals asks of the store, each in one statement."""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from server.core.states import DocumentState
from server.store.job_rows import OPEN, JobRow
from server.store.ledger import DocumentRow

_JOB = cast("sa.Table", JobRow.__table__)
_NOT_MADE = (DocumentState.CLAIMED, DocumentState.REFUSED)


def billed(
    session: Session, account_id: int, source: str, source_ids: Sequence[str], purpose: str
) -> dict[str, str]:
    """Source id to the number of its invoice ("" where it has none), for those that have one for
    this purpose."""
    rows = session.execute(
        sa.select(DocumentRow.source_id, DocumentRow.number).where(
            DocumentRow.account_id == account_id,
            DocumentRow.source == source,
            DocumentRow.source_id.in_(source_ids),
            DocumentRow.kind == "invoice",
            DocumentRow.purpose == purpose,
            DocumentRow.state.not_in(_NOT_MADE),
        )
    )
    return {row.source_id: row.number for row in rows}


def is_overtaken(session: Session, job: JobRow) -> bool:
    """Whether the same was asked for anew while this job ran."""
    query = sa.select(_JOB.c.id).where(
        _JOB.c.account_id == job.account_id,
        _JOB.c.kind == job.kind,
        _JOB.c.subject == job.subject,
        OPEN,
    )
    return session.connection().execute(query.limit(1)).first() is not None


def note_progress(session: Session, job_id: int, payload: dict[str, Any]) -> None:
    """Where a running job stands, for whoever looks; under its run's fence."""
    session.connection().execute(sa.update(_JOB).where(_JOB.c.id == job_id).values(payload=payload))
