"""Once per deal in each series: as the rules say, and never more."""

import pytest

from server.core.settings import InvalidSettings
from server.core.states import JobState
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.stories.stage_rules import enters_again, replayed, rule, save, told_of
from tests.stories.test_never_twice import post

DEPOSIT, FINAL = "deposit", "final"


def two_series(rig: Rig) -> Shop:
    """A deposit at "Offer", the rest at "Issue invoice", each in its own series."""
    shop = Shop(rig, on=False)
    save(
        shop,
        rule(shop, DEPOSIT, "Offer", series=DEPOSIT),
        rule(shop, FINAL, "Issue invoice", series=FINAL),
    )
    for slug in (DEPOSIT, FINAL):
        rig.rule_on(slug)
    rig.pump()
    return shop


def test_two_rules_of_two_series_bill_the_same_deal_once_each(rig: Rig) -> None:
    shop = two_series(rig)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    assert len(shop.invoices) == 1
    shop.issue(deal)
    assert len(shop.invoices) == 2
    for stage in ("Offer", "Issue invoice"):
        for _ in range(5):
            assert post(rig, told_of(rig, shop.stage(stage))) == 204
    rig.pump()
    rig.sweep()
    replayed(rig)
    assert len(shop.invoices) == 2
    first, second = shop.invoices
    assert first["po_number"] != second["po_number"]  # each is found by a reference of its own
    assert shop.shown(deal, "NUMBER") == second["invoice_number"]


def test_without_series_the_same_two_rules_bill_it_once(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    save(shop, rule(shop, DEPOSIT, "Offer"), rule(shop, FINAL, "Issue invoice"))
    for slug in (DEPOSIT, FINAL):
        rig.rule_on(slug)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    replayed(rig)
    assert len(shop.invoices) == 1


def test_what_is_missing_for_one_series_keeps_no_other(rig: Rig) -> None:
    shop = two_series(rig)
    final = rule(shop, FINAL, "Issue invoice", series=FINAL)
    save(shop, rule(shop, DEPOSIT, "Offer", series=DEPOSIT, action="email"), final)
    deal = shop.deal(contact=shop.contact(None), company=rig.kommo.add_company("Acme"))
    shop.move(deal, "Offer")
    rig.pump()
    assert shop.job_of(deal).state == JobState.PARKED
    save(
        shop,
        rule(shop, DEPOSIT, "Offer", series=DEPOSIT, action="email"),
        final,
        client={"match_by": "company"},
    )
    rig.pump()
    shop.issue(deal)
    assert len(shop.invoices) == 1
    assert shop.job_of(deal).state == JobState.PARKED  # the deposit still lacks its address


def test_a_series_does_not_change_once_the_rule_has_billed(rig: Rig) -> None:
    shop = two_series(rig)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    final = rule(shop, FINAL, "Issue invoice", series="other")  # has billed nothing yet
    save(shop, rule(shop, DEPOSIT, "Offer", series=DEPOSIT), final)
    for series in (None, "other"):
        with pytest.raises(InvalidSettings) as refused:
            save(shop, final, rule(shop, DEPOSIT, "Offer", series=series))
        assert [path for path, _words in refused.value.errors] == ["rules.1.series"]
    save(shop, final)
    with pytest.raises(InvalidSettings):  # nor by removing it in between
        save(shop, rule(shop, DEPOSIT, "Offer", series="other"))


def test_a_deal_that_another_rule_billed_is_billed_again_only_in_another_series(rig: Rig) -> None:
    shop = Shop(rig, on=False)
    save(shop, rule(shop, DEPOSIT, "Offer"), rule(shop, FINAL, "Issue invoice", again=True))
    rig.rule_on(FINAL)
    rig.rule_on(DEPOSIT)
    deal = shop.deal()
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    enters_again(shop, deal)
    assert len(shop.invoices) == 1
