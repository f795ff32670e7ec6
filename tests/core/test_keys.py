"""References and keys: the same thing is recognised as the same again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import Problem
from server.core.keys import client_key, digest, folded, problems_fingerprint, reference

parts = st.text(alphabet="abc:1", min_size=1, max_size=6)


def test_a_reference_is_short_and_says_whose_it_is():
    mark = reference("kommo:7039099", "kommo", "5512033", "invoice", 0)
    assert mark.startswith("BH")
    assert len(mark) == 12
    assert mark == reference("kommo:7039099", "kommo", "5512033", "invoice", 0)


@given(st.tuples(parts, parts, parts, parts), st.tuples(parts, parts, parts, parts))
def test_two_sales_never_share_a_reference(one, other):
    assert (reference(*one, 0) == reference(*other, 0)) == (one == other)


def test_each_sequence_has_its_own_reference():
    marks = {reference("kommo:1", "kommo", "2", "invoice", sequence) for sequence in range(50)}
    assert len(marks) == 50


def test_one_person_written_in_two_ways_is_one_client():
    composed, decomposed = "Jos\u00e9@Acme.test", " jose\u0301@acme.TEST "
    assert client_key(email=composed) == client_key(email=decomposed)


@pytest.mark.parametrize("vat", ["LT 100-200 300", "lt100200300", "LT.100.200.300"])
def test_a_vat_id_is_the_same_with_or_without_its_signs(vat):
    assert client_key(vat_id=vat) == "vat:lt100200300"


def test_a_client_is_known_by_e_mail_then_vat_then_the_vendors_ids():
    every = {"email": "a@b.test", "vat_id": "LT1", "company_id": "7", "contact_id": "8"}
    order = []
    while every:
        order.append(client_key(**every).partition(":")[0])
        every.pop(next(iter(every)))
    assert order == ["email", "vat", "company", "contact"]


def test_a_client_without_any_mark_has_no_key():
    with pytest.raises(ValueError, match="without any mark"):
        client_key()


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=2))
def test_a_digest_does_not_depend_on_the_order_of_keys(content):
    backwards = dict(reversed(list(content.items())))
    assert digest(content) == digest(backwards)


def test_the_same_problems_in_another_order_are_one_fingerprint():
    one, two = Problem("a", "This.", "Do."), Problem("b", "That.", "Do.")
    assert problems_fingerprint([one, two]) == problems_fingerprint([two, one])
    assert problems_fingerprint([one]) != problems_fingerprint([two])
