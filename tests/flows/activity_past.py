"""What became of an account's deals: for the tests of the activity page's buttons."""

from server.core.states import Group, JobState
from server.flows import activity
from server.flows.activity import Filter
from server.flows.world import World
from server.store.jobs import JobKind, JobRow
from server.store.ledger import AttemptRow
from tests.store import rows
from tests.store.activity_rows import Past

BILL, SHOW, TELL = JobKind.DEAL_TO_INVOICE, JobKind.INVOICE_TO_DEAL, JobKind.TELL_MANAGER


def group(world: World, past: Past, subject: str = "deal:1") -> Group | None:
    page = activity.page(world, past.account_id, Filter())
    return next((entry.group for entry in page.entries if entry.subject == subject), None)


def job(past: Past, job_id: int) -> JobRow:
    return rows.job(past.database, job_id)


def waiting(past: Past) -> list[tuple[str, str]]:
    found = rows.rows_of(past.database, JobRow)
    return [(row.kind, row.subject) for row in found if row.state == JobState.WAITING]


def told(world: World, past: Past, subject: str = "deal:1") -> str:
    sentences = activity.what_again_will_do(world, past.account_id, subject)
    return " ".join(str(sentence) for sentence in sentences)


def change_attempt(past: Past, **columns: str) -> None:
    with past.database.write() as session:
        (row,) = rows.rows_of(past.database, AttemptRow)
        attempt = session.get_one(AttemptRow, row.id)
        for name, value in columns.items():
            setattr(attempt, name, value)
