"""What fails for hours or is refused: somebody is told, and it ends by itself once it is mended."""

import pytest

from server.core.states import JobState
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.books_faults import CLIENT, PUT, fault, pass_time
from tests.stories.shop import CREATE, Shop


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


def test_a_pause_of_years_is_not_believed(shop: Shop, rig: Rig) -> None:
    fault(rig, "throttle", "POST *", seconds=10**9)
    shop.issue(shop.deal())
    deal = shop.deal(contact=shop.contact("other@acme.test"))
    shop.issue(deal)
    rig.later(minutes=61)
    rig.later(minutes=5)
    assert shop.shown(deal) == "Sent"


def test_access_that_is_refused_for_one_call_is_seen_by_somebody(shop: Shop, rig: Rig) -> None:
    fault(rig, "error_before", CREATE, times=None, status=403)
    deal = shop.deal()
    shop.issue(deal)
    assert shop.job_of(deal).state == JobState.PARKED
    assert rig.connection("freshbooks").state == "reconnect"


def test_numbers_in_sequence_have_no_gaps_where_nothing_was_made(rig: Rig) -> None:
    shop = Shop(rig, mapping={"numbering": {"kind": "sequence", "prefix": "A-", "digits": 3}})
    shop.issue(shop.deal())
    fault(rig, "conflict")
    shop.issue(shop.deal())
    pass_time(rig, 3)
    shop.issue(shop.deal())
    assert sorted(i["invoice_number"] for i in shop.invoices) == ["A-001", "A-002", "A-003"]


def test_a_deal_restored_from_the_trash_shows_its_invoice(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("error_before", "PATCH /api/v4/leads/*", "kommo"))
    deal = shop.deal()
    shop.issue(deal)
    rig.kommo.delete_deal(deal.id)
    rig.later(minutes=2)
    rig.kommo.restore_deal(deal.id)
    rig.later(minutes=2)
    assert shop.shown(deal) == "Sent"
