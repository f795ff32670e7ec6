"""What a person changes while Billhook asks Kommo: the answer comes to what stands by then."""

import threading
from collections.abc import Callable

import pytest

from server.flows import connect_freshbooks
from server.flows.change_settings import NoSuchRule
from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


class Meanwhile:
    """``work`` in a thread, while a call to Kommo is held for a moment."""

    def __init__(self, rig: Rig, call: str, work: Callable[[], object]) -> None:
        held = rig.sandbox.faults.add(Fault("slow", call, "kommo", seconds=1.5))
        self.raised: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()
        while held in rig.sandbox.faults.list():  # until the call has come
            threading.Event().wait(0.005)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except NoSuchRule as error:
            self.raised.append(error)

    def end(self) -> None:
        self._thread.join()


def test_a_rule_that_is_removed_while_kommo_tells_its_time_is_not_switched_on(shop: Shop) -> None:
    rig = shop.rig
    rig.rule_off(RULE)
    on = Meanwhile(rig, "GET /api/v4/account", lambda: rig.rule_on(RULE))
    rig.settings({"rules": [], "mapping": {}})
    on.end()
    assert [type(error) for error in on.raised] == [NoSuchRule]
    rig.settings(shop.document("draft", {}))  # the same slug again
    shop.issue(shop.deal("100.00"))
    assert not shop.invoices


def test_a_business_that_is_changed_while_a_run_reads_the_deal_gets_the_invoice(shop: Shop) -> None:
    """The run that read the former one makes nothing there, and the next knows the new one."""
    rig, deal, old = shop.rig, shop.deal("100.00"), shop.rig.books
    new = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Second")
    ticket = rig.consent("freshbooks", rig.account_id)
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    run = Meanwhile(rig, "GET /api/v4/leads/*", rig.runner.drain)
    connect_freshbooks.complete(rig.world, ticket, new.business_id, change=True)
    run.end()
    assert not old.invoices
    rig.later(seconds=2)
    assert (len(old.invoices), len(new.invoices)) == (0, 1)
