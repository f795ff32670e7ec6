"""What only a person can decide stops there, and goes on when it was decided."""

from server.core.states import DocumentState
from server.flows.replay import Wanted, replay
from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE, Shop


def replay_all(rig: Rig) -> None:
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()


def test_of_two_invoices_with_our_reference_the_one_that_is_left_is_adopted(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    ours = shop.invoices[0]
    line = {"name": "Copy", "qty": "1", "unit_cost": {"amount": "100.00", "code": "EUR"}}
    copy = rig.books.add_invoice(ours["customerid"], [line], po_number=ours["po_number"])
    rig.later(seconds=121)
    assert shop.document_of(deal).state == DocumentState.AMBIGUOUS
    rig.books.delete_invoice(copy["id"])
    replay_all(rig)
    assert shop.shown(deal) == "Sent"
    assert shop.shown(deal, "NUMBER") == ours["invoice_number"]
    assert shop.open_tasks(deal) == []


def test_a_mismatch_stays_an_unsent_draft_until_its_figures_are_right(shop: Shop, rig: Rig) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal("100.00")
    shop.issue(deal)
    (invoice,) = shop.invoices
    rig.books.edit_invoice(invoice["id"], lines=[line("Chairs", "99.00")])
    rig.later(seconds=121)
    assert shop.document_of(deal).state == DocumentState.MISMATCH
    assert shop.shown(deal) == "Total differs"
    (task,) = shop.open_tasks(deal)
    assert "99.00 EUR" in task.text
    assert "100.00 EUR" in task.text

    replay_all(rig)
    assert shop.invoices[0]["status"] == 1
    rig.books.edit_invoice(invoice["id"], lines=[line("Chairs", "100.00")])
    replay_all(rig)
    assert shop.shown(deal) == "Sent"
    assert len(shop.invoices) == 1
    assert shop.open_tasks(deal) == []


def test_when_another_reason_takes_the_place_of_the_first_one_task_stays_open(
    shop: Shop, rig: Rig
) -> None:
    contact = shop.contact(None)
    deal = shop.deal(contact=contact)
    shop.issue(deal)
    (first,) = shop.open_tasks(deal)
    rig.kommo.update_contact(contact.id, fields={"EMAIL": "not an address"})
    rig.pump()
    (second,) = shop.open_tasks(deal)
    assert second.id != first.id
    assert "not an e-mail address" in second.text


def line(name: str, price: str) -> dict[str, object]:
    return {"name": name, "qty": "1", "unit_cost": {"amount": price, "code": "EUR"}}
