"""Texts with fields in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.template import BadTemplate, fields_in, render


def test_fields_are_shown_in_their_places():
    values = {"deal.name": "Chairs", "deal.cf.12": "A-7"}
    text = render("Order { deal.cf.12 }: {deal.name}!", values.__getitem__)
    assert text == "Order A-7: Chairs!"


def test_a_brace_written_twice_is_a_brace():
    assert render("{{deal.name}} is {deal.name}", lambda key: "X") == "{deal.name} is X"


def test_a_field_may_stand_behind_a_brace():
    assert render("{{{deal.name}}}", lambda key: "X") == "{X}"


def test_the_fields_of_a_template_are_known_before_it_is_used():
    assert fields_in("{deal.name} {{x}} {company.code.ADDRESS.city}") == (
        "deal.name",
        "company.code.ADDRESS.city",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Order {deal.name", "character 7"),
        ("Order deal.name}", "character 16"),
        ("{}", "names no field"),
        ("{lead.name}", "deal, contact, company or product"),
        ("{deal.nam}", "deal.cf.<id>"),
        ("{deal.cf.x}", "deal.cf.<id>"),
        ("{deal.name!r}", "no field"),
    ],
)
def test_unknown_syntax_is_refused_in_words(text, words):
    with pytest.raises(BadTemplate, match=words):
        render(text, lambda key: "X")


@given(st.text())
def test_any_text_can_be_said_by_doubling_its_braces(text):
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert render(doubled, lambda key: "X") == text
    assert fields_in(doubled) == ()
