"""Sentences that know what they were made of."""

import copy
import json
import pickle
from decimal import Decimal

from server.core.errors import CannotBill, NotOurs, Problem
from server.core.money import Money
from server.core.said import Said, from_json, joined, say, to_json

NO_PRICE = say("“%(name)s” has no price.", name="Chair")
FILL_IN = say("Fill in the product's price in %(where)s.", where="Kommo")


def test_a_sentence_is_its_english_text() -> None:
    assert NO_PRICE == "“Chair” has no price."
    assert {NO_PRICE: 1}["“Chair” has no price."] == 1
    assert f"{NO_PRICE} {FILL_IN}" == "“Chair” has no price. Fill in the product's price in Kommo."


def test_it_keeps_its_template_and_facts() -> None:
    assert NO_PRICE.template == "“%(name)s” has no price."
    assert NO_PRICE.facts == {"name": "Chair"}


def test_what_is_no_text_is_written_as_it_prints() -> None:
    told = say("%(percent)s %% of %(count)s", percent=Decimal("2.50"), count=3)
    assert told == "2.50 % of 3"
    assert told.facts == {"percent": "2.50", "count": "3"}


def test_a_percent_sign_or_a_template_among_the_facts_is_left_alone() -> None:
    assert say("“%(name)s” is off.", name="100 %(rule)s %") == "“100 %(rule)s %” is off."


def test_a_fact_may_be_a_sentence() -> None:
    told = say("Only if %(wanted)s.", wanted=say("%(field)s is filled", field="deal.price"))
    assert told == "Only if deal.price is filled."
    assert isinstance(told.facts["wanted"], Said)


def test_a_copy_a_pickle_and_json_are_its_text() -> None:
    text = "“Chair” has no price."
    for made in (
        copy.copy(NO_PRICE),
        copy.deepcopy(NO_PRICE),
        pickle.loads(pickle.dumps(NO_PRICE)),  # noqa: S301
    ):
        assert (type(made), made) == (str, text)
    assert json.loads(json.dumps({"said": NO_PRICE})) == {"said": text}


def test_sentences_in_a_row_are_still_known_each() -> None:
    both = joined([NO_PRICE, FILL_IN, "And 5 %."], " % ")
    assert both == f"{NO_PRICE} % {FILL_IN} % And 5 %."
    assert isinstance(both, Said)
    assert list(both.facts.values()) == [NO_PRICE, FILL_IN, "And 5 %."]
    assert joined([NO_PRICE]) is NO_PRICE
    assert type(joined(["One.", "Two."])) is str
    assert joined([]) == ""


def test_it_goes_through_json_with_all_that_it_keeps() -> None:
    paid = say("%(sum)s of %(text)s", sum=Money(Decimal("12.50"), "EUR"), text="12.50 EUR")
    assert paid == "12.50 EUR of 12.50 EUR"
    for told in (joined([NO_PRICE, say("Only %(what)s.", what=FILL_IN)]), NO_PRICE, paid, "plain"):
        again = from_json(json.loads(json.dumps(to_json(told))))
        assert again == told
        assert getattr(again, "facts", {}) == getattr(told, "facts", {})
        assert to_json(again) == to_json(told)


def test_a_problem_goes_through_json_with_its_templates() -> None:
    problem = Problem("lines.1.price", NO_PRICE, FILL_IN)
    body = json.loads(json.dumps(problem.to_json()))
    assert {name: body[name] for name in ("field", "reason", "todo")} == vars(problem)
    again = Problem.from_json(body)
    assert again == problem
    assert isinstance(again.reason, Said)
    assert isinstance(again.todo, Said)


def test_a_problem_that_was_kept_without_templates_is_read() -> None:
    body = {"field": "client", "reason": "Gone.", "todo": ""}
    assert Problem.from_json(body) == Problem("client", "Gone.", "")


def test_an_outcome_says_what_it_was_given() -> None:
    problem = Problem("lines.1.price", NO_PRICE, FILL_IN)
    refused = CannotBill([problem, Problem("client", "Gone.", "")])
    assert refused.said == str(refused) == f"{NO_PRICE} {FILL_IN}; Gone."
    assert isinstance(refused.said, Said)
    assert NotOurs(NO_PRICE).said is NO_PRICE
