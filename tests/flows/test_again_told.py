"""What *try again* will do is told from the ledger before."""

import pytest

from server.core.states import AttemptOutcome, DocumentState, JobState
from server.flows.world import World
from server.store import ledger, settings
from server.store.accounts import ConnectionRow
from server.store.job_rows import MEANINGFUL, JobKind
from server.store.ledger import Frozen, Key
from tests.fixed_clock import START
from tests.flows.activity_past import TELL, change_attempt, told
from tests.store import rows
from tests.store.activity_rows import Past


def test_of_a_deal_without_invoice_it_says_that_one_may_be_made(world: World, past: Past):
    past.parked(1)
    assert told(world, past) == (
        "Reads the deal again; nothing was made so far, so it may create one invoice."
    )


def test_it_says_that_no_rule_is_on_and_what_is_not_connected(world: World, past: Past):
    past.job(1, JobState.LEFT_OUT)
    with past.database.write() as session:
        settings.all_off(session, past.account_id, START, "test")
        row = rows.rows_of(past.database, ConnectionRow)[1]
        session.get_one(ConnectionRow, row.id).state = "reconnect"
    assert "No rule is on" in told(world, past)
    assert "FreshBooks is not connected" in told(world, past)


def test_of_an_uncertain_attempt_it_says_that_it_looks_first(world: World, past: Past):
    past.job(1, JobState.RETRYING)
    past.invoice(1, DocumentState.UNCERTAIN, upstream_id=None)
    change_attempt(past, outcome=AttemptOutcome.UNCERTAIN, reference="BH12")
    assert "whether it made the invoice (reference BH12)" in told(world, past)
    assert "create one" not in told(world, past)


def test_of_a_refused_attempt_it_says_that_nothing_was_made(world: World, past: Past):
    past.parked(1)
    past.invoice(1, DocumentState.REFUSED, upstream_id=None)
    change_attempt(past, outcome=AttemptOutcome.REFUSED)
    assert told(world, past) == (
        "The earlier attempt surely made nothing. Reads the deal again, and may create one invoice."
    )


@pytest.mark.parametrize(
    ("state", "columns", "words"),
    [
        (DocumentState.AMBIGUOUS, {"upstream_id": None}, "with the reference BH12. One is kept"),
        (DocumentState.MISMATCH, {}, "Compares invoice 000001"),
        (DocumentState.DELETED, {}, "no invoice is made in its place"),
        (DocumentState.CREATED, {"action": "email"}, "It is mailed unless that was done already"),
        (DocumentState.CREATED, {"action": "mark_sent"}, "It is marked as sent"),
        (DocumentState.CREATED, {"action": "draft"}, "are written on the deal"),
        (DocumentState.SENT, {"link": "x"}, "are written on the deal"),
    ],
)
def test_of_an_invoice_that_exists_it_says_what_is_left_to_do(
    world: World, past: Past, state: DocumentState, columns: dict[str, str], words: str
):
    past.invoice(1, state, **columns)
    change_attempt(past, reference="BH12")
    assert words in told(world, past)
    assert "create one" not in told(world, past)


def test_it_says_what_a_parked_task_and_a_run_mean(world: World, past: Past):
    past.parked(1)
    past.job(1, JobState.PARKED, TELL, cause="kommo:down")
    assert "Makes one task in Kommo" in told(world, past)
    past.job(2, JobState.RUNNING)
    assert "runs for this deal at this moment" in told(world, past, "deal:2")
    past.invoice(3, DocumentState.DELETED)
    past.parked(3)
    assert told(world, past, "deal:3").endswith("None is made in its place.")


def test_an_invoice_of_another_business_is_told(world: World, past: Past):
    past.parked(1)
    key = Key(past.account_id, "kommo", "1", "invoice")
    with past.database.write() as session:
        row = ledger.open_document(session, key, START, kind="invoice", home="freshbooks:other")
        ledger.begin(session, row, Frozen({}, ""), START)
    assert "the FreshBooks business that was connected before" in told(world, past)


def test_an_event_and_the_plumbing_say_what_they_do(world: World, past: Past):
    event = past.event(1, left_out=True)
    past.job(0, JobState.PARKED, JobKind.ENSURE)
    assert "cannot be read" in told(world, past, f"event:{event}")  # it has no body here
    assert "makes what is missing" in told(world, past, "ensure:account")
    bills = (JobKind.SWEEP_EVENTS, JobKind.PROBE, JobKind.ALL_AGAIN, JobKind.WELCOME)
    for kind in set(JobKind) - set(MEANINGFUL):
        past.job(0, JobState.PARKED, kind)
        said = told(world, past, f"{kind}:account")
        assert said, kind
        assert ("billed as usual" in said or "may get an invoice" in said) == (kind in bills), kind
        assert kind not in bills or "no invoice" not in said, kind
