"""Every value that can differ has a name, and so has every choice of it."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from flask import Flask
from pydantic import BaseModel

from server.core.settings import Discount, Mapping, Rule, validate
from server.core.settings_diff import differences
from server.core.vendor_lists import Lists
from server.web import difference_labels, languages
from server.web.difference_words import NOTHING, Line, Words
from tests.web.test_history import document


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    languages.install(app)
    return app


def values(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, type) of everything in a model that differs by itself."""
    for name, info in model.model_fields.items():
        here = f"{path}{info.alias or name}"
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and inner.__name__ != "Source":
            yield from values(inner, f"{here}.")
        else:
            yield here, inner


def test_every_value_has_a_name(app: Flask) -> None:
    with app.test_request_context():
        of_rules, of_mapping = difference_labels.of_rules(), difference_labels.of_mapping()
    assert {path for path, _type in values(Rule)} - {"slug"} == set(of_rules)
    discount = {f"discount.{name}" for name in Discount.model_fields}
    assert {path for path, _type in values(Mapping)} | discount == set(of_mapping)


def test_every_choice_has_a_name(app: Flask) -> None:
    with app.test_request_context():
        choices = difference_labels.choices()
    found = {
        path: set(get_args(kind))
        for path, kind in [*values(Rule), *values(Mapping), *values(Discount, "discount.")]
        if get_origin(kind) is Literal
    }
    assert {path: set(words) for path, words in choices.items()} == found


def lines(app: Flask, before: dict[str, Any], after: dict[str, Any]) -> list[Line]:
    with app.test_request_context():
        return Words(Lists()).lines(differences(validate(before), validate(after)))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            {"terms": {"text": ""}},
            {"terms": {"field": "deal.cf.7", "or": {"text": "30 days"}}},
            Line("Terms", "“”", "deal.cf.7, else “30 days”"),
        ),
        (
            {},
            {"discount": {"kind": "percent", "value": {"text": "5"}}},
            Line("Discount", NOTHING, "percent, “5”"),
        ),
        (
            {"taxes": {"field": "product.cf.9", "table": {}}},
            {"taxes": {"field": "product.cf.9", "table": {"None": []}}},
            Line("Taxes where the field says “None”", NOTHING, "no tax"),
        ),
        (
            {"taxes": {"fixed": [{"name": "VAT", "percent": "21.50"}]}},
            {"taxes": {"fixed": [{"name": "VAT", "percent": "100"}]}},
            Line("Taxes where the field is empty", "VAT 21.5 %", "VAT 100 %"),
        ),
        (
            {},
            {"lines": {"from": "amount", "catalogs": [12]}},
            Line(
                "Lines are made from",
                "its products, or its amount where it has none",
                "the deal's amount",
            ),
        ),
        (
            {},
            {"write_back": {"link": None}},
            Line("Field of the deal for the invoice's link", "“BILLHOOK_LINK”", NOTHING),
        ),
        (
            {},
            {"numbering": {"digits": 4}},
            Line("Invoice numbers: digits", "6", "4"),
        ),
        (
            {},
            {"notes": {"text": "x" * 9000}},
            Line("Notes", NOTHING, "“" + "x" * 1998 + "…"),
        ),
    ],
)
def test_a_value_reads_as_a_person_says_it(
    app: Flask, before: dict[str, Any], after: dict[str, Any], told: Line
) -> None:
    assert told in lines(app, document(**before), document(**after))


def test_a_rule_reads_as_a_person_says_it(app: Flask) -> None:
    before, after = document("a", "b", "c"), document("c", "a", "b")
    conditions = [
        {"field": "deal.price", "is": "greater", "value": "5"},
        {"field": "deal.cf.7", "is": "in", "value": ["x", "y"]},
        {"field": "company.name", "is": "filled"},
    ]
    after["rules"][1] |= {"still_in_stage": True, "conditions": conditions}
    assert lines(app, before, after) == [
        Line("Rule “c deals”", "", "moved from place 3 to 1"),
        Line(
            "Rule “a deals”, conditions",
            NOTHING,
            "Deal: Amount is more than 5; deal.cf.7 is one of “x”, “y”; Company: Name is filled",
        ),
        Line("Rule “a deals”, only while the deal is still in the stage", "no", "yes"),
    ]
