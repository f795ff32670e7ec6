"""*Ignore* says that a deal needs nobody, with who said so; on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from server.core.keys import AccountId, JobId
from server.core.states import AttemptOutcome, DocumentState, Group, JobState
from server.flows import activity, again
from server.flows.activity import Filter
from server.flows.replay import Wanted, replay
from server.flows.world import World
from server.store import counts, jobs
from server.store.job_rows import JobRow
from server.store.ledger import DocumentRow
from server.work.runner import Runner
from tests.fixed_clock import START, FixedClock
from tests.flows.activity_past import BILL, TELL, change_attempt, group, job, waiting
from tests.store import rows
from tests.store.activity_rows import Past


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


@contextmanager
def ignored_once_read(world: World, past: Past, *subjects: str) -> Iterator[None]:
    """Right after the next transaction, which only reads, somebody ignores these."""

    to_ignore = list(subjects)

    def then(_session: Any, _transaction: Any) -> None:
        while to_ignore:
            assert activity.ignore(world, past.account_id, to_ignore.pop(), "Ona")

    sa.event.listen(sa.orm.Session, "after_transaction_end", then)
    try:
        yield
    finally:
        sa.event.remove(sa.orm.Session, "after_transaction_end", then)


def test_what_is_ignored_while_all_of_its_cause_are_tried_again_stays_ignored(
    world: World, past: Past, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(again, "BATCH", 2)
    for deal in (1, 2, 3, 4):
        past.parked(deal)
    past.invoice(5, DocumentState.MISMATCH)
    clock.advance(hours=1)
    with ignored_once_read(world, past, "deal:4"):
        taken = activity.all_of_cause(world, past.account_id, "problems/client.email")
    assert (taken.n, taken.more) == (1, True)
    with ignored_once_read(world, past, "deal:5"):
        assert activity.all_of_cause(world, past.account_id, "mismatch").n == 0
    assert (BILL, "deal:3") in waiting(past)
    assert group(world, past, "deal:4") is Group.LEFT_OUT
    assert group(world, past, "deal:5") is Group.IN_ORDER
    (rest,) = [row for row in rows.rows_of(past.database, JobRow) if row.kind == "all_again"]
    assert Runner(world).run(JobId(rest.id)) == JobState.DONE
    assert len(waiting(past)) == 3


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
