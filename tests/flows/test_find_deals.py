"""A deal is found by words, by number, by link; never more than twenty, never an error."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from server.flows import glance
from server.flows.find_deals import MOST, find_deals
from server.sandbox import Fault
from tests.rig import Rig


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    yield
    assert glance.settle()


def names(rig: Rig, text: str) -> list[str]:
    return [deal.name for deal in find_deals(rig.world, rig.account_id, text).deals]


def test_words_find_deals_with_amount_and_stage(rig: Rig) -> None:
    sales = rig.kommo.main_pipeline
    deal = rig.kommo.add_deal("Office chairs", "99.95", stage_id=sales.stage("Offer").id)
    rig.kommo.add_deal("Desk")
    (found,) = find_deals(rig.world, rig.account_id, "  CHAIRS ").deals
    assert (found.deal_id, str(found.amount), found.currency) == (deal.id, "99.95", "EUR")
    assert (found.pipeline, found.stage) == ("Sales", "Offer")
    assert found.url == f"{rig.kommo.url}/leads/detail/{deal.id}"  # as we call it


def test_amounts_are_in_the_currency_that_the_invoice_would_have(rig: Rig) -> None:
    field = rig.kommo.add_field("leads", "select", "Currency", enums=["USD", "Gold"])
    for name, chosen in (("Dollars", "USD"), ("Own", "Gold"), ("Empty", None)):
        fields = {field.id: chosen} if chosen else {}
        rig.kommo.add_deal(name, "90", fields=fields)
    by_deal = {"field": f"deal.cf.{field.id}", "or": {"text": "gbp"}}
    rig.settings({"rules": [], "mapping": {"currency": by_deal}})
    found = find_deals(rig.world, rig.account_id, "").deals
    assert {deal.name: deal.currency for deal in found} == {
        "Dollars": "USD",
        "Own": "EUR",
        "Empty": "GBP",
    }
    rig.settings({"rules": [], "mapping": {"currency": {"field": "company.cf.5"}}})
    found = find_deals(rig.world, rig.account_id, "").deals
    assert {deal.currency for deal in found} == {""}


def test_no_words_find_the_last_changed_at_most_twenty(rig: Rig) -> None:
    for number in range(MOST + 5):
        rig.kommo.add_deal(f"Deal {number}")
    rig.clock.advance(timedelta(seconds=5))
    rig.kommo.update_deal(next(iter(rig.kommo.deals)), name="Touched")
    found = names(rig, "")
    assert len(found) == MOST
    assert found[0] == "Touched"


def test_a_number_finds_the_deal_of_that_number_first(rig: Rig) -> None:
    deal = rig.kommo.add_deal("Desk")
    rig.kommo.add_deal(f"Again {deal.id}")
    assert names(rig, f"#{deal.id}") == ["Desk", f"Again {deal.id}"]
    assert names(rig, "9" * 40) == []


@pytest.mark.parametrize(
    "form", ["https://{}/leads/detail/{}", "{}/leads/detail/{}?tab=1", "http://{}/leads/{}/"]
)
def test_a_link_finds_its_deal(rig: Rig, form: str) -> None:
    deal = rig.kommo.add_deal("Desk")
    assert names(rig, form.format(rig.kommo.host, deal.id)) == ["Desk"]


def test_another_accounts_link_is_told_so(rig: Rig) -> None:
    deal = rig.kommo.add_deal("Desk")
    found = find_deals(rig.world, rig.account_id, f"https://other.kommo.com/leads/detail/{deal.id}")
    assert found.deals == ()
    assert found.notice == (
        f"This link leads to other.kommo.com, but {rig.kommo.host} is connected here."
    )


def test_a_link_to_something_else_and_to_a_deleted_deal_are_told_apart(rig: Rig) -> None:
    contact = find_deals(rig.world, rig.account_id, f"{rig.kommo.host}/contacts/detail/5")
    assert contact.notice.startswith("This is no link to a deal.")
    deal = rig.kommo.add_deal("Desk")
    rig.kommo.delete_deal(deal.id)
    gone = find_deals(rig.world, rig.account_id, f"{rig.kommo.host}/leads/detail/{deal.id}")
    assert gone.notice == "Kommo has no such deal, or it was deleted."


def test_nothing_found_says_what_to_do(rig: Rig) -> None:
    assert "There is no deal" in find_deals(rig.world, rig.account_id, "").notice
    found = find_deals(rig.world, rig.account_id, "ghost")
    assert found.notice.startswith("Kommo finds no deal for “ghost”.")


@pytest.mark.parametrize("text", ["", "chairs", "12345"])
def test_a_dead_kommo_is_a_sentence(rig: Rig, text: str) -> None:
    rig.sandbox.faults.add(Fault("html", vendor="kommo", status=502, times=None))
    found = find_deals(rig.world, rig.account_id, text)
    assert found.deals == ()
    assert found.notice == "Kommo answered 502."


def test_a_slow_kommo_is_not_waited_for(rig: Rig) -> None:
    find_deals(rig.world, rig.account_id, "")
    rig.sandbox.faults.add(Fault("slow", match="GET /api/v4/leads", seconds=0.6))
    found = find_deals(rig.world, rig.account_id, "chairs", seconds=0.1)
    assert found.notice == "Kommo does not answer in time."
