"""The settings document: strict, with every error at its path."""

import json
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.settings import (
    InvalidSettings,
    SettingsDocument,
    default_settings,
    json_schema,
    validate,
)

TRIGGER = {"pipeline_id": 3001, "stage_id": 142}
OR_MINUS = {"field": "deal.cf.1", "or": {"text": "-5"}}
FULL = {
    "version": 1,
    "rules": [
        {
            "slug": "won",
            "name": "Won deals",
            "when": [TRIGGER, {"pipeline_id": 3002, "stage_id": 142}],
            "match": "any",
            "conditions": [
                {"field": "deal.cf.12", "is": "equals", "value": "x"},
                {"field": "deal.cf.12", "is": "in", "value": ["x", 5]},
                {"field": "deal.price", "is": "greater", "value": 100.5},
                {"field": "company.name", "is": "filled"},
            ],
            "still_in_stage": True,
            "action": "email",
        }
    ],
    "mapping": {
        "currency": {"field": "deal.cf.55"},
        "notes": {"text": "Order {deal.name}", "or": {"text": "No name"}},
        "discount": {
            "kind": "percent",
            "value": {"field": "deal.cf.7"},
            "description": {"text": "Discount"},
        },
        "due_days": {"text": 14},
        "lines": {
            "from": "products",
            "name": {"field": "product.name"},
            "description": {"field": "product.code.SKU"},
            "when_amount_differs": "adjust",
        },
        "taxes": {
            "fixed": [{"name": "VAT", "percent": 21.5}],
            "field": "product.cf.9",
            "table": {"Standard": [{"name": "VAT", "percent": "21"}], "None": []},
        },
        "client": {"match_by": "vat", "vat_number": {"field": "company.cf.3"}, "phone": None},
        "write_back": {"link": "MY_LINK", "amount": None},
        "numbering": {"kind": "sequence", "prefix": "INV-", "next": 7, "digits": 5},
    },
}


def errors_of(data: object) -> dict[str, str]:
    with pytest.raises(InvalidSettings) as raised:
        validate(data)
    return dict(raised.value.errors)


def taken_or_refused(
    data: object,
) -> tuple[SettingsDocument | None, Sequence[tuple[str, str]]]:
    try:
        return validate(data), ()
    except InvalidSettings as refused:
        return None, refused.errors


def rules(*changed: dict[str, object]) -> dict[str, object]:
    plain = {"slug": "won", "name": "Won", "when": [TRIGGER]}
    return {"rules": [{**plain, **one} for one in changed], "mapping": {}}


def test_a_full_document_is_taken_and_comes_back_the_same():
    document = validate(FULL)
    again = validate(json.loads(json.dumps(document.to_json())))
    assert again == document
    assert document.mapping.taxes.fixed[0].percent == Decimal("21.5")
    assert document.mapping.client.phone is None
    assert document.rules[0].conditions[1].value == ("x", "5")


def test_only_rules_and_mapping_must_be_there():
    assert validate({"rules": [], "mapping": {}}) == default_settings()
    assert errors_of({}) == {"rules": "is missing", "mapping": "is missing"}


def test_the_default_maps_the_contacts_e_mail_and_the_companys_name():
    client = default_settings().mapping.client
    assert list(client.email.keys()) == ["contact.code.EMAIL", "company.code.EMAIL"]
    assert list(client.organization.keys()) == ["company.name"]


def test_the_default_has_a_rule_only_for_stages_that_are_named():
    assert default_settings().rules == ()
    (rule,) = default_settings([(3001, 142)]).rules
    assert [(one.pipeline_id, one.stage_id) for one in rule.when] == [(3001, 142)]
    assert rule.action == "draft"


def test_an_error_carries_its_path_and_plain_words():
    second = {"pipeline_id": 3002}
    assert errors_of(rules({"when": [TRIGGER, second]})) == {
        "rules.0.when.1.stage_id": "is missing"
    }


@pytest.mark.parametrize(
    ("path", "wrong", "words"),
    [
        ("slug", "Won Deals", "small letters"),
        ("slug", "", "small letters"),
        ("name", "  ", "must not be empty"),
        ("when", [], "at least one"),
        ("when", "3001", "must be a list"),
        ("match", "most", "must be 'all' or 'any'"),
        ("still_in_stage", "perhaps", "true or false"),
        ("action", "send", "'draft', 'mark_sent' or 'email'"),
        ("colour", "red", "is not known here"),
    ],
)
def test_a_wrong_rule_is_refused_in_words(path, wrong, words):
    found = errors_of(rules({path: wrong}))
    assert words in found[f"rules.0.{path}"]


@pytest.mark.parametrize(
    ("path", "wrong", "words"),
    [
        ("notes", "Order", "must be an object"),
        ("notes", {}, "one of them"),
        ("notes", {"text": "a", "field": "deal.name"}, "one of them"),
        ("notes.text", {"text": "{deal.name"}, "without its other half"),
        ("notes.text", {"text": "\x00"}, "control characters"),
        ("notes.text", {"text": "\ud800"}, "readable"),
        ("notes.field", {"field": "lead.name"}, "is no field"),
        ("notes.or.field", {"text": "", "or": {"field": "deal.cf.0"}}, "is no field"),
        ("notes", {"field": "product.name"}, "for each line only"),
        ("due_days", {"text": "{product.name}"}, "for each line only"),
        ("discount.kind", {"value": {"text": "1"}}, "is missing"),
        ("taxes.fixed.0.percent", {"fixed": [{"name": "VAT", "percent": "x"}]}, "a number"),
        ("taxes.fixed.0.percent", {"fixed": [{"name": "VAT", "percent": 101}]}, "at most 100"),
        ("taxes.fixed.0.percent", {"fixed": [{"name": "VAT", "percent": -1}]}, "at least 0"),
        ("taxes.fixed.0.percent", {"fixed": [{"name": "VAT", "percent": "7.7777"}]}, "3 decimals"),
        ("taxes.fixed.1.name", {"fixed": [{"name": "VAT", "percent": 5}] * 2}, "there twice"),
        ("taxes.table.a.2", {"table": {"a": [{"name": "V", "percent": 5}] * 3}}, "combine them"),
        ("discount.value", {"kind": "percent", "value": {"text": "150"}}, "no percent"),
        ("discount.value", {"kind": "percent", "value": {"text": "100"}}, "nothing to bill"),
        ("discount.value.or", {"kind": "amount", "value": OR_MINUS}, "no amount of money"),
        ("currency", {"text": "euro"}, "three letters"),
        ("language", {"text": "English"}, "two letters"),
        ("due_days", {"text": "14 days"}, "whole number from 0 to 365"),
        ("lines.price", {"price": {"text": "free"}}, "no price"),
        ("client.email", {"email": {"text": "ann"}}, "not an e-mail address"),
        ("client.language", {"language": {"text": "english"}}, "two letters"),
        ("taxes.table.LOW", {"table": {"Low": [], "LOW": []}}, "the same value"),
        ("client.vat_number", {"match_by": "vat"}, "clients are matched by it"),
        ("client.email", {"email": None}, "clients are matched by it"),
        ("write_back.link", {"link": "my link"}, "underscores"),
        ("write_back.number", {"link": "X", "number": "x"}, "used for two things"),
        ("numbering.next", {"next": 0}, "at least 1"),
        ("numbering.digits", {"digits": 1.5}, "whole number"),
    ],
)
def test_a_wrong_mapping_is_refused_in_words(path, wrong, words):
    part = path.split(".")[0]
    found = errors_of({"rules": [], "mapping": {part: wrong}})
    assert words in found[f"mapping.{path}"]


def test_a_price_is_not_looked_at_where_lines_have_none_of_their_own():
    validate({"rules": [], "mapping": {"lines": {"from": "amount", "price": {"text": "free"}}}})


@pytest.mark.parametrize(
    ("condition", "place", "words"),
    [
        ({"field": "product.name", "is": "filled"}, "field", "of the deal"),
        ({"field": "deal.cf.1", "is": "in", "value": "x"}, "value", "a list"),
        ({"field": "deal.cf.1", "is": "equals"}, "value", "one value"),
        ({"field": "deal.cf.1", "is": "equals", "value": {"a": 1}}, "value", "must be text"),
        ({"field": "deal.cf.1", "is": "greater", "value": "soon"}, "value", "a number or a date"),
        ({"field": "deal.cf.1", "is": "filled", "value": "no"}, "value", "no meaning"),
        ({"field": "deal.cf.1", "is": "empty", "value": "no"}, "value", 'beside "empty"'),
        ({"field": "deal.cf.1", "is": "less", "value": "soon"}, "value", "a number or a date"),
        ({"field": "deal.cf.1", "is": "not"}, "value", "must be one value"),
        ({"field": "deal.cf.1", "is": "like", "value": "x"}, "is", "'equals'"),
    ],
)
def test_a_condition_that_cannot_be_judged_is_refused(condition, place, words):
    found = errors_of(rules({"conditions": [condition]}))
    assert words in found[f"rules.0.conditions.0.{place}"]


def test_two_rules_never_share_a_slug():
    found = errors_of(rules({}, {}, {"slug": "other"}))
    assert found == {"rules.1.slug": "“won” is taken by another rule"}


def test_everything_wrong_is_told_at_once():
    found = errors_of({"rules": [{"slug": "A"}], "mapping": {"foo": 1, "terms": {}}})
    assert set(found) == {
        "rules.0.slug",
        "rules.0.name",
        "rules.0.when",
        "mapping.foo",
        "mapping.terms",
    }


@pytest.mark.parametrize("data", [None, [], "x", 3, {"rules": {}, "mapping": []}])
def test_what_is_no_document_is_refused(data):
    assert all("must be" in words for words in errors_of(data).values())


def test_a_document_a_thousand_levels_deep_is_refused():
    deep: dict[str, object] = {"text": "a"}
    for _ in range(1000):
        deep = {"text": "", "or": deep}
    found = errors_of({"rules": [], "mapping": {"notes": deep}})
    assert found == {"": "is nested too deeply"}


def test_a_sentence_never_shows_the_checkers_own_words():
    wrong = {
        "rules": [{"slug": 3, "when": [{"pipeline_id": True, "stage_id": None}]}],
        "mapping": 1,
    }
    text = json.dumps(errors_of(wrong))
    assert "Input should" not in text
    assert "pydantic" not in text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
parts_of_mapping = st.sampled_from(["notes", "lines", "taxes", "client", "discount", "numbering"])


@given(parts_of_mapping, json_values, json_values)
def test_any_json_is_either_taken_or_refused_with_paths(part, inner, conditions):
    rule = {"slug": "a", "name": "A", "when": [TRIGGER], "conditions": conditions}
    data = {"rules": [rule], "mapping": {part: inner}}
    document, errors = taken_or_refused(data)
    if document is not None:
        assert validate(document.to_json()) == document
    else:
        assert errors
        assert all(path.startswith(("rules.0", "mapping")) for path, _words in errors)


def test_the_schema_names_the_keys_of_the_document():
    schema = json_schema()
    assert set(schema["required"]) == {"rules", "mapping"}
    assert "from" in schema["$defs"]["Lines"]["properties"]
    assert "or" in schema["$defs"]["Source"]["properties"]
    assert schema["additionalProperties"] is False
    json.dumps(schema)


def test_the_settings_need_neither_database_nor_web():
    program = "import sys, server.core.settings as s; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "server.core.settings" in loaded
    assert not {"sqlalchemy", "flask", "requests"} & set(loaded)


def test_a_document_cannot_be_changed():
    document: SettingsDocument = validate(FULL)
    with pytest.raises(ValueError, match="frozen"):
        document.rules[0].slug = "other"
