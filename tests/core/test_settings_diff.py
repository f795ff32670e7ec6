"""What differs between two documents is all of it, nothing else, and enough to make one of both."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given

from server.core.settings import Rule, SettingsDocument, Source, default_settings, validate
from server.core.settings_diff import Difference, differences
from tests.core.settings_documents import documents

WHEN = [{"pipeline_id": 1, "stage_id": 2}]


def document(*slugs: str, mapping: dict[str, Any] | None = None, **fields: Any) -> SettingsDocument:
    """With rules of these slugs; ``fields`` are those of each."""
    rules = [{"slug": slug, "name": slug.title(), "when": WHEN, **fields} for slug in slugs]
    return validate({"rules": rules, "mapping": mapping or {}})


def told(before: SettingsDocument, after: SettingsDocument) -> list[tuple[str, str]]:
    return [(one.kind, ".".join(one.path)) for one in differences(before, after)]


def test_a_value_of_a_rule_differs_under_the_rules_slug() -> None:
    [found] = differences(document("won"), document("won", action="email"))
    assert found == Difference(("rules", "won", "action"), "changed", "draft", "email", "Won")


def test_a_value_of_the_mapping_differs_under_the_documents_own_keys() -> None:
    after = document(mapping={"notes": {"text": "Order {deal.name}"}, "lines": {"from": "amount"}})
    notes, lines = differences(document(), after)
    assert (notes.path, notes.before) == (("mapping", "notes"), None)
    assert notes.after == Source(text="Order {deal.name}")
    assert lines.path == ("mapping", "lines", "from")


def test_a_rule_that_came_or_went_is_told_whole() -> None:
    gone, new = differences(document("won", "paid"), document("sent", "paid"))
    assert (gone.kind, gone.before.slug, gone.after) == ("removed", "won", None)
    assert (new.kind, new.before, new.after.slug, new.place) == ("added", None, "sent", 1)


def test_a_rule_that_was_renamed_is_the_same_rule() -> None:
    assert told(document("won"), document("won", name="Sold")) == [("changed", "rules.won.name")]


def test_one_rule_that_moved_moves_no_other() -> None:
    before, after = document("a", "b", "c", "d"), document("d", "a", "b", "c")
    [found] = differences(before, after)
    assert (found.kind, found.path[1], found.before, found.after) == ("moved", "d", 4, 1)


def test_rules_that_make_room_have_not_moved() -> None:
    assert told(document("a", "b"), document("new", "b")) == [
        ("removed", "rules.a"),
        ("added", "rules.new"),
    ]


def test_an_entry_of_the_tax_table_differs_by_itself() -> None:
    vat, field = [{"name": "VAT", "percent": "21"}], "product.cf.9"
    before = document(mapping={"taxes": {"field": field, "table": {"A": vat, "B": []}}})
    after = document(mapping={"taxes": {"field": field, "table": {"A": vat, "C": []}}})
    gone, new = differences(before, after)
    assert (gone.path, gone.before, gone.after) == (("mapping", "taxes", "table", "B"), (), None)
    assert (new.path, new.before, new.after) == (("mapping", "taxes", "table", "C"), None, ())


def test_a_source_is_one_value() -> None:
    before = document(mapping={"notes": {"field": "deal.name"}})
    after = document(mapping={"notes": {"field": "deal.name", "or": {"text": "None"}}})
    assert told(before, after) == [("changed", "mapping.notes")]


@given(documents)
def test_a_document_does_not_differ_from_itself(one: SettingsDocument) -> None:
    assert differences(one, validate_again(one)) == []


@given(documents, documents)
def test_nothing_differs_if_and_only_if_both_are_equal(
    one: SettingsDocument, other: SettingsDocument
) -> None:
    assert (differences(one, other) == []) == (one == other)


@given(documents, documents)
def test_the_differences_make_the_one_document_into_the_other(
    one: SettingsDocument, other: SettingsDocument
) -> None:
    assert applied(one, differences(one, other)) == other


@given(documents, documents)
def test_what_differs_there_differs_back(one: SettingsDocument, other: SettingsDocument) -> None:
    """Which of two rules changed places is a choice, so moves are left aside."""
    there, back = differences(one, other), differences(other, one)
    assert sorted(f.path for f in back if f.kind != "moved") == sorted(
        f.path for f in there if f.kind != "moved"
    )


def test_very_many_rules_are_compared_at_once() -> None:
    slugs = [f"r{n}" for n in range(3000)]
    found = differences(document(*slugs), document(*reversed(slugs)))
    assert len(found) == 2999


def test_the_default_has_no_rule_to_differ_in() -> None:
    default = default_settings()
    [new] = differences(default, default_settings([(1, 2)]))
    assert isinstance(new.after, Rule)


def validate_again(one: SettingsDocument) -> SettingsDocument:
    return SettingsDocument.model_validate(one.to_json())


def applied(before: SettingsDocument, found: Sequence[Difference]) -> SettingsDocument:
    """``before`` with these differences, from nothing but them."""
    data = before.to_json()
    rules = {rule["slug"]: rule for rule in data["rules"]}
    placed: dict[int, str] = {}
    for one in found:
        match one.kind:
            case "removed":
                del rules[one.path[1]]
            case "added":
                rules[one.path[1]] = _json(one.after)
                placed[one.place] = one.path[1]
            case "moved":
                placed[one.after] = one.path[1]
            case "changed" if one.path[0] == "rules":
                rules[one.path[1]][one.path[2]] = _json(one.after)
            case "changed":
                _put(data, one)
    rest = iter([slug for slug in rules if slug not in placed.values()])
    order = [placed.get(place) or next(rest) for place in range(1, len(rules) + 1)]
    return SettingsDocument.model_validate({**data, "rules": [rules[slug] for slug in order]})


def _put(data: dict[str, Any], one: Difference) -> None:
    place = data
    for key in one.path[:-1]:
        place = place[key]
    if one.path[:-1] == ("mapping", "taxes", "table") and one.after is None:
        del place[one.path[-1]]
    else:
        place[one.path[-1]] = _json(one.after)


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else value
