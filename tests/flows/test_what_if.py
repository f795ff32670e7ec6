"""What a rule would have billed in 90 days: counted, summed and explained; nothing is made."""

from datetime import timedelta
from decimal import Decimal

import pytest

from server.core.settings import SettingsDocument
from server.core.what_if import Tally
from server.flows import what_if
from server.flows.vendor_lists import lists_of
from server.flows.what_if import BACK
from server.sandbox.kommo.book.records import LOST, WON
from tests.flows.looking_back import asked, document
from tests.rig import Rig
from tests.stories.shop import RULE, Shop


@pytest.fixture
def shop(rig: Rig) -> Shop:
    """The rule is off: this is what one tries before it is on."""
    return Shop(rig, on=False)


def result(shop: Shop, settings: SettingsDocument | None = None) -> Tally:
    found = asked(shop, settings)
    assert (found.state, found.sentence) == ("done", "")
    assert found.result is not None
    return found.result


def reasons(tally: Tally) -> dict[str, int]:
    return {f"{group.kind}: {group.reason}": group.count for group in tally.groups}


def test_what_entered_the_stage_is_counted_summed_and_named(shop: Shop) -> None:
    moved, made = shop.deal("100.50", name="Moved"), None
    shop.rig.clock.advance(timedelta(hours=1))
    shop.move(moved)
    shop.rig.clock.advance(timedelta(hours=1))
    made = shop.deal("20.00", name="Made there", stage="Issue invoice")
    shop.deal("7.00", name="Elsewhere")
    tally = result(shop)
    assert (tally.count, tally.deals, tally.sums) == (2, 2, {"EUR": Decimal("120.50")})
    assert [(one.deal_id, one.name, one.amount) for one in tally.first] == [
        (made.id, "Made there", Decimal("20.00")),
        (moved.id, "Moved", Decimal("100.50")),
    ]
    assert tally.first[0].entered_at == shop.rig.clock.now()
    assert tally.groups == []


def test_nothing_is_made_and_nothing_is_written_at_the_vendors(shop: Shop) -> None:
    shop.move(shop.deal())
    shop.rig.pump()
    before = [len(vendor.calls) for vendor in (shop.rig.sandbox.kommo, shop.rig.sandbox.freshbooks)]
    tasks, notes = len(shop.kommo.tasks), len(shop.kommo.notes)
    assert result(shop).count == 1
    kommo = shop.rig.sandbox.kommo.calls[before[0] :]
    assert {call[0] for call in kommo} == {"GET"}
    assert len(shop.rig.sandbox.freshbooks.calls) == before[1]
    assert (shop.invoices, shop.clients) == ([], [])
    assert (len(shop.kommo.tasks), len(shop.kommo.notes)) == (tasks, notes)
    assert shop.rig.sandbox.kommo.unknown_calls == []


def test_a_deal_that_was_created_in_the_stage_and_left_it_entered_it(shop: Shop) -> None:
    deal = shop.deal("10.00", stage="Issue invoice")
    shop.rig.clock.advance(timedelta(days=1))
    shop.kommo.move_deal(deal.id, WON)
    assert result(shop).count == 1


@pytest.mark.parametrize("honoured", [True, False])
def test_a_deal_that_stood_there_before_the_time_did_not_enter_it(
    shop: Shop, honoured: bool
) -> None:
    shop.rig.sandbox.kommo.switches.event_stage_filter = honoured
    stays, leaves = (shop.deal(stage="Issue invoice") for _ in range(2))
    early = shop.deal()
    shop.move(early)
    for _half in range(2):  # tokens that nobody uses for so long would die
        shop.rig.clock.advance(BACK / 2 + timedelta(days=1))
        lists_of(shop.rig.world, shop.rig.account_id)
    shop.kommo.move_deal(leaves.id, WON)
    assert stays.status_id == shop.stage("Issue invoice")
    assert result(shop).deals == 0
    shop.kommo.move_deal(early.id, shop.stage("Talks"))
    shop.move(early)
    assert [one.deal_id for one in result(shop).first] == [early.id]


def test_a_deal_that_entered_twice_is_counted_once(shop: Shop) -> None:
    deal = shop.deal()
    for stage in ("Issue invoice", "Talks", "Issue invoice"):
        shop.rig.clock.advance(timedelta(minutes=1))
        shop.move(deal, stage)
    tally = result(shop)
    assert tally.count == 1
    assert tally.first[0].entered_at == shop.rig.clock.now() - timedelta(minutes=2)


def test_it_is_judged_as_it_would_have_been_then_and_what_came_later_is_told(shop: Shop) -> None:
    lost, back = shop.deal(), shop.deal()
    for deal in (lost, back):
        shop.move(deal)
    shop.rig.clock.advance(timedelta(days=1))
    shop.kommo.move_deal(lost.id, LOST)
    shop.move(back, "Talks")
    tally = result(shop, document(shop, still_in_stage=True))
    assert tally.count == 2
    assert {group.reason: group.count for group in tally.afterwards} == {
        "The deal was lost.": 1,
        "The deal was moved back.": 1,
    }


def test_what_would_not_be_billed_is_grouped_by_its_reason(shop: Shop) -> None:
    shop.rig.rule_on(RULE)
    billed = shop.deal(name="Billed")
    shop.issue(billed)
    shop.rig.rule_off(RULE)
    nobody = [shop.kommo.add_deal(f"Nobody {n}", "5", pipeline_id=shop.pipeline.id) for n in (1, 2)]
    cheap, gone, good = shop.deal("1.00"), shop.deal(), shop.deal("50.00")
    for deal in (*nobody, cheap, gone, good):
        shop.kommo.move_deal(deal.id, shop.stage("Issue invoice"))
    shop.kommo.delete_deal(gone.id)
    dear = [{"field": "deal.price", "is": "greater", "value": "2"}]
    tally = result(shop, document(shop, conditions=dear))
    assert (tally.deals, tally.count) == (6, 1)
    assert reasons(tally) == {
        "billed: Billhook has made its invoice already.": 1,
        "deleted: The deal was deleted since.": 1,
        "rule: The rule “Issue” bills only if Deal: Amount is more than 2.": 1,
        "problem: The deal has no contact and no company. Add one to the deal in Kommo.": 2,
    }
    (problems,) = [group for group in tally.groups if group.kind == "problem"]
    assert sorted(problems.deals) == [(deal.id, deal.name) for deal in nobody]


def test_conditions_on_contact_and_company_are_judged_by_their_records(shop: Shop) -> None:
    acme = shop.kommo.add_company("Acme")
    for company in (acme, None):
        shop.move(shop.deal(company=company))
    wanted = [
        {"field": "company.name", "is": "equals", "value": "acme"},
        {"field": "contact.code.EMAIL", "is": "filled"},
    ]
    tally = result(shop, document(shop, conditions=wanted))
    assert (tally.count, tally.deals) == (1, 2)


def test_sums_stand_apart_by_currency(shop: Shop) -> None:
    shop.kommo.add_field("leads", "text", "Currency", "CUR")
    for currency, price in (("EUR", "10.00"), ("USD", "20.00"), ("USD", "1.50")):
        shop.move(shop.deal(price, fields={"CUR": currency}))
    mapping = {"currency": {"field": "deal.code.CUR"}}
    assert result(shop, document(shop, mapping)).sums == {
        "EUR": Decimal("10.00"),
        "USD": Decimal("21.50"),
    }


def test_six_hundred_deals_cost_few_calls_and_the_progress_is_told(shop: Shop) -> None:
    product = shop.product("5.00")
    for number in range(600):
        deal = shop.deal("5.00", name=f"Deal {number}", products=[(product.id, 1)])
        shop.move(deal)
    before = len(shop.rig.sandbox.kommo.calls)
    found = asked(shop)
    assert (found.done, found.total, found.cut) == (600, 600, False)
    assert found.result is not None
    assert (found.result.count, found.result.sums) == (600, {"EUR": Decimal("3000.00")})
    assert len(found.result.first) == 100
    # Moves in 6, out 1, standing 3; stages and lists; three pages of deals, contacts and products.
    assert len(shop.rig.sandbox.kommo.calls) - before <= 6 + 1 + 3 + 2 + 3 * 4


def test_too_many_deals_are_cut_to_the_latest_and_that_is_said(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "MOST", 5)
    deals = []
    for number in range(8):
        shop.rig.clock.advance(timedelta(minutes=1))
        deals.append(shop.deal(name=f"Deal {number}"))
        shop.move(deals[-1])
    found = asked(shop)
    assert (found.cut, found.total) == (True, 5)
    assert found.result is not None
    assert [one.deal_id for one in found.result.first] == [deal.id for deal in deals[:2:-1]]


def test_a_stage_without_deals_gives_an_empty_answer(shop: Shop) -> None:
    tally = result(shop)
    assert (tally.deals, tally.count, tally.sums) == (0, 0, {})
