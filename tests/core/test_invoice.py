"""A frozen draft comes back as it was, and has one digest."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given

from server.core.invoice import DraftClient, DraftLine, InvoiceDraft, Totals
from server.core.keys import digest
from tests.core.strategies import drafts


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_float(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_float(item) for item in value)
    return isinstance(value, float)


@given(drafts())
def test_a_draft_comes_back_from_json_to_the_digit(draft):
    frozen = json.loads(json.dumps(draft.to_json()))
    again = InvoiceDraft.from_json(frozen)
    assert again == draft
    assert [str(line.unit_cost) for line in again.lines] == [
        str(line.unit_cost) for line in draft.lines
    ]
    assert digest(again.to_json()) == digest(draft.to_json())
    assert not _has_float(frozen)


@given(drafts())
def test_a_cent_more_is_another_draft(draft):
    first, *rest = draft.lines
    dearer = replace(first, unit_cost=first.unit_cost + Decimal("0.01"))
    another = replace(draft, lines=(dearer, *rest))
    assert digest(another.to_json()) != digest(draft.to_json())


def test_a_float_is_never_frozen():
    line = DraftLine("Chair", "", Decimal(1), 120.5)  # type: ignore[arg-type]
    sums = Totals(Decimal(1), Decimal(0), Decimal(0), Decimal(1))
    draft = InvoiceDraft("EUR", DraftClient("email:a@b.test"), (line,), sums)
    with pytest.raises(TypeError, match="never a float"):
        draft.to_json()
