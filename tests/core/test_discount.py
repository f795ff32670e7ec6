"""A fixed discount shared out over lines and taxes, to the cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.discount import allocate, share_out
from server.core.errors import CannotBill
from server.core.invoice import Tax
from server.core.lines import Item
from tests.core import strategies
from tests.core.sales import drafted, product, sale

VAT = {"name": "VAT", "percent": "21"}
weights = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)


def problems_of(made_from, **parts):
    with pytest.raises(CannotBill) as refused:
        drafted(made_from, **parts)
    return {problem.field: problem.reason for problem in refused.value.problems}


def discount(kind, text, note=None):
    parts = {"kind": kind, "value": {"text": text}}
    return parts if note is None else {**parts, "description": {"text": note}}


@given(weights, st.data())
def test_shares_add_up_and_none_is_larger_than_its_weight(parts, data):
    units = data.draw(st.integers(0, sum(parts)))
    shares = share_out(units, parts)
    assert sum(shares) == units
    assert all(0 <= share <= part for share, part in zip(shares, parts, strict=True))


@given(weights, st.data())
def test_a_share_is_never_a_whole_unit_off_its_due(parts, data):
    units = data.draw(st.integers(0, sum(parts)))
    for share, part in zip(share_out(units, parts), parts, strict=True):
        assert abs(share * sum(parts) - units * part) < max(1, sum(parts))


def test_the_largest_remainder_takes_the_odd_cent():
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10, [5, 11, 4]) == [3, 5, 2]  # 2.5, 5.5, 2: the first of equals
    assert share_out(0, [0, 0]) == [0, 0]


def item(amount: Decimal, taxes: tuple[Tax, ...]) -> Item:
    return Item("lines.1", "Thing", "", Decimal(1), amount, taxes)


items = st.lists(st.builds(item, strategies.prices, strategies.taxes), min_size=1, max_size=8)


@given(items, st.data())
def test_an_amount_is_shared_out_to_the_cent_and_fairly_between_taxes(rows, data):
    whole = sum((row.amount for row in rows), Decimal(0))
    amount = data.draw(st.integers(0, int(whole * 100))) / Decimal(100)
    shares = allocate(amount, rows, 2)
    assert sum(shares) == amount
    assert all(0 <= share <= row.amount for share, row in zip(shares, rows, strict=True))
    for taxes in {row.taxes for row in rows}:
        group = [at for at, row in enumerate(rows) if row.taxes == taxes]
        got = sum(shares[at] for at in group)
        due = amount * sum(rows[at].amount for at in group) / (whole or 1)
        assert abs(got - due) < Decimal("0.0101")


def test_a_percent_is_the_drafts_own():
    draft = drafted(
        sale(product("Chair", "100", "2")), discount=discount("percent", "10%", "Loyal")
    )
    assert draft.discount_percent == 10
    assert draft.discount_description == "Loyal"
    assert (draft.totals.discount, draft.totals.total) == (Decimal("20.00"), Decimal("180.00"))
    assert draft.lines[0].quantity == 2


def test_an_amount_is_written_into_the_lines():
    draft = drafted(
        sale(product("Chair", "40", "3"), product("Table", "80")),
        discount=discount("amount", "10", "Loyal"),
        lines={"description": {"text": "oak"}},
    )
    assert draft.discount_percent == 0
    assert [
        (line.description, str(line.quantity), str(line.unit_cost)) for line in draft.lines
    ] == [
        ("oak (3 × 40.00 less 6.00 Loyal)", "1", "114.00"),
        ("oak (1 × 80.00 less 4.00 Loyal)", "1", "76.00"),
    ]
    assert draft.discount_description == ""


def test_each_tax_gets_its_part_of_the_discount():
    taxes = {"field": "product.cf.9", "table": {"Standard": [VAT], "None": []}}
    draft = drafted(
        sale(product("Chair", "100", cf_9="Standard"), product("Book", "300", cf_9="None")),
        discount=discount("amount", "40"),
        taxes=taxes,
    )
    assert [str(line.unit_cost) for line in draft.lines] == ["90.00", "270.00"]
    assert draft.totals.tax == Decimal("18.90")


def test_a_line_that_nothing_comes_off_stays_as_it_was():
    draft = drafted(
        sale(product("Chair", "100", "2"), product("Sample", "0", "3")),
        discount=discount("amount", "10"),
    )
    assert (draft.lines[1].quantity, draft.lines[1].description) == (3, "")


def test_a_folded_line_says_both():
    draft = drafted(sale(product("Screw", "1.005", "200")), discount=discount("amount", "1"))
    assert draft.lines[0].description == "200 × 1.005 less 1.00"
    assert draft.total.amount == Decimal("200.00")


def test_an_empty_discount_field_is_no_discount():
    deal = sale(product("Chair", "100"), fields={"deal.cf.7": ""})
    draft = drafted(deal, discount={"kind": "percent", "value": {"field": "deal.cf.7"}})
    assert (draft.discount_percent, draft.total.amount) == (0, Decimal("100.00"))


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("percent", "a bit", "no percent"),
        ("percent", "-1", "no percent"),
        ("percent", "100.5", "no percent"),
        ("percent", "33.333", "too many decimals"),
        ("percent", "100", "nothing to bill"),
        ("amount", "a bit", "no amount of money"),
        ("amount", "-1", "no amount of money"),
        ("amount", "1.005", "too many decimals"),
        ("amount", "100.01", "leaves nothing of 100.00 EUR to bill"),
        ("amount", "100", "leaves nothing"),
    ],
)
def test_a_discount_that_cannot_be_given_is_refused(kind, text, words):
    found = problems_of(sale(product("Chair", "100")), discount=discount(kind, text))
    assert words in found["discount.value"]


def test_a_percent_that_rounds_the_whole_away_is_refused():
    found = problems_of(sale(product("Pin", "0.01")), discount=discount("percent", "50"))
    assert found == {"discount.value": "The discount leaves nothing to bill."}


def test_a_missing_price_does_not_make_a_discount_look_too_large():
    deal = sale(product("Chair", None), product("Table", "10"))
    assert list(problems_of(deal, discount=discount("amount", "50"))) == ["lines.1.price"]
