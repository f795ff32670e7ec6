"""Where the promise could break: never lost, never twice, and somebody is always told."""

import threading
from datetime import timedelta

import pytest
import requests

from server.core.states import DocumentState, JobState
from server.flows import connect_freshbooks
from server.flows.replay import Wanted, replay
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE, RULE, Shop

CLIENT = "POST /accounting/*/users/clients"
CLIENTS = "GET /accounting/*/users/clients"
PUT = "PUT /accounting/*/invoices/invoices/*"


def fault(rig: Rig, kind: str, match: str = CREATE, **more: object) -> Fault:
    return rig.sandbox.faults.add(Fault(kind, match, "freshbooks", **more))  # type: ignore[arg-type]


def pass_time(rig: Rig, minutes: int) -> None:
    for _ in range(minutes):
        rig.later(minutes=1)


@pytest.mark.parametrize("match", [CREATE, CLIENT, PUT])
@pytest.mark.parametrize("action", ["mark_sent", "email"])
def test_a_call_that_fails_for_ever_is_told_after_four_tries_and_ends_by_itself(
    rig: Rig, match: str, action: str
) -> None:
    shop = Shop(rig, action=action)
    bad = fault(rig, "error_before", match, times=None, status=500)
    deal = shop.deal()
    shop.issue(deal)
    pass_time(rig, 60)
    assert len(shop.open_tasks(deal)) == 1
    pass_time(rig, 120)
    assert len(shop.tasks(deal)) == 1
    made = [c for c in rig.sandbox.freshbooks.calls if c[0] == match.split()[0]]
    assert len(made) < 30
    rig.sandbox.faults.remove(bad.id)
    pass_time(rig, 60)
    assert shop.shown(deal) == "Sent"
    assert len(shop.invoices) == len(shop.clients) == 1
    assert len(rig.books.mails) == (action == "email")
    assert shop.open_tasks(deal) == []


def test_lost_then_down_for_hours_then_found(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    down = fault(rig, "error_before", "*", times=None, status=503)
    pass_time(rig, 90)
    assert shop.job_of(deal).state == JobState.PARKED
    rig.sandbox.faults.remove(down.id)
    pass_time(rig, 10)
    assert shop.shown(deal) == "Sent"
    assert len(shop.invoices) == 1


def test_what_was_refused_is_made_as_the_rule_wants_it_now(rig: Rig) -> None:
    shop = Shop(rig, action="email", mapping={"terms": {"text": "Pay at once."}})
    rig.sandbox.freshbooks.switches.limits["invoice.terms"] = 3
    deal = shop.deal()
    shop.issue(deal)
    assert shop.job_of(deal).cause == "problems"
    rig.settings(shop.document("draft", {}))
    rig.pump()
    assert shop.shown(deal) == "Draft"
    assert not rig.books.mails


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


def test_a_pause_of_years_is_not_believed(shop: Shop, rig: Rig) -> None:
    fault(rig, "throttle", "POST *", seconds=10**9)
    shop.issue(shop.deal())
    deal = shop.deal(contact=shop.contact("other@acme.test"))
    shop.issue(deal)
    rig.later(minutes=61)
    rig.later(minutes=5)
    assert shop.shown(deal) == "Sent"


def test_entered_again_within_two_minutes_after_the_rule_was_switched_on(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    deal = shop.deal()
    shop.issue(deal)
    shop.move(deal, "Talks")
    rig.later(seconds=30)
    rig.rule_on(RULE)
    rig.later(seconds=30)
    shop.issue(deal)
    rig.sweep()
    assert shop.shown(deal) == "Sent"


def test_entered_again_within_two_minutes_and_its_hook_was_lost(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    deal = shop.deal()
    shop.issue(deal)
    shop.move(deal, "Talks")
    rig.later(seconds=30)
    rig.rule_on(RULE)
    rig.later(seconds=30)
    rig.sandbox.deliveries.drop_next(50)
    shop.move(deal)
    rig.sandbox.deliveries.behave()
    rig.pump()
    rig.sweep()
    assert shop.shown(deal) == "Sent"


def test_a_replay_takes_no_hook_of_another_account(shop: Shop, rig: Rig) -> None:
    rig.kommo.hooks.clear()
    deal = shop.deal(stage="Issue invoice")
    body = {
        "leads[status][0][id]": deal.id,
        "leads[status][0][status_id]": shop.stage("Issue invoice"),
        "leads[status][0][pipeline_id]": shop.pipeline.id,
        "account[id]": "999",
    }
    with requests.post(rig.hook_url(), data=body, timeout=10) as reply:
        assert reply.status_code == 204
    rig.pump()
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert shop.invoices == []


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


def test_a_deal_restored_from_the_trash_shows_its_invoice(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("error_before", "PATCH /api/v4/leads/*", "kommo"))
    deal = shop.deal()
    shop.issue(deal)
    rig.kommo.delete_deal(deal.id)
    rig.later(minutes=2)
    rig.kommo.restore_deal(deal.id)
    rig.later(minutes=2)
    assert shop.shown(deal) == "Sent"


def test_numbers_in_sequence_have_no_gaps_where_nothing_was_made(rig: Rig) -> None:
    shop = Shop(rig, mapping={"numbering": {"kind": "sequence", "prefix": "A-", "digits": 3}})
    shop.issue(shop.deal())
    fault(rig, "conflict")
    shop.issue(shop.deal())
    pass_time(rig, 3)
    shop.issue(shop.deal())
    assert sorted(i["invoice_number"] for i in shop.invoices) == ["A-001", "A-002", "A-003"]


def test_events_that_kommo_lists_late_are_not_passed_over(shop: Shop, rig: Rig) -> None:
    for _ in range(3):
        rig.sweep()
    rig.sandbox.kommo.switches.events_lag_seconds = 1200
    deal = shop.deal()
    rig.pump()
    rig.sandbox.deliveries.drop_next(50)
    shop.move(deal)
    rig.sandbox.deliveries.behave()
    for _ in range(8):
        rig.sweep()
    assert shop.shown(deal) == "Sent"


def test_access_that_is_refused_for_one_call_is_seen_by_somebody(shop: Shop, rig: Rig) -> None:
    fault(rig, "error_before", CREATE, times=None, status=403)
    deal = shop.deal()
    shop.issue(deal)
    assert shop.job_of(deal).state == JobState.PARKED
    assert rig.connection("freshbooks").state == "reconnect"


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
