"""Products and amounts as lines: what is sent, what is folded, what is refused."""

from decimal import Decimal

import pytest

from server.core.errors import CannotBill
from server.core.invoice import Tax
from tests.core.sales import drafted, product, sale

VAT = {"name": "VAT", "percent": "21"}
BY_FIELD = {
    "fixed": [VAT],
    "field": "product.cf.9",
    "table": {"Standard": [VAT], "None": [], "Both": [VAT, {"name": "Eco", "percent": "1.5"}]},
}


def problems_of(made_from, **parts):
    with pytest.raises(CannotBill) as refused:
        drafted(made_from, **parts)
    return {problem.field: problem.reason for problem in refused.value.problems}


def shapes(draft):
    return [(line.name, str(line.quantity), str(line.unit_cost)) for line in draft.lines]


def test_each_product_is_a_line():
    draft = drafted(sale(product("Chair", "120.5", "2"), product("Table", "400", "1")))
    assert shapes(draft) == [("Chair", "2", "120.50"), ("Table", "1", "400.00")]
    assert draft.total.amount == Decimal("641.00")


def test_a_products_line_takes_its_name_from_the_template():
    lines = {"name": {"text": "{product.cf.4} chair"}}
    draft = drafted(sale(product("Chair", "1", cf_4="Oak")), lines=lines)
    assert shapes(draft) == [("Oak chair", "1", "1.00")]
    unnamed = drafted(
        sale(product("Chair", "1", cf_4="")), lines={"name": {"field": "product.cf.4"}}
    )
    assert unnamed.lines[0].name == "Chair"


def test_two_and_a_half_pieces_are_sent_as_they_are():
    draft = drafted(sale(product("Cloth", "480.30", "2.5")))
    assert shapes(draft) == [("Cloth", "2.5", "480.30")]
    assert draft.total.amount == Decimal("1200.75")


def test_a_deal_without_products_is_one_line_of_its_amount():
    draft = drafted(sale(amount="1200.75"))
    assert shapes(draft) == [("Garden chairs", "1", "1200.75")]


def test_the_line_of_an_amount_takes_its_name_from_the_template():
    lines = {"from": "amount", "name": {"text": "Order {deal.id}"}}
    draft = drafted(sale(product("Chair", "1"), amount="50"), lines=lines)
    assert shapes(draft) == [("Order 5512033", "1", "50.00")]


def test_the_mapping_may_want_products():
    found = problems_of(sale(amount="50"), lines={"from": "products"})
    assert found == {"lines": "The deal has no products."}


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (None, "The deal has no amount."),
        ("0", "The deal has no amount."),
        ("-5", "The deal's amount is negative."),
    ],
)
def test_a_deal_with_nothing_to_bill_is_refused(amount, reason):
    assert problems_of(sale(amount=amount)) == {"lines": reason}


def test_a_product_without_a_price_is_named():
    found = problems_of(sale(product("Chair", None), product("Table", "400")))
    assert found == {"lines.1.price": "“Chair” has no price."}


def test_negative_prices_and_no_quantity_are_refused():
    found = problems_of(sale(product("Chair", "-1"), product("Table", "1", "0")))
    assert found == {
        "lines.1.price": "The price of “Chair” is negative.",
        "lines.2.quantity": "The quantity of “Table” is 0.",
    }


def test_a_free_product_is_billed_beside_others_but_not_alone():
    assert len(drafted(sale(product("Chair", "10"), product("Sample", "0"))).lines) == 2
    assert "nothing to bill" in problems_of(sale(product("Sample", "0")))["lines"]


def test_a_finer_price_is_folded_into_one_piece_if_it_comes_out_even():
    (line,) = drafted(sale(product("Screw", "1.005", "200"))).lines
    assert (line.quantity, str(line.unit_cost)) == (1, "201.00")
    assert line.description == "200 × 1.005"


def test_the_sum_stands_behind_the_description():
    lines = {"description": {"field": "product.cf.4"}}
    screw = product("Screw", "1.005", "200", cf_4="zinc")
    assert drafted(sale(screw), lines=lines).lines[0].description == "zinc (200 × 1.005)"


def test_a_price_that_does_not_come_out_even_is_refused_in_words():
    found = problems_of(sale(product("Screw", "1.005")))
    assert found == {
        "lines.1.price": "“Screw” at 1 × 1.005 EUR does not come out even: "
        "an invoice has 2 decimals."
    }


def test_the_mapping_may_let_such_a_line_be_rounded():
    (line,) = drafted(sale(product("Screw", "1.005")), lines={"extra_decimals": "round"}).lines
    assert (str(line.unit_cost), line.description) == ("1.01", "1 × 1.005")


def test_a_finer_quantity_than_was_ever_sent_is_folded():
    (line,) = drafted(sale(product("Cheese", "8.00", "1.125"))).lines
    assert (line.quantity, str(line.unit_cost)) == (1, "9.00")


def test_yen_have_no_decimals():
    yen = {"currency": "JPY"}
    draft = drafted(sale(product("Tea", "1200", "2"), product("Cup", "10.5", "2"), **yen))
    assert shapes(draft) == [("Tea", "2", "1200"), ("Cup", "1", "21")]
    assert draft.total.same_value(draft.total.rounded())
    found = problems_of(sale(product("Cup", "10.5"), **yen))
    assert found["lines.1.price"].endswith("an invoice has no decimals.")


def test_a_third_decimal_of_dinar_is_refused_unless_the_mapping_rounds():
    dinar = sale(product("Oil", "1.005"), currency="KWD")
    assert "lines.1.price" in problems_of(dinar)
    rounded = drafted(dinar, lines={"extra_decimals": "round"})
    assert rounded.total.amount == Decimal("1.01")


def test_a_third_decimal_that_comes_of_a_tax_is_refused_too():
    dinar = sale(product("Oil", "1.01"), currency="KWD")
    taxes = {"fixed": [{"name": "VAT", "percent": "5"}]}
    assert "third decimal" in problems_of(dinar, taxes=taxes)["currency"]
    draft = drafted(dinar, taxes=taxes, lines={"extra_decimals": "round"})
    assert draft.to_be_confirmed


def test_dinar_that_need_two_decimals_are_billed():
    draft = drafted(sale(product("Oil", "1.250", "2"), currency="KWD"))
    assert shapes(draft) == [("Oil", "2", "1.25")]


def test_a_line_keeps_its_fixed_taxes():
    draft = drafted(sale(product("Chair", "100")), taxes={"fixed": [VAT]})
    assert draft.lines[0].taxes == (Tax("VAT", Decimal(21)),)
    assert draft.total.amount == Decimal("121.00")


@pytest.mark.parametrize(
    ("text", "percents"),
    [
        ("Standard", ["21"]),
        ("standard ", ["21"]),
        ("NONE", []),
        ("Both", ["21", "1.5"]),
        ("", ["21"]),
        ("9%", ["9"]),
        ("7.7", ["7.7"]),
        ("0 %", ["0"]),
        ("100", ["100"]),
    ],
)
def test_a_products_field_chooses_its_taxes_by_the_table(text, percents):
    draft = drafted(sale(product("Chair", "100", cf_9=text)), taxes=BY_FIELD)
    assert [str(tax.percent) for tax in draft.lines[0].taxes] == percents


def test_a_bare_percent_is_named_after_the_fixed_tax_or_just_tax():
    deal = sale(product("Chair", "100", cf_9="9"))
    assert drafted(deal, taxes=BY_FIELD).lines[0].taxes == (Tax("VAT", Decimal(9)),)
    bare = {"field": "product.cf.9"}
    assert drafted(deal, taxes=bare).lines[0].taxes == (Tax("Tax", Decimal(9)),)


def test_a_tax_that_nobody_mapped_is_named_with_its_product():
    deal = sale(product("Table", "1"), product("Chair", "100", cf_9="Reduced"))
    deal = sale(product("Table", "1", cf_9=""), *deal.lines[1:])
    found = problems_of(deal, taxes=BY_FIELD)
    assert found == {
        "lines.2.tax": "The tax “Reduced” of “Chair” is not among the taxes in Billhook's settings."
    }


@pytest.mark.parametrize("text", ["-3", "101", "1e1e1"])
def test_what_is_no_percent_is_no_tax(text):
    assert "lines.1.tax" in problems_of(sale(product("Chair", "1", cf_9=text)), taxes=BY_FIELD)


def test_three_taxes_or_a_fourth_decimal_are_refused():
    three = {"fixed": [VAT, {**VAT, "percent": "9"}, {**VAT, "percent": "5"}]}
    assert "has 3 taxes" in problems_of(sale(product("Chair", "1")), taxes=three)["lines.1.tax"]
    fine = {"fixed": [{"name": "GST", "percent": "9.9755"}]}
    assert "too many" in problems_of(sale(product("Chair", "1")), taxes=fine)["lines.1.tax"]
    exact = {"fixed": [{"name": "GST", "percent": "9.975"}]}
    assert drafted(sale(product("Chair", "1")), taxes=exact).lines[0].taxes[0].name == "GST"


def test_one_tax_twice_on_a_line_is_refused():
    found = problems_of(sale(product("Chair", "1")), taxes={"fixed": [VAT, VAT]})
    assert found == {"lines.1.tax": "“Chair” has the tax VAT 21 % twice."}


def test_a_tax_field_that_is_gone_is_said_once_for_all_lines():
    deal = sale(product("Chair", "1"), product("Table", "2"))
    found = problems_of(deal, taxes={"field": "product.cf.9"})
    assert found == {"taxes.field": "The field product.cf.9 does not exist any more in Kommo."}


def test_a_line_of_the_amount_has_the_fixed_taxes():
    draft = drafted(sale(amount="100"), taxes=BY_FIELD)
    assert draft.total.amount == Decimal("121.00")


def test_the_invoices_description_stands_on_its_first_line():
    draft = drafted(
        sale(product("Chair", "1"), product("Table", "2")),
        description={"text": "Spring order"},
        lines={"description": {"text": "solid"}},
    )
    assert [line.description for line in draft.lines] == ["Spring order\nsolid", "solid"]


def test_an_article_number_stands_in_front_of_the_description():
    lines = {"sku": {"field": "product.cf.5"}, "description": {"field": "product.cf.6"}}
    both = drafted(sale(product("Chair", "1", cf_5="CH-1", cf_6="Oak")), lines=lines)
    assert both.lines[0].description == "CH-1 · Oak"
    alone = drafted(sale(product("Chair", "1", cf_5="CH-1", cf_6="")), lines=lines)
    assert alone.lines[0].description == "CH-1"


def test_the_price_may_be_a_field_of_the_product():
    lines = {"price": {"field": "product.cf.5"}}
    made_from = sale(product("Chair", "120", "2", cf_5="99.50"))
    assert shapes(drafted(made_from, lines=lines)) == [("Chair", "2", "99.50")]


def test_a_price_field_that_is_empty_is_not_replaced_in_silence():
    made_from = sale(product("Chair", "120", cf_5=""))
    found = problems_of(made_from, lines={"price": {"field": "product.cf.5"}})
    assert found == {"lines.1.price": "“Chair” has no price."}
    chosen = {"price": {"field": "product.cf.5", "or": {"field": "product.price"}}}
    assert shapes(drafted(made_from, lines=chosen)) == [("Chair", "1", "120.00")]


def test_a_price_that_is_no_number_is_shown():
    made_from = sale(product("Chair", "120", cf_5="on request"))
    found = problems_of(made_from, lines={"price": {"field": "product.cf.5"}})
    assert found == {"lines.1.price": "The price “on request” of “Chair” is no number."}
