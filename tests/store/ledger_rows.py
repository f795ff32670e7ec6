"""Documents of one deal and attempts at them, as tests of the ledger begin with."""

from dataclasses import replace
from datetime import date, timedelta

from server.store import ledger
from server.store.db import Database
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key
from tests.fixed_clock import START

LATER = START + timedelta(minutes=5)
HOME = "freshbooks:900"
FROZEN = Frozen(
    draft={"lines": [{"name": "Ąžuolas", "unit_cost": "1200.75"}], "notes": None},
    draft_hash="h1",
    customer_id="17",
    create_date=date(2026, 3, 2),
    number="BH-000001",
    reference="BHABCDEFGHIJ",
    reference_place="po_number",
)


def a_key(account: int, **parts: object) -> Key:
    return replace(Key(account, "kommo", "7", "invoice"), **parts)  # type: ignore[arg-type]


def opened(database: Database, key: Key, home: str = HOME, kind: str = "invoice") -> DocumentRow:
    with database.write() as session:
        return ledger.open_document(session, key, START, kind=kind, home=home)


def begin(database: Database, key: Key, frozen: Frozen = FROZEN) -> AttemptRow:
    with database.write() as session:
        document = ledger.open_document(session, key, START, kind="invoice", home=HOME)
        return ledger.begin(session, document, frozen, START)


def record(database: Database, document_id: int, **columns: object) -> DocumentRow:
    with database.write() as session:
        return ledger.record(session, document_id, LATER, **columns)
