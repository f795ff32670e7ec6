"""What would have been billed is summed up; what not is grouped, and the groups stay few."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from server.core.rules import Entry, StageOrder
from server.core.what_if import FIRST, NAMED, REASONS, Tally
from tests.core.sales import mapping, product, rule, sale

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STAGES = StageOrder({3001: [10, 20, 142, 143]}, won=frozenset({142}), lost=frozenset({143}))
ENTERED = Entry(3001, 20, NOW, 1)


def take(tally: Tally, number: int, price: str | None = "10.00") -> None:
    deal = sale(product("Chair", price), source_id=str(number), title=f"Deal {number}")
    tally.take(deal, ENTERED, rule(), mapping(lines={"when_amount_differs": "ignore"}), STAGES)


def test_only_the_first_deals_are_named_and_all_are_counted() -> None:
    tally = Tally()
    for number in range(1, FIRST + 6):
        take(tally, number)
    assert (tally.count, len(tally.first)) == (FIRST + 5, FIRST)
    assert tally.sums == {"EUR": Decimal("10.00") * (FIRST + 5)}


def test_deals_of_one_reason_are_one_group_that_names_the_first() -> None:
    tally = Tally()
    for number in range(1, NAMED + 6):
        take(tally, number, price=None)
    (group,) = tally.groups
    assert (group.kind, group.count, len(group.deals)) == ("problem", NAMED + 5, NAMED)
    assert group.reason == "“Chair” has no price. Fill in the product's price in Kommo."
    assert (tally.deals, tally.count) == (NAMED + 5, 0)


def test_many_reasons_end_in_one_rest() -> None:
    tally = Tally()
    for number in range(REASONS + 10):
        tally.leave("rule", f"Reason {number}.", number)
    assert len(tally.groups) == REASONS + 1
    assert (tally.groups[-1].reason, tally.groups[-1].count) == ("Other reasons.", 10)
    assert sum(group.count for group in tally.groups) == tally.deals


def test_it_comes_back_from_json_to_the_digit() -> None:
    tally = Tally()
    take(tally, 1, "10.05")
    take(tally, 2, price=None)
    tally.leave("deleted", "The deal was deleted since.", 3)
    stored = json.loads(json.dumps(tally.to_json()))
    assert Tally.from_json(stored) == tally
