"""The run that looks back for a rule: where it stands, what it does when Kommo is down or its
process dies, and what asking again does."""

from datetime import timedelta

import pytest

from server.flows.change_settings import NoSuchRule
from server.flows.what_if import BACK, begin, look
from server.sandbox import Fault
from server.store import jobs
from server.store.jobs import JobKind
from tests.flows.looking_back import asked, document
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


@pytest.fixture
def shop(rig: Rig) -> Shop:
    """The rule is off: this is what one tries before it is on."""
    return Shop(rig, on=False)


def test_where_it_stands_can_be_looked_at_and_by_its_own_account_alone(shop: Shop) -> None:
    rig = shop.rig
    shop.move(shop.deal())
    run_id = begin(rig.world, rig.account_id, document(shop), RULE)
    waiting = look(rig.world, rig.account_id, run_id)
    assert waiting is not None
    assert (waiting.state, waiting.total, waiting.result) == ("waiting", None, None)
    assert waiting.until - waiting.since == BACK
    assert waiting.rule_name == "Issue"
    assert look(rig.world, rig.account_id + 1, run_id) is None
    assert look(rig.world, rig.account_id, 999_999) is None
    (other,) = [job for job in rig.jobs(JobKind.ENSURE)][-1:]
    assert look(rig.world, rig.account_id, other.id) is None


def test_kommo_down_in_the_middle_is_told_and_it_begins_again(shop: Shop) -> None:
    shop.move(shop.deal())
    fault = Fault("error_before", match="GET /api/v4/contacts", status=503, times=None)
    shop.rig.sandbox.faults.add(fault)
    found = asked(shop)
    assert (found.state, found.total) == ("retrying", 1)
    assert found.sentence == "Kommo answered 503. Billhook tries again by itself."
    shop.rig.sandbox.faults.clear()
    shop.rig.later(minutes=1)
    again = look(shop.rig.world, shop.rig.account_id, found.id)
    assert again is not None
    assert again.result is not None
    assert (again.state, again.result.count) == ("done", 1)


def test_access_that_has_ended_is_told_and_no_task_is_made(shop: Shop) -> None:
    shop.move(shop.deal())
    shop.kommo.disable_integration(shop.rig.config().kommo_client_id)
    first = asked(shop)
    assert first.state == "retrying"  # a first refusal may be another process's refresh
    shop.rig.later(minutes=1)
    found = look(shop.rig.world, shop.rig.account_id, first.id)
    assert found is not None
    assert found.state == "failed"
    assert found.sentence.endswith("Connect Kommo again; then it goes on by itself.")
    assert shop.kommo.tasks == {}


def test_a_run_whose_process_died_begins_again(shop: Shop) -> None:
    shop.move(shop.deal())
    rig = shop.rig
    run_id = begin(rig.world, rig.account_id, document(shop), RULE)
    with rig.database.write() as session:
        jobs.claim(session, run_id, "somebody who died", rig.clock.now())
    running = look(rig.world, rig.account_id, run_id)
    assert running is not None
    assert running.state == "running"
    rig.clock.advance(jobs.LEASE + timedelta(seconds=1))
    rig.runner.drain()
    done = look(rig.world, rig.account_id, run_id)
    assert done is not None
    assert done.state == "done"


def test_asking_again_while_it_waits_takes_the_newer_settings(shop: Shop) -> None:
    rig = shop.rig
    shop.move(shop.deal("5.00"))
    first = begin(rig.world, rig.account_id, document(shop), RULE)
    dear = document(shop, conditions=[{"field": "deal.price", "is": "greater", "value": "9"}])
    assert begin(rig.world, rig.account_id, dear, RULE) == first
    rig.runner.drain()
    found = look(rig.world, rig.account_id, first)
    assert found is not None
    assert found.result is not None
    assert (found.result.count, found.result.deals) == (0, 1)


def test_asking_again_while_it_runs_ends_the_older_run(shop: Shop) -> None:
    rig = shop.rig
    shop.move(shop.deal("5.00"))
    first = begin(rig.world, rig.account_id, document(shop), RULE)
    with rig.database.write() as session:
        jobs.claim(session, first, "somebody who died", rig.clock.now())
    second = begin(rig.world, rig.account_id, document(shop), RULE)
    assert second != first
    rig.clock.advance(jobs.LEASE + timedelta(seconds=1))
    rig.runner.drain()
    newer = look(rig.world, rig.account_id, second)
    assert newer is not None
    assert newer.result is not None
    assert newer.result.count == 1


def test_an_unknown_rule_is_refused(shop: Shop) -> None:
    with pytest.raises(NoSuchRule):
        begin(shop.rig.world, shop.rig.account_id, document(shop), "ghost")
