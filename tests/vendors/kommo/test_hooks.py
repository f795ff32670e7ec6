"""Kommo's hooks: every published body comes out as its index says; bad ones end in a clear 4xx."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from server.vendors.kommo.body import MAX_BODY, MAX_DEPTH, MAX_KEY_LENGTH, MAX_KEYS, read_body
from server.vendors.kommo.hooks import MAX_ROWS, BadHook, Change, KommoHook, parse
from tests.recorded_cases import ABSENT, cases_folder

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def form(pairs: dict[str, Any]) -> KommoHook:
    return parse(urlencode(pairs).encode(), FORM)


def recorded() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    index = json.loads((folder / "kommo/webhooks/webhooks.json").read_text("utf-8"))
    return [pytest.param(case, id=case["name"]) for case in index]


@pytest.mark.cases("kommo hooks")
@pytest.mark.parametrize("case", recorded())
def test_a_published_body_comes_out_as_its_index_says(case: dict[str, Any], cases: Path) -> None:
    raw = (cases / "kommo/webhooks" / case["file"]).read_bytes()
    expect = case["expect"]
    hook = parse(raw, case["headers"]["content-type"])
    if "lead_id" in expect:
        assert [change.id for change in hook.changes] == [expect["lead_id"]]
    else:
        found = [[change.entity, change.action, change.id] for change in hook.changes]
        assert found == expect["events"]
    if "account_id" in expect:
        assert hook.account_id == expect["account_id"]
    if "subdomain" in expect:
        assert hook.subdomain == expect["subdomain"]
    for field_id, values in expect.get("field_values", {}).items():
        assert hook.changes[0].field_values[int(field_id)] == tuple(values)


def test_a_stage_hook_tells_both_places_and_when() -> None:
    hook = form(
        {
            "account[id]": 501,
            "account[subdomain]": "demo",
            "leads[status][0][id]": 11,
            "leads[status][0][status_id]": 142,
            "leads[status][0][old_status_id]": 90,
            "leads[status][0][pipeline_id]": 7,
            "leads[status][0][old_pipeline_id]": 6,
            "leads[status][0][modified_user_id]": 0,
            "leads[status][0][updated_at]": 1_767_225_600,
        }
    )
    assert hook.account_id == 501
    assert hook.subdomain == "demo"
    assert hook.changes == (
        Change(
            entity="leads",
            action="status",
            id=11,
            pipeline_id=7,
            stage_id=142,
            old_stage_id=90,
            old_pipeline_id=6,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            modified_by=0,
        ),
    )


def test_every_deal_of_a_batch_is_found_in_order() -> None:
    pairs = {f"leads[update][{index}][id]": 1000 + index for index in reversed(range(12))}
    assert [change.id for change in form(pairs).changes] == list(range(1000, 1012))


def test_several_actions_may_come_in_one_body() -> None:
    hook = form({"leads[add][0][id]": 5, "leads[status][0][id]": 6, "contacts[add][0][id]": 7})
    assert [(c.entity, c.action, c.id) for c in hook.changes] == [
        ("leads", "add", 5),
        ("leads", "status", 6),
        ("contacts", "add", 7),
    ]


def test_a_company_comes_under_contacts_and_is_told_apart() -> None:
    hook = form({"contacts[update][0][id]": 8, "contacts[update][0][type]": "company"})
    assert hook.changes[0].entity == "companies"


@pytest.mark.parametrize(
    "body", [{"leads[delete]": 31}, {"leads[delete][0]": 31}, {"leads[delete][]": 31}]
)
def test_the_short_form_of_a_deletion_is_understood(body: dict[str, Any]) -> None:
    assert form(body).changes == (Change(entity="leads", action="delete", id=31),)


def test_the_doubly_nested_rows_of_the_documentation_are_understood() -> None:
    raw = json.dumps({"leads": {"update": [{"0": {"id": 4}, "1": {"id": 5}}]}}).encode()
    assert [change.id for change in parse(raw, JSON).changes] == [4, 5]


def test_field_values_come_as_list_scalar_or_single_object() -> None:
    row = "leads[update][0]"
    hook = form(
        {
            f"{row}[id]": 3,
            f"{row}[custom_fields][0][id]": 21,
            f"{row}[custom_fields][0][values][0][value]": "a",
            f"{row}[custom_fields][0][values][1][value]": "b",
            f"{row}[custom_fields][1][id]": 22,
            f"{row}[custom_fields][1][values][0]": "1767225600",
            f"{row}[custom_fields][2][id]": 23,
            f"{row}[custom_fields][2][values][value]": "Yes",
            f"{row}[custom_fields][2][values][enum]": "901",
        }
    )
    assert hook.changes[0].field_values == {21: ("a", "b"), 22: ("1767225600",), 23: ("Yes",)}


@pytest.mark.parametrize(
    ("type_code", "action"),
    [
        ("lead_added", "add"),
        ("lead_status_changed", "status"),
        ("lead_appeared_in_status", "status"),
        ("call_in", "update"),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_a_widget_action_names_its_deal_and_settings(
    type_code: str, action: str, as_json: bool
) -> None:
    body = {
        "event": {
            "type_code": type_code,
            "time": 1_767_225_600,
            "data": {"id": 44, "element_type": 2, "status_id": 142, "pipeline_id": 7},
        },
        "action": {"settings": {"widget": {"settings": {"rule": "won"}}}},
        "subdomain": "demo",
        "account_id": 501,
    }
    hook = parse(json.dumps(body).encode(), JSON) if as_json else form(dict(bracketed(body)))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    change = Change(entity="leads", action=action, id=44, pipeline_id=7, stage_id=142, at=at)
    assert hook == KommoHook(501, "demo", (change,), {"rule": "won"})


def bracketed(node: Any, key: str = "") -> Any:
    for name, value in node.items():
        inner = f"{key}[{name}]" if key else name
        if isinstance(value, dict):
            yield from bracketed(value, inner)
        else:
            yield inner, value


def test_a_widget_action_on_a_customer_is_not_ours() -> None:
    body = {"event": {"type_code": "customer_added", "data": {"id": 44, "element_type": 12}}}
    assert parse(json.dumps(body).encode(), JSON).changes == ()


@pytest.mark.parametrize(
    "pairs",
    [
        {"leads[status][0][id]": "abc"},
        {"leads[status][0][id]": "-5"},
        {"leads[status][0][id]": "0"},
        {"leads[status][0][id]": "9" * 30},
        {"leads[status][0][id]": "١٢٣"},
        {"leads[status][0][name]": "no id"},
        {"leads[polluted][0][id]": "1"},
        {"leads": "1"},
        {"__proto__[polluted]": "yes"},
        {"message[add][0][id]": "5"},
        {"leads[note][0][note][element_id]": "5"},
    ],
)
def test_what_is_no_deal_of_ours_makes_no_change(pairs: dict[str, Any]) -> None:
    assert form(pairs).changes == ()


@pytest.mark.parametrize("name", ["demo/../evil", "demo.kommo.com", "", "a\x00b"])
def test_a_subdomain_that_is_no_label_is_dropped(name: str) -> None:
    assert form({"account[subdomain]": name, "account[id]": 1}).subdomain is None


def test_impossible_stamps_are_no_time() -> None:
    hook = form({"leads[add][0][id]": 1, "leads[add][0][updated_at]": "9" * 18})
    assert hook.changes[0].at is None


BROKEN = {
    "empty": (b"", FORM, 400),
    "blank": (b" \r\n", JSON, 400),
    "no content type": (b"a=1", "", 415),
    "xml": (b"<a/>", "text/xml", 415),
    "multipart": (b"--x", "multipart/form-data; boundary=x", 415),
    "broken UTF-8": (b"a=\xff\xfe", FORM, 400),
    "broken UTF-8, escaped": (b"leads[add][0][name]=%ff%fe", FORM, 400),
    "broken UTF-8 in JSON": (b'{"a": "\xff"}', JSON, 400),
    "no JSON": (b"leads[add][0][id]=1", JSON, 400),
    "a JSON list": (b"[1, 2]", JSON, 400),
    "a JSON number of 9,000 digits": (b'{"a": ' + b"9" * 9_000 + b"}", JSON, 400),
    "one byte too many": (b"a=" + b"x" * (MAX_BODY - 1), FORM, 413),
    "10 MB": (b"x" * 10_000_000, FORM, 413),
    "100,000 keys": (b"&".join(b"a%d=1" % i for i in range(100_000)), FORM, 413),
    "too many keys in JSON": (json.dumps({"a": [0] * MAX_KEYS}).encode(), JSON, 413),
    "one key too many": (b"&".join([b"a[]=1"] * (MAX_KEYS + 1)), FORM, 413),
    "depth 1,000": (b"a" + b"[b]" * 1_000 + b"=1", FORM, 400),
    "depth 1,000 in JSON": (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, JSON, 400),
    "depth 400,000 in JSON": (b'{"a":' + b"[" * 400_000, JSON, 400),
    "one level too deep": (b"a" + b"[b]" * MAX_DEPTH + b"=1", FORM, 400),
    "a million opening brackets": (b"[" * 1_000_000, FORM, 400),
    "a long key": (b"k" * 1_000 + b"=1", FORM, 400),
    "a long key, escaped": (b"%6B" * (MAX_KEY_LENGTH + 1) + b"=1", FORM, 400),
    "a key of a million escapes": (b"%6B" * 300_000 + b"=1", FORM, 400),
    "501 deals": (
        b"&".join(b"leads[add][%d][id]=%d" % (i, i + 1) for i in range(MAX_ROWS + 1)),
        FORM,
        413,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_body_is_refused_at_once_with_a_sentence(name: str) -> None:
    raw, content_type, status = BROKEN[name]
    began = time.process_time()
    with pytest.raises(BadHook) as caught:
        parse(raw, content_type)
    assert caught.value.status == status
    assert caught.value.sentence.endswith(".")
    assert time.process_time() - began < 0.5


def test_a_keys_length_is_counted_in_characters_however_they_are_escaped() -> None:
    smile = "\N{SLIGHTLY SMILING FACE}" * MAX_KEY_LENGTH
    assert read_body(f"{quote(smile)}=%F0%9F%99%82+1".encode(), FORM) == {smile: smile[0] + " 1"}


def test_the_largest_body_allowed_is_read_quickly() -> None:
    rows = [f"leads[update][{i}][id]={i + 1}" for i in range(MAX_ROWS)]
    rows += [f"leads[update][0][x{i}]=%20" for i in range(MAX_KEYS - MAX_ROWS - 1)]
    body = "&".join(rows)
    body += "&leads[update][0][name]=" + "%41" * ((MAX_BODY - len(body)) // 3 - 10)
    began = time.process_time()
    assert len(parse(body.encode(), FORM).changes) == MAX_ROWS
    assert time.process_time() - began < 1.0


def test_a_charset_beside_the_content_type_does_not_matter() -> None:
    raw = b"leads[add][0][id]=1"
    assert parse(raw, "Application/X-WWW-Form-Urlencoded; charset=UTF-8").changes[0].id == 1
