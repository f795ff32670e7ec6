"""Two runs, two businesses, a call that may still run: one client, one invoice, one e-mail."""

import threading
from datetime import timedelta

import pytest

from server.core.states import DocumentState
from server.flows import connect_freshbooks
from server.flows.replay import Wanted, replay
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.books_faults import CLIENT, PUT, fault, pass_time
from tests.stories.shop import CREATE, Shop

CLIENTS = "GET /accounting/*/users/clients"


def test_a_client_made_while_another_looked_for_it_is_not_made_twice(shop: Shop, rig: Rig) -> None:
    deals = [shop.deal(contact=shop.contact("ann@acme.test")) for _ in range(2)]
    rig.pump()
    for deal in deals:
        shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    first, second = rig.runner.due()
    fault(rig, "slow_after", CLIENTS, times=2, seconds=1)  # of both its searches
    looks = threading.Thread(target=rig.runner.run, args=(first,))
    looks.start()
    while rig.sandbox.faults.list():  # until the second search has seen that there is none
        threading.Event().wait(0.01)
    fault(rig, "lose_reply", CLIENT)
    rig.runner.run(second)
    looks.join()
    for _ in range(4):
        rig.later(seconds=125)
    assert len(shop.clients) == 1
    assert [shop.shown(deal) for deal in deals] == ["Sent", "Sent"]


def test_a_client_of_unknown_outcome_is_looked_up_as_it_was_sent(rig: Rig) -> None:
    shop = Shop(rig, mapping={"client": {"match_by": "contact"}})
    fault(rig, "lose_reply", CLIENT)
    contact = shop.contact("before@acme.test")
    deal = shop.deal(contact=contact)
    shop.issue(deal)
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "after@acme.test"})
    rig.later(seconds=125)
    rig.later(seconds=125)
    assert shop.shown(deal) == "Sent"
    assert len(shop.clients) == 1


def another_business(rig: Rig) -> None:
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Second books")
    ticket = rig.consent("freshbooks", rig.account_id)
    connect_freshbooks.complete(rig.world, ticket, other.business_id, change=True)
    rig.pump()


def test_a_known_customer_is_billed_in_the_new_business_too(shop: Shop, rig: Rig) -> None:
    contact = shop.contact()
    shop.issue(shop.deal(contact=contact))
    another_business(rig)
    later = shop.deal(contact=contact)
    shop.issue(later)
    rig.later(minutes=5)
    assert shop.shown(later) == "Sent"


def test_what_was_begun_in_one_business_is_not_sent_to_another(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    another_business(rig)
    rig.later(seconds=125)
    other = rig.sandbox.freshbooks.businesses[-1]
    assert other.name == "Second books"
    calls = rig.sandbox.freshbooks.calls
    assert not [c for c in calls if c[0] == "POST" and other.account_id in c[1]]
    assert len(shop.open_tasks(deal)) == 1


def test_an_invoice_that_a_person_sent_is_not_mailed_again(rig: Rig) -> None:
    shop = Shop(rig, action="email")
    fault(rig, "lose_reply")
    deal = shop.deal("100.00")
    shop.issue(deal)
    (invoice,) = shop.invoices
    cost = {"amount": "99.00", "code": "EUR"}
    rig.books.edit_invoice(invoice["id"], lines=[{"name": "A", "qty": "1", "unit_cost": cost}])
    rig.later(seconds=121)
    assert shop.document_of(deal).state == DocumentState.MISMATCH
    cost = {"amount": "100.00", "code": "EUR"}
    rig.books.edit_invoice(invoice["id"], lines=[{"name": "A", "qty": "1", "unit_cost": cost}])
    rig.books.email_invoice(invoice["id"], "ann@acme.test")
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert len(rig.books.mails) == 1
    assert shop.shown(deal) == "Sent"


def test_a_task_whose_call_may_still_run_is_not_made_again(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("late_commit", "POST /api/v4/tasks", "kommo", seconds=100))
    deal = shop.deal(contact=shop.contact(None))
    shop.issue(deal)
    pass_time(rig, 10)
    assert len(shop.tasks(deal)) == 1


@pytest.mark.parametrize(
    ("match", "action"), [(CREATE, "mark_sent"), (CLIENT, "draft"), (PUT, "email")]
)
def test_a_clock_that_jumps_during_a_call_makes_nothing_twice(
    rig: Rig, match: str, action: str
) -> None:
    shop = Shop(rig, action=action)
    deal = shop.deal()
    rig.pump()
    shop.move(deal)
    rig.sandbox.deliveries.deliver_due()
    fault(rig, "slow", match, seconds=3)
    (job_id,) = rig.runner.due()
    runs = threading.Thread(target=rig.runner.run, args=(job_id,))
    runs.start()
    while rig.sandbox.faults.list():
        threading.Event().wait(0.01)
    rig.clock.advance(timedelta(hours=2))
    rig.runner.renew_leases()
    rig.runner.drain()
    runs.join()
    for _ in range(4):
        rig.later(seconds=125)
    assert len(shop.invoices) == len(shop.clients) == 1
    assert len(rig.books.mails) == (action == "email")
    assert shop.shown(deal) == ("Draft" if action == "draft" else "Sent")


def test_a_create_that_answers_without_lines_is_read_before_it_counts_as_right(rig: Rig) -> None:
    """Two kinds of rounding that give one total and two taxes would pass unseen."""
    shop = Shop(rig, mapping={"taxes": {"fixed": [{"name": "VAT", "percent": "21"}]}})
    rig.sandbox.freshbooks.switches.create_includes = False
    deal = shop.deal()
    shop.issue(deal)
    calls = rig.sandbox.freshbooks.calls
    created = next(n for n, call in enumerate(calls) if call[1].endswith("/invoices/invoices"))
    assert calls[created + 1][0] == "GET"
    assert shop.shown(deal) == "Sent"
