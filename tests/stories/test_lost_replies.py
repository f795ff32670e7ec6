"""The reply was lost, the invoice is there: it is found and adopted, never made again."""

from datetime import timedelta

import pytest

from server.core.states import AttemptOutcome, DocumentState
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE, Shop

QUIET = timedelta(seconds=121)
CLIENT = "POST /accounting/*/users/clients"
AFTER = ["lose_reply", "error_after", "html_after", "truncate"]
BEFORE = ["error_before", "html"]
NUMBERINGS = ["freshbooks", "reference", "sequence"]


def fault(rig: Rig, kind: str, match: str = CREATE, **more: object) -> None:
    rig.sandbox.faults.add(Fault(kind, match, "freshbooks", **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", AFTER)
def test_an_invoice_whose_reply_was_lost_is_adopted(shop: Shop, rig: Rig, kind: str) -> None:
    fault(rig, kind)
    deal = shop.deal()
    shop.issue(deal)
    assert shop.document_of(deal).state == DocumentState.UNCERTAIN
    assert shop.shown(deal) is None
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 1
    assert shop.attempts(deal)[-1].outcome == AttemptOutcome.ADOPTED
    assert shop.shown(deal) == "Sent"
    assert shop.shown(deal, "LINK")


@pytest.mark.parametrize("kind", BEFORE)
def test_one_that_was_not_made_is_sent_again_with_the_same_reference(
    shop: Shop, rig: Rig, kind: str
) -> None:
    fault(rig, kind)
    deal = shop.deal()
    shop.issue(deal)
    assert shop.invoices == []
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 1
    first, second = shop.attempts(deal)
    assert first.reference == second.reference
    assert first.draft_hash == second.draft_hash
    assert shop.shown(deal) == "Sent"


@pytest.mark.parametrize("numbering", NUMBERINGS)
@pytest.mark.parametrize("po", [None, {"text": "PO-7"}])
def test_it_is_found_wherever_the_reference_stands(
    rig: Rig, numbering: str, po: dict[str, str] | None
) -> None:
    mapping = {"numbering": {"kind": numbering}, "po_number": po, "notes": {"text": "Thank you."}}
    shop = Shop(rig, mapping=mapping)
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_a_create_that_lands_seconds_after_its_reply_was_cut_is_adopted(
    shop: Shop, rig: Rig
) -> None:
    fault(rig, "late_commit", seconds=45)
    deal = shop.deal()
    shop.issue(deal)
    rig.later(seconds=30)
    assert shop.invoices == []
    rig.later(seconds=20)
    rig.later(seconds=75)
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_nothing_is_looked_up_before_the_quiet_period_is_over(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    calls, tried = len(rig.sandbox.freshbooks.calls), shop.job_of(deal).attempts
    rig.later(seconds=119)
    assert len(rig.sandbox.freshbooks.calls) == calls
    assert shop.job_of(deal).attempts == tried


def test_lists_that_lag_do_not_make_a_second_invoice(shop: Shop, rig: Rig) -> None:
    rig.sandbox.freshbooks.switches.lists_lag_seconds = 90
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 1


def test_an_edit_in_between_does_not_change_what_was_frozen(shop: Shop, rig: Rig) -> None:
    fault(rig, "error_before")
    contact = shop.contact("before@acme.test")
    deal = shop.deal("100.00", contact=contact)
    shop.issue(deal)
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "after@acme.test"})
    rig.kommo.update_deal(deal.id, price="250.00")
    rig.later(seconds=QUIET.total_seconds())
    (invoice,) = shop.invoices
    assert str(invoice["amount"]) == "100.00"
    assert [client["email"] for client in shop.clients] == ["before@acme.test"]


def test_a_deal_moved_back_meanwhile_still_shows_the_invoice_that_was_made(
    shop: Shop, rig: Rig
) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    shop.move(deal, "Talks")
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_an_invoice_deleted_before_we_found_it_is_adopted_as_deleted(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    rig.books.delete_invoice(shop.invoices[0]["id"])
    rig.later(seconds=QUIET.total_seconds())
    assert shop.invoices == []
    assert shop.document_of(deal).state == DocumentState.DELETED
    assert shop.shown(deal) == "Deleted"


def test_two_invoices_with_our_reference_stop_and_ask(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply")
    deal = shop.deal()
    shop.issue(deal)
    ours = shop.invoices[0]
    line = {"name": "Copy", "qty": "1", "unit_cost": {"amount": "100.00", "code": "EUR"}}
    rig.books.add_invoice(ours["customerid"], [line], po_number=ours["po_number"])
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.invoices) == 2
    assert shop.document_of(deal).state == DocumentState.AMBIGUOUS
    (task,) = shop.tasks(deal)
    assert "2 invoices with the reference" in task.text


def test_a_client_whose_reply_was_lost_is_found_and_not_made_again(shop: Shop, rig: Rig) -> None:
    fault(rig, "lose_reply", CLIENT)
    deal = shop.deal()
    shop.issue(deal)
    rig.later(seconds=QUIET.total_seconds())
    assert len(shop.clients) == 1
    assert shop.shown(deal) == "Sent"


def test_a_client_who_is_only_a_name_is_found_by_it_when_the_reply_was_lost(rig: Rig) -> None:
    shop = Shop(rig, mapping={"client": {"match_by": "contact"}})
    fault(rig, "lose_reply", CLIENT)
    deal = shop.deal(contact=shop.contact(None, "Ann Lee"))
    shop.issue(deal)
    for _ in range(2):
        rig.later(seconds=QUIET.total_seconds())
    assert shop.shown(deal) == "Sent"
    assert len(shop.clients) == 1
    namesake = shop.deal(contact=shop.contact(None, "Ann Lee"))
    shop.issue(namesake)
    assert len(shop.clients) == 2  # another person, for Kommo says so


@pytest.mark.parametrize("kind", ["lose_reply", "error_before"])
def test_marking_as_sent_again_does_no_harm(shop: Shop, rig: Rig, kind: str) -> None:
    rig.sandbox.kommo.switches.own_writes_fire_hooks = False  # an echo would try again at once
    fault(rig, kind, "PUT /accounting/*/invoices/invoices/*")
    deal = shop.deal()
    shop.issue(deal)
    assert shop.shown(deal) == "Draft"  # what it is, until it is sent
    rig.later(minutes=2)
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"
    assert "/#/link/" in shop.shown(deal, "LINK")


@pytest.mark.parametrize("kind", ["lose_reply", "error_before"])
def test_an_e_mail_of_unknown_outcome_is_sent_once(rig: Rig, kind: str) -> None:
    shop = Shop(rig, action="email")
    fault(rig, kind, "PUT /accounting/*/invoices/invoices/*")
    deal = shop.deal()
    shop.issue(deal)
    rig.later(seconds=QUIET.total_seconds())
    assert len(rig.books.mails) == 1
    assert shop.shown(deal) == "Sent"


def test_a_task_whose_reply_was_lost_is_not_made_twice(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", "POST /api/v4/tasks", "kommo"))
    deal = shop.deal(contact=shop.contact(None))
    shop.issue(deal)
    rig.later(minutes=2)
    assert len(shop.tasks(deal)) == 1


def test_a_write_back_whose_reply_was_lost_comes_again(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("error_before", "PATCH /api/v4/leads/*", "kommo"))
    deal = shop.deal()
    shop.issue(deal)
    rig.later(minutes=2)
    assert shop.shown(deal) == "Sent"
    assert len(shop.invoices) == 1
