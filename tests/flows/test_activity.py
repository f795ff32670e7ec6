"""*Try again* writes rows alone, within one account, on both databases."""

from datetime import timedelta

import pytest

from server.core.keys import JobId
from server.core.states import DocumentState, Group, JobClass, JobState
from server.flows import activity, again
from server.flows.world import World
from server.store.jobs import JobKind, JobRow
from server.store.ledger import DocumentRow
from server.work.runner import Runner
from tests.fixed_clock import START, FixedClock
from tests.flows.activity_past import BILL, SHOW, job, waiting
from tests.store import rows
from tests.store.activity_rows import MINUTE, Past


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
