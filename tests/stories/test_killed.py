"""kill -9 between the create and its record, and with twenty deals acknowledged: nothing is lost,
nothing is made twice."""

from datetime import timedelta
from pathlib import Path

import pytest

from server.core.states import AttemptOutcome, JobState
from server.sandbox import Fault
from server.sandbox.kommo.book.records import Deal
from tests.rig import Rig
from tests.stories.process import Server, until
from tests.stories.shop import CREATE, Shop

AFTER_QUIET = timedelta(seconds=125)


@pytest.fixture
def server(rig: Rig, tmp_path: Path) -> Server:
    return Server(rig, tmp_path)


def test_killed_between_create_and_record_the_invoice_is_adopted(
    shop: Shop, rig: Rig, server: Server
) -> None:
    rig.sandbox.faults.add(Fault("slow_after", CREATE, "freshbooks", seconds=2))
    contact = shop.contact("before@acme.test")
    deal = shop.deal(contact=contact)
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    with server.run():
        until(lambda: shop.invoices, "the create")
        server.kill()
    assert len(shop.invoices) == 1
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "after@acme.test"})
    rig.sandbox.deliveries.deliver_due()
    with server.run():
        until(lambda: shop.job_of(deal).cause == "freshbooks:uncertain", "the uncertain state")
        assert shop.shown(deal) is None
        rig.clock.advance(AFTER_QUIET)
        until(lambda: shop.shown(deal) == "Sent", "the link on the deal")
    assert len(shop.invoices) == 1
    assert len(shop.clients) == 1
    assert shop.attempts(deal)[-1].outcome == AttemptOutcome.ADOPTED


def test_killed_with_twenty_deals_acknowledged_all_are_billed_once(
    shop: Shop, rig: Rig, server: Server
) -> None:
    deals = [shop.deal(contact=shop.contact(f"p{n}@acme.test")) for n in range(20)]
    rig.pump()
    for deal in deals:
        shop.move(deal)
    delivered = rig.sandbox.deliveries.deliver_due()
    assert all(hook.status == 204 for hook in delivered)
    with server.run():
        until(lambda: len(shop.invoices) >= 5, "the first invoices")
        server.kill()
    with server.run():
        until(lambda: len(shop.invoices) >= 15, "what was not begun")
        until(lambda: _linked_or_later(shop, rig, deals), "all links")
    assert len(shop.invoices) == 20
    assert len(shop.clients) == 20


def _linked_or_later(shop: Shop, rig: Rig, deals: list[Deal]) -> bool:
    """Whether every deal shows its invoice. Time passes only while nothing runs: a wait that is
    counted from after the move would never end under a clock that stands still."""
    if all(shop.shown(deal) == "Sent" for deal in deals):
        return True
    now = rig.clock.now()
    busy = (JobState.RUNNING, JobState.WAITING)
    if not any(job.state in busy and job.due_at <= now for job in rig.jobs()):
        rig.clock.advance(AFTER_QUIET)
    return False
