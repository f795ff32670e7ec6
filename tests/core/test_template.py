"""Texts with fields in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.template import BadTemplate, fields_in, render


def test_fields_are_shown_in_their_places():
    values = {"deal.name": "Chairs", "deal.cf.12": "A-7"}
    text = render("Order { deal.cf.12 }: {deal.name}!", values.__getitem__)
    assert text == "Order A-7: Chairs!"


def test_the_fields_of_a_template_are_known_before_it_is_used():
    assert fields_in("{deal.name} x {company.code.ADDRESS.city}") == (
        "deal.name",
        "company.code.ADDRESS.city",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Order {deal.name", "“{deal.name” has a brace without its other half"),
        ("Order deal.name}", "“Order deal.name}” has a brace without its other half"),
        ("{a\nb", "“{a” has a brace"),
        ("{{deal.name}}", "one brace on each side: write {deal.name}"),
        ("{ {deal.name} }", "without its other half"),
        ("{deal.name}}", "one brace on each side"),
        ("{{lead.name}}", "deal, contact, company or product"),
        ("{{}}", "names no field"),
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


@given(st.text("ab. {}", max_size=12))
def test_a_text_shows_no_brace_that_somebody_wrote(text):
    try:
        shown = render(text, lambda key: "X")
    except BadTemplate:
        shown = ""
    assert not {"{", "}"} & set(shown)
