"""Deals in every state that the activity page tells apart, written as rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from server.core.states import AttemptOutcome, DocumentState, JobClass, JobState
from server.store import inbox, jobs, ledger
from server.store.db import Database
from server.store.jobs import JobKind, JobRow, NewJob
from server.store.ledger import DocumentRow, Frozen, Key
from tests.fixed_clock import START

PROBLEM = {"field": "client.email", "reason": "The client has no e-mail address.", "todo": "Add."}
MINUTE = timedelta(minutes=1)


@dataclass
class Past:
    """Writes rows one minute after the other."""

    database: Database
    account_id: int
    now: datetime = START

    def job(
        self,
        deal: int,
        state: JobState,
        kind: JobKind = JobKind.DEAL_TO_INVOICE,
        **columns: Any,
    ) -> int:
        """A job that got into this state now; an open one of its subject is taken up."""
        self.now += MINUTE
        spelled = {
            JobKind.DEAL_TO_INVOICE: f"deal:{deal}",
            JobKind.INVOICE_TO_DEAL: f"invoice:{deal}",
            JobKind.TELL_MANAGER: f"tell:{deal}",
        }
        about = {} if kind == JobKind.DEAL_TO_INVOICE else {"deal": str(deal)}
        subject = spelled.get(kind, "account")
        new = NewJob(self.account_id, kind, subject, JobClass.HOOK, about)
        with self.database.write() as session:
            job_id = jobs.defer(session, new, self.now)
            session.execute(
                sa.update(JobRow)
                .where(JobRow.id == job_id)
                .values(state=state, updated_at=self.now, **columns)
            )
        return job_id

    def invoice(
        self, deal: int, state: DocumentState, sequence: int = 0, **columns: Any
    ) -> DocumentRow:
        """With the attempt that made it, unless it is only claimed."""
        self.now += MINUTE
        key = Key(self.account_id, "kommo", str(deal), "invoice", sequence)
        made = {"upstream_id": f"{self.account_id}{deal}{sequence}", "number": f"{deal:06d}"}
        with self.database.write() as session:
            row = ledger.open_document(
                session, key, self.now, kind="invoice", home=f"freshbooks:{self.account_id}"
            )
            attempt = ledger.begin(session, row, Frozen({}, ""), self.now)
            ledger.end(session, attempt.id, AttemptOutcome.CREATED, self.now, state=state, **made)
            told = {"amount": "10.00", "currency": "EUR", "action": "mark_sent", **columns}
            session.execute(sa.update(DocumentRow).where(DocumentRow.id == row.id).values(**told))
            return session.get_one(DocumentRow, row.id, populate_existing=True)

    def event(self, *deals: int, verdict: str = "concerns no rule", left_out: bool = False) -> int:
        self.now += MINUTE
        with self.database.write() as session:
            return inbox.keep(
                session,
                account_id=self.account_id,
                kind="kommo",
                headers={},
                body=b"secret",
                subjects=[["leads", "status", deal] for deal in deals],
                verdict=verdict,
                left_out=left_out,
                received_at=self.now,
            )

    def parked(self, deal: int, cause: str = "problems", **columns: Any) -> int:
        columns.setdefault("problems", [PROBLEM] if cause == "problems" else [])
        return self.job(deal, JobState.PARKED, cause=cause, **columns)
