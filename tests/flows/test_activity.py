"""The buttons of the activity page write rows alone, within one account, on both databases; what
*try again* will do is told from the ledger before."""

from datetime import timedelta

import pytest

from server.core.keys import AccountId, JobId
from server.core.states import AttemptOutcome, DocumentState, Group, JobClass, JobState
from server.flows import activity, again
from server.flows.activity import Filter
from server.flows.replay import Wanted, replay
from server.flows.world import World
from server.store import counts, jobs, ledger, settings
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.store.jobs import JobKind, JobRow
from server.store.ledger import AttemptRow, DocumentRow, Frozen, Key
from server.work.runner import Runner
from tests.fixed_clock import START, FixedClock
from tests.store import rows
from tests.store.activity_rows import MINUTE, Past
from tests.store.databases import (  # noqa: F401 these are fixtures
    database,
    postgres,
    postgres_at_head,
    sqlite,
    sqlite_at_head,
)
from tests.work.worlds import a_world

BILL, SHOW, TELL = JobKind.DEAL_TO_INVOICE, JobKind.INVOICE_TO_DEAL, JobKind.TELL_MANAGER


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:  # noqa: F811 the fixture's name
    return a_world(database, clock)


@pytest.fixture
def past(database: Database) -> Past:  # noqa: F811 the fixture's name
    """Of an account that is connected, with a rule that is on."""
    account = rows.an_account(database)
    for vendor in ("kommo", "freshbooks"):
        rows.a_connection(database, account, vendor, external_id=str(account))
    with database.write() as session:
        settings.switch_on(session, account, "won", START, "test")
    return Past(database, account)


@pytest.fixture
def stranger(past: Past) -> Past:
    return Past(past.database, rows.an_account(past.database, "stranger"))


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


# Try again


def test_try_again_takes_a_parked_deal_up_before_all_other_work(world: World, past: Past):
    parked = past.parked(1)
    assert activity.again(world, past.account_id, ["deal:1"]) == 1
    row = job(past, parked)
    assert (row.state, row.job_class, row.attempts) == (JobState.WAITING, JobClass.CLICK, 0)
    assert row.payload["replay"] is True
    assert row.due_at == world.clock.now()


def test_try_again_of_a_left_out_deal_makes_a_job(world: World, past: Past):
    past.job(1, JobState.LEFT_OUT)
    assert activity.again(world, past.account_id, ["deal:1"]) == 1
    assert waiting(past) == [(BILL, "deal:1")]


def test_try_again_of_a_parked_write_back_leaves_the_invoice_alone(world: World, past: Past):
    invoice = past.invoice(1, DocumentState.SENT, link="https://books.test/1")
    past.job(1, JobState.DONE)
    past.job(1, JobState.PARKED, SHOW, cause="kommo:down")
    activity.again(world, past.account_id, ["deal:1"])
    assert waiting(past) == [(SHOW, "invoice:1")]
    assert rows.rows_of(past.database, DocumentRow)[0].updated_at == invoice.updated_at


def test_try_again_of_a_deal_in_order_writes_its_link_once_more(world: World, past: Past):
    invoice = past.invoice(1, DocumentState.SENT, link="https://books.test/1", written="digest")
    activity.again(world, past.account_id, ["deal:1"])
    assert waiting(past) == [(SHOW, f"invoice:{invoice.id}")]
    assert rows.rows_of(past.database, DocumentRow)[0].written == ""


def test_try_again_of_the_plumbing_takes_it_up(world: World, past: Past):
    past.job(0, JobState.PARKED, JobKind.ENSURE, cause="kommo:reconnect")
    assert activity.again(world, past.account_id, ["ensure:account"]) == 1
    assert waiting(past) == [(JobKind.ENSURE, "account")]


def test_try_again_of_anothers_entry_does_nothing(world: World, past: Past, stranger: Past):
    past.parked(1)
    past.invoice(2, DocumentState.SENT, link="x")
    past.job(0, JobState.PARKED, JobKind.ENSURE)
    event = past.event(3, left_out=True)
    subjects = ["deal:1", "deal:2", "ensure:account", f"event:{event}", "deal:9", "", "deal:x"]
    assert activity.again(world, stranger.account_id, subjects) == 0
    assert waiting(past) == []
    for subject in subjects:
        assert activity.opened(world, stranger.account_id, subject) is None
        assert activity.what_again_will_do(world, stranger.account_id, subject) == []
        assert not activity.ignore(world, stranger.account_id, subject, "Mallory")


def test_all_of_a_cause_are_tried_again_the_newest_at_once_and_the_rest_by_a_job(
    world: World, past: Past, stranger: Past, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(again, "BATCH", 2)
    clock.advance(hours=1)
    parked = [past.parked(deal) for deal in range(1, 8)]
    past.parked(8, "bug")
    past.parked(9, problems=[{"field": "lines.1.tax", "reason": "a", "todo": "b"}])
    stranger.parked(10)
    taken = activity.all_of_cause(world, past.account_id, "problems/client.email")
    assert (taken.n, taken.more) == (2, True)
    rest = next(row for row in rows.rows_of(past.database, JobRow) if row.kind == "all_again")
    past.now = clock.now() + MINUTE
    later = past.parked(11)  # after the click: it would be tried for ever
    assert Runner(world).run(JobId(rest.id)) == JobState.DONE
    assert {subject for _, subject in waiting(past)} == {f"deal:{n}" for n in range(1, 8)}
    newest, oldest = job(past, parked[-1]), job(past, parked[0])
    assert (newest.job_class, oldest.job_class) == (JobClass.CLICK, JobClass.HOOK)
    assert job(past, later).state == JobState.PARKED
    alone = activity.all_of_cause(world, past.account_id, "problems/lines.*.tax")
    assert (alone.n, alone.more) == (1, False)
    assert not activity.all_of_cause(world, past.account_id, "nothing")


# Ignore


def test_an_ignored_deal_is_left_out_with_who_and_when(world: World, past: Past):
    parked = past.parked(1, said="The client has no e-mail address.")
    assert activity.ignore(world, past.account_id, "deal:1", "Ona Owner")
    (entry,) = activity.page(world, past.account_id, Filter()).entries
    assert entry.group is Group.LEFT_OUT
    assert entry.said == "Ignored by Ona Owner: The client has no e-mail address."
    assert entry.ignored is not None
    assert (entry.ignored.by, entry.ignored.at) == ("Ona Owner", world.clock.now())
    assert job(past, parked).cause == "ignored"
    assert activity.causes(world, past.account_id) == []
    assert not activity.ignore(world, past.account_id, "deal:1", "Somebody else")


def test_neither_a_vendors_return_nor_new_settings_take_an_ignored_deal_up(
    world: World, past: Past
):
    past.parked(1)
    past.parked(2, "freshbooks:down")
    for deal in (1, 2):
        activity.ignore(world, past.account_id, f"deal:{deal}", "Ona")
    with past.database.write() as session:
        resumed = jobs.resume(
            session, AccountId(past.account_id), ["problems", "freshbooks:down", "ignored"], START
        )
    assert resumed == 0
    with past.database.read() as session:
        assert jobs.parked_on(session, past.account_id, BILL, "contact:1") == []


def test_a_new_event_takes_an_ignored_deal_up(world: World, past: Past):
    past.parked(1)
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    past.job(1, JobState.WAITING)  # as a hook defers it
    assert group(world, past) is Group.UNDER_WAY


def test_try_again_takes_an_ignored_deal_up(world: World, past: Past):
    past.parked(1)
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    assert activity.again(world, past.account_id, ["deal:1"]) == 1
    assert group(world, past) is Group.UNDER_WAY


def test_a_replay_by_command_takes_an_ignored_deal_up(world: World, past: Past):
    past.parked(1)
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    wanted = Wanted(past.account_id, state=JobState.LEFT_OUT, cause="ignored")
    assert [one.subject for one in replay(world, wanted)] == ["deal:1"]
    assert group(world, past) is Group.UNDER_WAY


def test_an_ignored_mismatch_is_in_order_until_somebody_tries_again(world: World, past: Past):
    past.job(1, JobState.DONE)
    past.invoice(1, DocumentState.MISMATCH)
    assert activity.ignore(world, past.account_id, "deal:1", "Ona")
    assert group(world, past) is Group.IN_ORDER
    (entry,) = activity.page(world, past.account_id, Filter()).entries
    assert entry.ignored is not None
    assert entry.ignored.by == "Ona"
    activity.again(world, past.account_id, ["deal:1"])
    assert rows.rows_of(past.database, DocumentRow)[0].ignored_at is None
    assert group(world, past) is Group.ATTENTION  # it differs until it was compared again


def test_everything_of_a_deal_that_is_parked_is_ignored_at_once(world: World, past: Past):
    past.parked(1)
    past.job(1, JobState.PARKED, TELL, cause="kommo:down")
    past.invoice(1, DocumentState.AMBIGUOUS, upstream_id=None)
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    assert group(world, past) is Group.LEFT_OUT


def test_what_is_ignored_of_a_bug_shows_no_traceback(world: World, past: Past):
    past.parked(1, "bug", said="Traceback: secret")
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    (entry,) = activity.page(world, past.account_id, Filter()).entries
    assert entry.said == "Ignored by Ona."


def test_what_runs_or_waits_cannot_be_ignored(world: World, past: Past):
    past.job(1, JobState.RETRYING)
    past.job(2, JobState.RUNNING)
    for deal in (1, 2):
        assert not activity.ignore(world, past.account_id, f"deal:{deal}", "Ona")


def test_what_freshbooks_may_have_made_is_not_ignored_before_it_was_looked_for(
    world: World, past: Past
):
    past.parked(1, "freshbooks:uncertain")
    past.invoice(1, DocumentState.UNCERTAIN, upstream_id=None)
    change_attempt(past, outcome=AttemptOutcome.UNCERTAIN, reference="BH12")
    with pytest.raises(activity.MayExist) as refused:
        activity.ignore(world, past.account_id, "deal:1", "Ona")
    assert "may have made this invoice (reference BH12)" in refused.value.said
    opened = activity.opened(world, past.account_id, "deal:1")
    assert opened is not None
    assert opened.may_exist == refused.value.said
    assert group(world, past) is Group.ATTENTION
    (document,) = rows.rows_of(past.database, DocumentRow)
    with past.database.write() as session:  # in another business nobody can look for it
        session.get_one(DocumentRow, document.id).home = "freshbooks:other"
    assert activity.ignore(world, past.account_id, "deal:1", "Ona")


def test_the_metrics_count_an_ignored_job_as_left_out(world: World, past: Past):
    past.parked(1)
    activity.ignore(world, past.account_id, "deal:1", "Ona")
    with past.database.read() as session:
        assert counts.jobs(session) == [((BILL, "left_out", "ignored"), 1)]


def test_a_name_that_no_database_takes_is_written_anyway(world: World, past: Past):
    past.parked(1)
    assert activity.ignore(world, past.account_id, "deal:1", "Ona\0\ud800")


# What again will do


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
    past.job(0, JobState.PARKED, JobKind.SWEEP_EVENTS)
    assert "are then billed" in told(world, past, "sweep_events:account")


def test_an_opened_entry_comes_with_its_group(world: World, past: Past):
    past.parked(1)
    event = past.event(2, left_out=True)
    past.event(3)
    past.job(0, JobState.PARKED, JobKind.ENSURE)
    found = {}
    for subject in ("deal:1", f"event:{event}", "deal:3", "ensure:account"):
        one = activity.opened(world, past.account_id, subject)
        assert one is not None
        found[subject] = one.entry.group if one.entry else None
    assert found == {
        "deal:1": Group.ATTENTION,
        f"event:{event}": Group.LEFT_OUT,
        "deal:3": None,
        "ensure:account": Group.ATTENTION,
    }


def test_the_counts_are_those_of_the_accounts_day(world: World, past: Past):
    past.invoice(1, DocumentState.SENT)
    past.parked(2)
    found = activity.counts(world, past.account_id, START, START + timedelta(days=1))
    assert (found.invoiced.n, found.attention.n) == (1, 1)


def change_attempt(past: Past, **columns: str) -> None:
    with past.database.write() as session:
        (row,) = rows.rows_of(past.database, AttemptRow)
        attempt = session.get_one(AttemptRow, row.id)
        for name, value in columns.items():
            setattr(attempt, name, value)
