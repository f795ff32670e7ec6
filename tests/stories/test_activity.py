"""What an admin sees of what happened, and what the buttons beside it lead to, edge to edge."""

from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from server.core.states import DocumentState, Group
from server.flows import activity
from server.flows.activity import Entry, Filter
from server.flows.again_told import is_idle
from server.sandbox import Fault
from server.sandbox.kommo.book.records import Actor
from server.store.deal_names import DealNameRow
from tests.rig import KOMMO_ID, Rig
from tests.stories.shop import CREATE, RULE, Shop
from tests.stories.test_a_person_decides import line
from tests.stories.test_never_twice import post


def entry(rig: Rig, deal_id: int) -> Entry:
    """Its only one."""
    (found,) = activity.page(rig.world, rig.account_id, Filter(deal_id=deal_id)).entries
    return found


def told(rig: Rig, deal_id: int) -> str:
    sentences = activity.what_again_will_do(rig.world, rig.account_id, f"deal:{deal_id}")
    return " ".join(map(str, sentences))


def again(rig: Rig, deal_id: int) -> None:
    assert activity.again(rig.world, rig.account_id, [f"deal:{deal_id}"]) == 1
    rig.pump()


def test_a_billed_deal_is_in_order_and_opens_to_its_steps_and_calls(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    found = entry(rig, deal.id)
    assert found.group is Group.IN_ORDER
    assert found.invoice is not None
    assert (found.invoice.number, found.invoice.currency) == (shop.shown(deal, "NUMBER"), "EUR")
    assert (found.deal_name, found.client_name) == (deal.name, "Ann Lee")
    for text in (deal.name, found.invoice.number):
        by_text = activity.page(rig.world, rig.account_id, Filter(text=text))
        assert found in by_text.entries
    opened = activity.opened(rig.world, rig.account_id, found.subject)
    assert opened is not None
    assert {job.kind for job in opened.detail.jobs} == {"deal_to_invoice", "invoice_to_deal"}
    (document,) = opened.detail.documents
    assert [attempt.outcome for attempt in document.attempts] == ["created"]
    made = [(call.vendor, call.method) for call in opened.detail.calls]
    assert made[0] == ("kommo", "GET")
    assert ("freshbooks", "POST") in made
    assert any(event.verdict == "1 of 1 to look at" for event in opened.detail.events)
    day = rig.clock.now() - timedelta(hours=12), rig.clock.now() + timedelta(hours=12)
    assert activity.counts(rig.world, rig.account_id, *day).invoiced.n == 1


def test_a_deals_names_stay_with_its_draft_and_not_for_a_client_that_was_refused(
    shop: Shop, rig: Rig
) -> None:
    billed = shop.deal()
    refused = shop.deal(contact=shop.contact(f"ann@{'x' * 130}.test", "Bo Long"))
    for deal in (billed, refused):
        shop.issue(deal)
    assert entry(rig, refused.id).client_name == "Bo Long"
    names = rig.in_database(lambda session: session.scalars(sa.select(DealNameRow)).all())
    assert {row.deal_id: row.drafted for row in names} == {billed.id: True, refused.id: False}


def test_a_deal_moved_while_no_rule_was_on_is_left_out_and_tried_again(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    deal = shop.deal()
    shop.issue(deal)
    found = entry(rig, deal.id)
    assert (found.group, found.said) == (Group.LEFT_OUT, "no rule is on")
    assert "No rule is on" in told(rig, deal.id)
    rig.rule_on(RULE)
    assert told(rig, deal.id).endswith("so it may create one invoice.")
    again(rig, deal.id)
    assert entry(rig, deal.id).group is Group.IN_ORDER
    assert len(shop.invoices) == 1


def test_an_ignored_deal_closes_its_task_and_is_billed_when_it_is_mended_and_moved(
    shop: Shop, rig: Rig
) -> None:
    contact = shop.contact(None)
    deal = shop.deal(contact=contact)
    shop.issue(deal)
    assert entry(rig, deal.id).deal_name == deal.name
    (cause,) = activity.causes(rig.world, rig.account_id)
    assert (cause.field, cause.count.n) == ("client.email", 1)
    assert len(shop.open_tasks(deal)) == 1

    assert activity.ignore(rig.world, rig.account_id, f"deal:{deal.id}", "Ona Owner")
    rig.pump()
    assert shop.open_tasks(deal) == []
    assert entry(rig, deal.id).group is Group.LEFT_OUT
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "ann@acme.test"})
    rig.kommo.update_deal(deal.id, price=Decimal("120"))  # looked at, and still ignored
    rig.pump()
    assert shop.invoices == []
    assert str(shop.job_of(deal).said) == "Ignored by Ona Owner."

    rig.clock.advance(timedelta(minutes=1))
    shop.move(deal, "Talks")
    shop.issue(deal)
    assert entry(rig, deal.id).group is Group.IN_ORDER
    assert len(shop.invoices) == 1


def test_an_ignored_deal_stays_ignored_when_the_vendor_is_back(shop: Shop, rig: Rig) -> None:
    find = "GET /accounting/*/users/clients"
    rig.sandbox.faults.add(Fault("error_before", find, "freshbooks", times=None, status=503))
    deal = shop.deal()
    shop.issue(deal)
    for minutes in (3, 6, 31):
        rig.later(minutes=minutes)
    assert entry(rig, deal.id).group is Group.ATTENTION
    activity.ignore(rig.world, rig.account_id, f"deal:{deal.id}", "Ona")
    rig.sandbox.faults.clear()
    for _ in range(4):
        rig.later(minutes=5)
    assert entry(rig, deal.id).group is Group.LEFT_OUT
    assert shop.invoices == []


def test_try_again_of_a_lost_reply_says_that_it_looks_and_makes_no_second(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    assert entry(rig, deal.id).group is Group.UNDER_WAY
    assert told(rig, deal.id).startswith("First looks in FreshBooks")
    again(rig, deal.id)
    assert len(shop.invoices) == 1  # the quiet period is not over, click or not
    rig.later(seconds=121)
    assert entry(rig, deal.id).group is Group.IN_ORDER
    assert len(shop.invoices) == 1


def test_a_mismatch_is_ignored_and_compared_when_tried_again(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal("100.00")
    shop.issue(deal)
    (invoice,) = shop.invoices
    rig.books.edit_invoice(invoice["id"], lines=[line("Chairs", "99.00")])
    rig.later(seconds=121)
    found = entry(rig, deal.id)
    assert (found.group, found.cause) == (Group.ATTENTION, "mismatch")
    activity.ignore(rig.world, rig.account_id, found.subject, "Ona")
    rig.pump()
    assert entry(rig, deal.id).group is Group.IN_ORDER
    assert shop.open_tasks(deal) == []
    assert "Compares invoice" in told(rig, deal.id)
    again(rig, deal.id)
    assert entry(rig, deal.id).group is Group.ATTENTION
    rig.books.edit_invoice(invoice["id"], lines=[line("Chairs", "100.00")])
    again(rig, deal.id)
    assert entry(rig, deal.id).group is Group.IN_ORDER
    assert shop.document_of(deal).state == DocumentState.SENT


def test_a_message_that_was_turned_away_does_nothing_until_kommo_is_connected_again(
    shop: Shop, rig: Rig
) -> None:
    deal = shop.deal()
    rig.pump()
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    shop.move(deal)
    place = f"leads[status][0][status_id]={shop.stage('Issue invoice')}"
    place += f"&leads[status][0][pipeline_id]={shop.pipeline.id}"
    assert post(rig, f"leads[status][0][id]={deal.id}&{place}") == 204
    (found,) = activity.page(rig.world, rig.account_id, Filter(Group.LEFT_OUT)).entries
    sentences = activity.what_again_will_do(rig.world, rig.account_id, found.subject)
    assert "as long as Kommo is not connected" in sentences[0]
    assert is_idle(sentences)
    activity.again(rig.world, rig.account_id, [found.subject])
    assert activity.page(rig.world, rig.account_id, Filter(Group.LEFT_OUT)).entries == (found,)

    rig.connect_kommo()
    rig.rule_on(RULE)
    sentences = activity.what_again_will_do(rig.world, rig.account_id, found.subject)
    assert "as if it came now" in sentences[0]
    assert not is_idle(sentences)
    activity.again(rig.world, rig.account_id, [found.subject])
    rig.pump()
    assert entry(rig, deal.id).group is Group.IN_ORDER


def test_of_a_deleted_invoice_no_other_is_made_and_the_deal_is_told_once_more(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    rig.books.delete_invoice(shop.invoices[0]["id"])
    rig.later(seconds=121)
    assert entry(rig, deal.id).group is Group.LEFT_OUT
    assert told(rig, deal.id).endswith("no invoice is made in its place.")
    rig.kommo.update_deal(deal.id, fields={"BILLHOOK_STATUS": None}, by=Actor(1, client_id="other"))
    again(rig, deal.id)
    assert shop.shown(deal) == "Deleted"
    assert shop.invoices == []


def test_all_of_a_cause_are_billed_once_the_cause_is_gone(shop: Shop, rig: Rig) -> None:
    contact = shop.contact(None)
    deals = [shop.deal(contact=contact) for _ in range(3)]
    for deal in deals:
        shop.issue(deal)
    (cause,) = activity.causes(rig.world, rig.account_id)
    assert (cause.key, cause.count.n) == ("problems/client.email", 3)
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "ann@acme.test"})
    assert activity.all_of_cause(rig.world, rig.account_id, cause.key).n == 3
    rig.pump()
    assert activity.causes(rig.world, rig.account_id) == []
    assert len(shop.invoices) == 3


def test_a_write_back_is_tried_again_alone(shop: Shop, rig: Rig) -> None:
    deal = shop.deal()
    shop.issue(deal)
    other = Actor(1, client_id="another integration")
    rig.kommo.update_deal(deal.id, fields={"BILLHOOK_NUMBER": "wiped"}, by=other)
    rig.pump()
    assert told(rig, deal.id).endswith("No other invoice is made.")
    again(rig, deal.id)
    assert shop.shown(deal, "NUMBER") == shop.invoices[0]["invoice_number"]
    assert len(shop.invoices) == 1
