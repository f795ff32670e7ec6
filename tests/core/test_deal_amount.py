"""What happens when the deal's amount is not what its products come to."""

from decimal import Decimal

import pytest

from server.core.errors import CannotBill, Problem
from tests.core.sales import drafted, product, sale

CHAIRS = product("Chair", "40", "3")
TABLE = product("Table", "80")


def adjusted(*lines, amount, **parts):
    return drafted(sale(*lines, amount=amount), lines={"when_amount_differs": "adjust"}, **parts)


def test_equal_amounts_are_billed():
    assert drafted(sale(CHAIRS, TABLE, amount="200")).total.amount == 200


def test_another_amount_is_refused_with_both_figures():
    with pytest.raises(CannotBill) as refused:
        drafted(sale(CHAIRS, TABLE, amount="210.5"))
    (problem,) = refused.value.problems
    assert problem.field == "lines.when_amount_differs"
    assert problem.reason == (
        "The deal's amount is 210.50 EUR, but its products come to 200.00 EUR."
    )


def test_a_cent_is_a_difference():
    with pytest.raises(CannotBill):
        drafted(sale(CHAIRS, amount="120.01"))


def test_the_mapping_may_ignore_the_deals_amount():
    draft = drafted(sale(CHAIRS, amount="999"), lines={"when_amount_differs": "ignore"})
    assert draft.total.amount == Decimal("120.00")


@pytest.mark.parametrize("amount", [None, "0"])
def test_an_amount_that_nobody_filled_in_is_no_difference(amount):
    assert drafted(sale(CHAIRS, amount=amount)).total.amount == Decimal("120.00")


def test_the_amount_is_compared_before_tax_and_discount():
    draft = drafted(
        sale(CHAIRS, amount="120"),
        taxes={"fixed": [{"name": "VAT", "percent": "21"}]},
        discount={"kind": "percent", "value": {"text": "10"}},
    )
    assert draft.total.amount == Decimal("130.68")


def test_a_higher_amount_adds_a_line():
    draft = adjusted(CHAIRS, TABLE, amount="210.50")
    assert [(line.name, str(line.unit_cost)) for line in draft.lines] == [
        ("Chair", "40.00"),
        ("Table", "80.00"),
        ("Adjustment", "10.50"),
    ]
    assert draft.total.amount == Decimal("210.50")


def test_the_added_line_is_taxed_as_the_others():
    draft = adjusted(CHAIRS, amount="220", taxes={"fixed": [{"name": "VAT", "percent": "10"}]})
    assert draft.total.amount == Decimal("242.00")


def test_a_difference_between_two_taxes_is_refused():
    taxes = {"field": "product.cf.9"}
    with pytest.raises(CannotBill, match="taxed differently"):
        adjusted(
            product("Chair", "10", cf_9="21"),
            product("Book", "10", cf_9="9"),
            amount="30",
            taxes=taxes,
        )


def test_a_lower_amount_comes_off_the_lines():
    draft = adjusted(CHAIRS, TABLE, amount="150")
    assert [line.description for line in draft.lines] == [
        "3 × 40.00 less 30.00",
        "1 × 80.00 less 20.00",
    ]
    assert draft.total.amount == Decimal("150.00")


def test_a_mapped_amount_off_comes_on_top():
    draft = adjusted(CHAIRS, amount="100", discount={"kind": "amount", "value": {"text": "10"}})
    assert draft.total.amount == Decimal("90.00")


def test_half_cents_of_lines_are_made_even_with_the_deals_amount():
    cloth = product("Cloth", "1.01", "2.5")  # 2.525, billed as 2.53
    draft = adjusted(cloth, cloth, amount="5.05")
    assert draft.total.amount == Decimal("5.05")
    assert not draft.to_be_confirmed


def test_a_negative_amount_is_refused():
    with pytest.raises(CannotBill, match=r"-5\.00 EUR"):
        adjusted(CHAIRS, amount="-5")


def test_a_missing_price_does_not_make_the_amounts_look_different():
    with pytest.raises(CannotBill) as refused:
        drafted(sale(CHAIRS, product("Table", None), amount="200"))
    assert [problem.field for problem in refused.value.problems] == ["lines.2.price"]


def test_a_deleted_product_does_not_make_the_amounts_look_different():
    gone = Problem("product", "The deal's product was deleted.", "Choose it again.")
    with pytest.raises(CannotBill) as refused:
        drafted(sale(CHAIRS, amount="200", problems=(gone,)))
    assert refused.value.problems == (gone,)
