"""What every hook asks, each with one look that stays as short however much has come together."""

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from server.core.keys import AccountId
from server.core.states import JobState
from server.store import accounts, first_look, inbox, jobs, ledger
from server.store.db import Database
from server.store.first_look import Hook, Known
from server.store.inbox import Entered
from server.store.ledger import Key
from server.store.secrets import Vault
from tests.fixed_clock import START
from tests.store import rows
from tests.store.rows import a_job, claim, defer, finish

VAULT = Vault([Fernet.generate_key().decode()])
BOUND = {
    "account_id": 1,
    "subject": "deal:1",
    "deal_id": 1,
    "kind": "deal_to_invoice",
    "source_id": "1",
}


def _known(database: Database, account: AccountId, deal_id: int = 1) -> Known:
    with database.read() as session:
        return first_look.of_deal(session, account, deal_id)


def _hook(database: Database, account: AccountId, kind: str) -> Hook:
    with database.write() as session:
        key = accounts.hook_key(session, VAULT, account, kind)
    with database.read() as session:
        hook = first_look.hook_by_key(session, kind, key)
    assert hook is not None
    return hook


def test_a_hook_tells_its_account_and_how_that_stands_with_kommo(
    database: Database, account: AccountId
):
    never = _hook(database, account, "kommo")
    assert (never.account_id, never.kind) == (account, "kommo")
    assert (never.state, never.external_id) == ("", "")
    rows.a_connection(database, account, "freshbooks", external_id="9")
    rows.a_connection(database, account, external_id="31415", state="reconnect")
    with database.write() as session:
        accounts.heard(session, never.id, START)
    for kind in ("kommo", "kommo-dp"):
        tied = _hook(database, account, kind)
        assert (tied.state, tied.external_id) == ("reconnect", "31415")
    assert (never.heard_at, _hook(database, account, "kommo").heard_at) == (None, START)


def test_a_deal_is_in_work_until_its_last_job_is_over(database: Database, account: AccountId):
    assert not _known(database, account).in_work
    job_id = defer(database, a_job(account))
    assert _known(database, account).in_work
    assert not _known(database, account, 2).in_work
    assert not _known(database, rows.an_account(database, "second")).in_work
    claim(database, job_id)
    assert _known(database, account).in_work
    finish(database, job_id, state=JobState.PARKED)
    assert _known(database, account).in_work
    claim(database, defer(database, a_job(account)))
    finish(database, job_id)
    assert not _known(database, account).in_work


def test_a_deal_has_entries_from_its_first_in_any_stage(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert not _known(database, account).has_entries
    with database.write() as session:
        inbox.enter(session, account, Entered(1, 3001, 142, START))
    assert _known(database, account).has_entries
    assert not _known(database, account, 2).has_entries
    assert not _known(database, second).has_entries


def test_the_ledger_knows_a_deal_from_its_first_document(database: Database, account: AccountId):
    second = rows.an_account(database, "second")
    assert not _known(database, account).has_documents
    with database.write() as session:
        key = Key(account, "kommo", "1", "invoice")
        ledger.open_document(session, key, START, kind="invoice", home="freshbooks:9")
    assert _known(database, account).has_documents
    assert not _known(database, account, 2).has_documents
    assert not _known(database, second).has_documents


@pytest.mark.parametrize("statement", [first_look._KNOWN, jobs._OPEN_OF_ACCOUNT])
def test_a_long_line_of_jobs_is_not_read_through_for_each_hook(
    sqlite: Database, statement: sa.Select[tuple[object, ...]]
):
    """By the index of open jobs, where a deal has one; not by their states."""
    asked: list[tuple[str, object]] = []

    def note(_conn: object, _cursor: object, text: str, given: object, *_rest: object) -> None:
        asked.append((text, given))

    sa.event.listen(sqlite.engine, "before_cursor_execute", note)
    try:
        with sqlite.engine.connect() as connection:
            connection.execute(statement, BOUND)
            text, given = asked[0]
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", given).all()
    finally:
        sa.event.remove(sqlite.engine, "before_cursor_execute", note)
    steps = [row[3] for row in plan if " job " in row[3]]
    assert any("uq_job_open_subject (account_id=? AND kind=? AND subject=?)" in s for s in steps)
    assert not any("ix_job_due" in step for step in steps)
