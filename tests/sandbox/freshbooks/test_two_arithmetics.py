"""The sandbox's totals and the product's were written apart; under one rule they must agree."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.invoice import DraftLine, Tax
from server.core.tax import RoundingRule, total_up
from server.sandbox.freshbooks import FreshbooksSwitches
from server.sandbox.freshbooks.arithmetic import TaxedLine, totals

TAXES = st.sampled_from([("VAT", Decimal("21")), ("GST", Decimal("5")), ("QST", Decimal("9.975"))])

LINES = st.lists(
    st.tuples(
        st.decimals(Decimal("0.25"), Decimal(999), places=2),
        st.decimals(Decimal(0), Decimal(99_999), places=2),
        st.lists(TAXES, max_size=2, unique=True),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("scope", ["line", "group", "invoice"])
@pytest.mark.parametrize("half", ["up", "even"])
@pytest.mark.parametrize(("on", "discount"), [("subtotal", "whole"), ("line", "line")])
@pytest.mark.parametrize(("code", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_both_come_to_the_same_cent(
    scope: Any, half: Any, on: Any, discount: Any, code: str, places: int
) -> None:
    switches = FreshbooksSwitches(
        rounding_scope=scope, rounding_half=half, discount_rounded_on=on, third_decimal="kept"
    )
    rule = RoundingRule(scope, half, discount, places)

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(rows=LINES, percent=st.sampled_from([Decimal(0), Decimal(10), Decimal("33.333")]))
    def agree(rows: list[Any], percent: Decimal) -> None:
        theirs = totals([TaxedLine(q, c, tuple(t)) for q, c, t in rows], percent, code, switches)
        lines = [DraftLine("", "", q, c, tuple(Tax(n, p) for n, p in t)) for q, c, t in rows]
        ours = total_up(lines, percent, code, rule)
        assert (theirs.subtotal, theirs.discount, theirs.tax, theirs.total) == (
            ours.subtotal,
            ours.discount,
            ours.tax,
            ours.total,
        )

    agree()
