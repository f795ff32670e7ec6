"""FreshBooks is down for three hours: one task a deal, and every deal billed once afterwards."""

from datetime import timedelta

from server.core.states import JobState
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import Shop

STEP = timedelta(minutes=1)


def pass_time(rig: Rig, minutes: int) -> None:
    """Minute by minute, as the engine would meet it."""
    for _ in range(minutes):
        rig.clock.advance(STEP)
        rig.pump()


def test_down_for_three_hours_then_every_deal_is_billed_once_without_a_human(
    shop: Shop, rig: Rig
) -> None:
    known = shop.deal(contact=shop.contact("known@acme.test"))
    shop.issue(known)
    fault = rig.sandbox.faults.add(Fault("error_before", "*", "freshbooks", None, status=503))
    deals = [shop.deal(contact=known.contacts[0])]
    deals += [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(3)]
    for deal in deals[:3]:
        shop.issue(deal)
    pass_time(rig, 90)
    shop.issue(deals[3])  # in the middle of it
    pass_time(rig, 90)
    assert [len(shop.tasks(deal)) for deal in deals] == [1, 1, 1, 1]
    assert "FreshBooks did not answer" in shop.tasks(deals[0])[0].text
    assert [shop.job_of(deal).state for deal in deals] == [JobState.PARKED] * 4

    rig.sandbox.faults.remove(fault.id)
    pass_time(rig, 30)
    assert len(shop.invoices) == 5
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 4
    assert [shop.open_tasks(deal) for deal in deals] == [[]] * 4
    assert [len(shop.tasks(deal)) for deal in deals] == [1, 1, 1, 1]


def test_while_it_is_down_one_probe_calls_every_five_minutes_not_every_job(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("error_before", "*", "freshbooks", None, status=503))
    for n in range(5):
        shop.issue(shop.deal(contact=shop.contact(f"p{n}@acme.test")))
    pass_time(rig, 60)  # all tries are over
    calls = rig.sandbox.freshbooks.calls
    calls.clear()
    pass_time(rig, 60)
    assert 10 <= len(calls) <= 13


def test_the_first_try_and_three_retries_are_four_calls(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("error_before", "*", "freshbooks", None, status=503))
    deal = shop.deal()
    calls = rig.sandbox.freshbooks.calls
    tried_at = []
    shop.move(deal)
    for minute in range(60):
        before = len(calls)
        rig.pump()
        if len(calls) > before and not shop.tasks(deal):
            tried_at.append(minute)
        if shop.tasks(deal):
            break
        rig.clock.advance(STEP)
    assert tried_at == [0, 1, 6]
    assert minute == 36  # the fourth call, and the task at once


def test_a_throttled_call_burns_no_try(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("throttle", "POST *", "freshbooks", 6, seconds=30))
    deal = shop.deal()
    shop.issue(deal)
    assert shop.job_of(deal).attempts == 0
    pass_time(rig, 10)
    assert shop.shown(deal) == "Sent"
    assert shop.tasks(deal) == []


def test_a_conflict_is_tried_again(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("conflict", "POST */invoices/invoices", "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    pass_time(rig, 2)
    assert shop.shown(deal) == "Sent"
    assert len(shop.invoices) == 1
