"""Rules are put in, taken out and moved; nothing else of the settings changes."""

import pytest

from server.core.rule_changes import moved, ordered, put, slug_for, without
from server.core.settings import validate


def document(*slugs: str) -> dict[str, object]:
    return {"rules": [{"slug": slug, "name": slug} for slug in slugs], "mapping": {"terms": None}}


def slugs(changed: dict[str, object]) -> list[str]:
    assert changed["mapping"] == {"terms": None}
    return [rule["slug"] for rule in changed["rules"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Won deals", "won-deals"),
        ("  Érdekes — üzlet!  ", "erdekes-uzlet"),
        ("Продажи", "rule"),
        ("💶", "rule"),
        ("a" * 300, "a" * 48),
        ("-- --", "rule"),
    ],
)
def test_a_slug_is_made_of_the_name(name: str, slug: str) -> None:
    made = slug_for(name, ())
    assert made == slug
    when = [{"pipeline_id": 1, "stage_id": 1}]
    validate({"rules": [{"slug": made, "name": "x", "when": when}], "mapping": {}})


def test_no_two_rules_have_one_slug() -> None:
    assert slug_for("Won", {"won", "won-2"}) == "won-3"


def test_a_rule_is_put_in_its_own_place_or_at_the_end() -> None:
    before = document("a", "b")
    assert slugs(put(before, {"slug": "c", "name": "C"})) == ["a", "b", "c"]
    changed = put(before, {"slug": "a", "name": "A"})
    assert (slugs(changed), changed["rules"][0]["name"]) == (["a", "b"], "A")
    assert before == document("a", "b")


def test_a_rule_is_taken_out() -> None:
    assert slugs(without(document("a", "b", "c"), "b")) == ["a", "c"]


@pytest.mark.parametrize(
    ("slug", "by", "order"),
    [("b", -1, "bac"), ("b", 1, "acb"), ("a", -1, "abc"), ("c", 1, "abc"), ("a", 9, "bca")],
)
def test_a_rule_moves_up_and_down_as_far_as_it_goes(slug: str, by: int, order: str) -> None:
    assert slugs(moved(document(*"abc"), slug, by)) == list(order)


def test_an_order_may_name_too_little_or_too_much() -> None:
    assert slugs(ordered(document(*"abc"), ["c", "nobody", "a"])) == ["c", "a", "b"]
