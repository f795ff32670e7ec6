"""What cannot be billed is said in plain words, once, to whoever is responsible; mended, it is
billed once and the task is completed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from server.core.states import DocumentState, JobState
from server.flows.replay import Wanted, replay
from server.sandbox import Fault
from server.sandbox.kommo.book.records import Deal
from tests.rig import Rig
from tests.stories.shop import CREATE, Shop

NO_EMAIL = "The contact has no e-mail. Add one in Kommo."
NO_AMOUNT = "The deal has no amount. Fill in the deal's amount in Kommo."
NO_PRICE = "“Chair” has no price. Fill in the product's price in Kommo."
NO_CURRENCY = (
    "The deal's currency is “Euro”, which is no currency code. "
    "Write it with three letters, like EUR or USD."
)
NO_SUCH_TAX = (
    "The tax “Luxury” of “Chair” is not among the taxes in Billhook's settings. "
    "Correct it on the product, or add it to the settings."
)
NOT_EQUAL = (
    "The deal's amount is 100.00 EUR, but its products come to 120.50 EUR. "
    "Make them equal in Kommo, or choose in Billhook's settings which one counts."
)
TWO_AMOUNTS = (
    "Kommo tells two amounts of this deal: 1300 and 1200.75. Type the amount into the deal again."
)
NOBODY = "The deal has no contact and no company. Add one to the deal in Kommo."
NEXT = "Billhook looks again as soon as the deal, its contact or its company is changed."

Mend = Callable[[Shop, Deal], object]


@dataclass(frozen=True)
class Case:
    """A deal that cannot be billed, what its task says, and how a person mends it."""

    name: str
    words: str
    spoilt: Callable[[Shop], Deal]
    mend: Mend
    mapping: dict[str, Any]
    action: str = "mark_sent"
    by_hook: bool = True  # whether Kommo tells of the mending: of a product's price it does not


def case(name: str, words: str, spoilt: Callable[[Shop], Deal], mend: Mend, **more: Any) -> Any:
    mapping = more.pop("mapping", {})
    return pytest.param(Case(name, words, spoilt, mend, mapping, **more), id=name)


def of_contact(**changes: Any) -> Mend:
    return lambda shop, deal: shop.kommo.update_contact(deal.contacts[0], **changes)


def of_deal(**changes: Any) -> Mend:
    return lambda shop, deal: shop.kommo.update_deal(deal.id, **changes)


def of_product(**fields: Any) -> Mend:
    return lambda shop, deal: shop.kommo.update_element(deal.products[0].element_id, fields=fields)


def without_email(shop: Shop) -> Deal:
    return shop.deal(contact=shop.contact(None))


def without_contact(shop: Shop) -> Deal:
    deal = shop.deal()
    shop.kommo.delete_contact(deal.contacts[0])
    return deal


def another_contact(shop: Shop, deal: Deal) -> None:
    row = {"_embedded": {"contacts": [{"id": shop.contact("new@acme.test").id}]}}
    shop.kommo.change_deal(deal, row, shop.kommo.owner())


def in_euros(shop: Shop) -> Deal:
    shop.kommo.add_field("leads", "text", "Currency", "CURRENCY")
    return shop.deal(fields={"CURRENCY": "Euro"})


def with_chair(price: str | None, amount: str | None, **fields: Any) -> Callable[[Shop], Deal]:
    def spoilt(shop: Shop) -> Deal:
        if "TAX" in fields:
            where = shop.products.id
            shop.kommo.add_field("catalogs", "text", "Tax", "TAX", catalog_id=where)
        chair = shop.kommo.add_element(shop.products, "Chair", price=price, fields=fields)
        return shop.deal(amount, products=[(chair, "1")])

    return spoilt


def contradicting(shop: Shop) -> Deal:
    deal = shop.deal("1200.75")
    deal.shown_price = 1300
    return deal


def typed_again(shop: Shop, deal: Deal) -> None:
    deal.shown_price = None
    shop.kommo.update_deal(deal.id, price="1300.75")


TAXES = {"taxes": {"field": "product.code.TAX", "table": {"Standard": []}}}
BY_CONTACT = {"client": {"match_by": "contact"}}
CASES = (
    case("no e-mail to match by", NO_EMAIL, without_email, of_contact(fields={"EMAIL": "a@b.cc"})),
    case(
        "no e-mail to mail to",
        NO_EMAIL,
        without_email,
        of_contact(fields={"EMAIL": "a@b.cc"}),
        mapping=BY_CONTACT,
        action="email",
    ),
    case("no amount", NO_AMOUNT, lambda shop: shop.deal(None), of_deal(price="10")),
    case(
        "unknown currency",
        NO_CURRENCY,
        in_euros,
        of_deal(fields={"CURRENCY": "EUR"}),
        mapping={"currency": {"field": "deal.code.CURRENCY"}},
    ),
    case("deleted contact", NOBODY, without_contact, another_contact),
    case("no price", NO_PRICE, with_chair(None, None), of_product(PRICE="50"), by_hook=False),
    case("amount and products", NOT_EQUAL, with_chair("120.50", "100"), of_deal(price="120.50")),
    case("two amounts", TWO_AMOUNTS, contradicting, typed_again),
    case(
        "unknown tax",
        NO_SUCH_TAX,
        with_chair("50", None, TAX="Luxury"),
        of_product(TAX="Standard"),
        mapping=TAXES,
        by_hook=False,
    ),
)


def replay_parked(rig: Rig) -> None:
    replay(rig.world, Wanted(rig.account_id, state=JobState.PARKED))
    rig.pump()


def opened(rig: Rig, one: Case) -> tuple[Shop, Deal, int]:
    """The deal has entered the stage; it belongs to a manager who did not connect us."""
    shop = Shop(rig, action=one.action, mapping=one.mapping)
    manager = rig.kommo.add_user("Max Manager")
    deal = one.spoilt(shop)
    deal.responsible_user_id = manager.id
    rig.pump()
    shop.issue(deal)
    return shop, deal, manager.id


def parked(shop: Shop, deal: Deal) -> str:
    """The words on the parked job; nothing was made."""
    job = shop.job_of(deal)
    assert (job.state, job.cause) == (JobState.PARKED, "problems"), (job.state, job.said)
    assert shop.invoices == []
    assert shop.shown(deal) is None
    return " ".join(f"{row['reason']} {row['todo']}" for row in job.problems)


def billed(shop: Shop, deal: Deal) -> None:
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"
    assert len(shop.tasks(deal)) == 1
    assert shop.open_tasks(deal) == []


@pytest.mark.parametrize("one", CASES)
def test_told_once_in_words_to_whoever_is_responsible_and_billed_when_mended(
    rig: Rig, one: Case
) -> None:
    shop, deal, manager = opened(rig, one)
    assert parked(shop, deal) == one.words
    (task,) = shop.tasks(deal)
    assert f"FreshBooks invoice: {one.words} {NEXT}" in task.text
    assert task.responsible_user_id == manager

    shop.kommo.update_deal(deal.id, name="Named anew")  # looked at again: nothing new
    rig.pump()
    replay_parked(rig)
    assert parked(shop, deal) == one.words
    assert len(shop.tasks(deal)) == 1

    one.mend(shop, deal)
    rig.pump()
    if not one.by_hook:
        assert parked(shop, deal) == one.words
        replay_parked(rig)
    billed(shop, deal)
    replay_parked(rig)
    rig.later(hours=1)
    billed(shop, deal)


@pytest.mark.parametrize("one", [c for c in CASES if c.values[0].by_hook])
def test_mended_while_kommos_hooks_were_lost_a_replay_bills_it(rig: Rig, one: Case) -> None:
    shop, deal, _ = opened(rig, one)
    rig.sandbox.deliveries.drop_next(50)
    one.mend(shop, deal)
    rig.pump()
    rig.sandbox.deliveries.behave()
    assert parked(shop, deal) == one.words
    replay_parked(rig)
    billed(shop, deal)


def test_every_problem_is_told_at_once_what_is_left_again_and_all_is_completed(
    shop: Shop, rig: Rig
) -> None:
    deal = shop.deal(None, contact=shop.contact(None))
    shop.issue(deal)
    assert parked(shop, deal) == f"{NO_EMAIL} {NO_AMOUNT}"
    shop.kommo.update_contact(deal.contacts[0], fields={"EMAIL": "ann@acme.test"})
    rig.pump()
    assert parked(shop, deal) == NO_AMOUNT
    assert [task.text.count("Billhook looks again") for task in shop.tasks(deal)] == [1, 1]
    shop.kommo.update_deal(deal.id, price="10")
    rig.pump()
    assert shop.shown(deal) == "Sent"
    assert shop.open_tasks(deal) == []


def test_a_task_that_somebody_closed_unmended_does_not_come_again(shop: Shop, rig: Rig) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    (task,) = shop.tasks(deal)
    task.is_completed = True
    replay_parked(rig)
    assert parked(shop, deal) == NO_AMOUNT
    assert len(shop.tasks(deal)) == 1


def test_settings_that_mend_it_bill_it(rig: Rig) -> None:
    shop = Shop(rig)
    chair = shop.product("120.50")
    deal = shop.deal("100.00", products=[(chair, "1")])
    shop.issue(deal)
    assert parked(shop, deal) == NOT_EQUAL
    rig.settings(shop.document("mark_sent", {"lines": {"when_amount_differs": "ignore"}}))
    rig.pump()
    billed(shop, deal)


@pytest.mark.parametrize("shape", ["classic", "single", "google"])
@pytest.mark.parametrize(
    ("mapping", "value", "words"),
    [
        ({"currency": {"field": "deal.code.NOTE"}}, "XCG", "FreshBooks refuses the currency: "),
        ({"terms": {"field": "deal.code.NOTE"}}, "x" * 10_001, "FreshBooks refuses the terms: "),
    ],
    ids=["currency", "too long"],
)
def test_what_freshbooks_refuses_after_the_claim_is_said_and_billed_when_mended(
    rig: Rig, shape: Any, mapping: dict[str, Any], value: str, words: str
) -> None:
    rig.sandbox.freshbooks.switches.error_shape = shape
    rig.kommo.add_field("leads", "textarea", "Note", "NOTE")
    shop = Shop(rig, mapping=mapping)
    rig.books.add_client(email="ann@acme.test", currency_code="EUR")
    deal = shop.deal(fields={"NOTE": value})
    shop.issue(deal)
    assert parked(shop, deal).startswith(words)
    assert shop.document_of(deal).state == DocumentState.REFUSED
    assert words in shop.tasks(deal)[0].text
    replay_parked(rig)
    assert len(shop.tasks(deal)) == 1
    shop.kommo.update_deal(deal.id, fields={"NOTE": "EUR"})
    rig.pump()
    billed(shop, deal)


def test_two_invoices_of_one_deal_are_looked_at_again_when_the_deal_is_changed(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    ours = shop.invoices[0]
    line = {"name": "Copy", "qty": "1", "unit_cost": {"amount": "100.00", "code": "EUR"}}
    copy = rig.books.add_invoice(ours["customerid"], [line], po_number=ours["po_number"])
    rig.later(seconds=121)
    assert f"Delete all but one in FreshBooks. {NEXT}" in shop.tasks(deal)[0].text
    rig.books.delete_invoice(copy["id"])
    shop.kommo.update_deal(deal.id, name="Named anew")
    rig.pump()
    billed(shop, deal)
