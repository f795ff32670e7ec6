"""FreshBooks' error bodies, all of their shapes, and what each one means."""

import json
from typing import Any

import pytest

from server.core.errors import AlreadyThere, CannotBill, Reconnect, TryLater
from server.vendors.freshbooks.refusals import Fault, faults_of, is_missing, outcome_of
from server.vendors.http import Reply


def classic(errno: int, field: str = "", message: str = "No.", value: str = "") -> dict[str, Any]:
    row = {"errno": errno, "field": field, "message": message, "object": "x", "value": value}
    return {"response": {"errors": [row]}}


def google(errno: int, field: str = "", message: str = "No.", value: str = "") -> dict[str, Any]:
    metadata = {"object": "x", "message": message, "value": value, "field": field}
    detail = {"@type": "t", "reason": str(errno), "domain": "d", "metadata": metadata}
    return {"code": 3, "message": "Request failed", "details": [detail]}


@pytest.mark.parametrize("shape", [classic, google])
def test_the_two_accounting_shapes_say_the_same(shape: Any) -> None:
    body = shape(1017, "notes", "Too long.", "v")
    assert faults_of(body) == (Fault(1017, "notes", "Too long.", "v"),)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"response": {"errors": {"errno": 1001, "message": "m"}}}, (Fault(1001, "", "m"),)),
        (
            {"errno": 422, "message": "m", "details": ["event: bad"]},
            (Fault(422, "", "m; event: bad"),),
        ),
        (
            {"error": "invalid_grant", "error_description": "gone"},
            (Fault(0, "", "gone"),),
        ),
        ({"error": "not here"}, (Fault(0, "", "not here"),)),
        ({"error_type": "invalid", "message": "m"}, (Fault(0, "", "m"),)),
        ({"code": 16, "message": "m", "details": []}, (Fault(0, "", "m"),)),
        ({"code": 16, "message": "m", "details": ["odd"]}, ()),
        ({"response": {"result": {}}}, ()),
        ({"response": {"errors": ["odd"]}}, ()),
        ({"response": None}, ()),
        ({"message": "Hello"}, ()),
        (None, ()),
        ([1], ()),
    ],
)
def test_each_shape_is_read_and_a_foreign_one_complains_of_nothing(
    body: Any, faults: tuple[Fault, ...]
) -> None:
    assert faults_of(body) == faults


def outcome(status: int, body: Any) -> Exception:
    raw = json.dumps(body).encode() if body is not None else b"<html>"
    return outcome_of(Reply(status, {}, raw), faults_of(body))


@pytest.mark.parametrize("shape", [classic, google])
@pytest.mark.parametrize(
    ("status", "errno", "kind", "cause"),
    [
        (422, 1017, CannotBill, ""),
        (200, 1017, CannotBill, ""),
        (400, 1005, CannotBill, ""),
        (404, 1012, CannotBill, ""),
        (403, 1038, CannotBill, ""),
        (422, 1029, AlreadyThere, ""),
        (403, 1003, Reconnect, ""),
        (403, 0, Reconnect, ""),
        (200, 1003, Reconnect, ""),
        (409, 409, TryLater, "freshbooks:busy"),
        (200, 409, TryLater, "freshbooks:busy"),
        (429, 0, TryLater, "freshbooks:throttled"),
        (422, 1042, TryLater, "freshbooks:forbidden"),
        (402, 0, TryLater, "freshbooks:forbidden"),
        (500, 500, TryLater, "freshbooks:down"),
        (500, 1017, TryLater, "freshbooks:down"),
        (200, 500, TryLater, "freshbooks:down"),
        (302, 1017, TryLater, "freshbooks:down"),
    ],
)
def test_an_errno_means_one_thing_whatever_the_shape(
    shape: Any, status: int, errno: int, kind: type[Exception], cause: str
) -> None:
    found = outcome(status, shape(errno, "notes"))
    assert type(found) is kind
    if isinstance(found, TryLater):
        assert found.cause == cause
        certain = cause != "freshbooks:down"
        assert found.certainty == ("refused" if certain else "uncertain")


@pytest.mark.parametrize("status", [200, 301, 400, 404, 422, 502])
def test_html_is_never_a_refusal(status: int) -> None:
    found = outcome(status, None)
    assert isinstance(found, TryLater)
    assert (found.cause, found.certainty) == ("freshbooks:down", "uncertain")


def test_every_problem_is_told_at_once_in_the_mapping_s_words() -> None:
    rows = [
        {"errno": 1017, "field": "notes", "message": "Too long."},
        {"errno": 1001, "field": "lines.0.taxName1", "message": "Required"},
        {"errno": 1004, "field": "brand_new", "message": "Odd"},
        {"errno": 1004, "field": "", "message": "Odd"},
    ]
    found = outcome(422, {"response": {"errors": rows}})
    assert isinstance(found, CannotBill)
    assert [problem.field for problem in found.problems] == [
        "notes",
        "lines.tax",
        "brand_new",
        "invoice",
    ]
    assert str(found.problems[0]) == "FreshBooks refuses the notes: Too long. Shorten it."
    assert found.problems[1].todo == "Fill it in."


def test_a_duplicate_names_what_is_taken() -> None:
    found = outcome(422, classic(1029, "invoice_number", "Taken.", "BH1"))
    assert isinstance(found, AlreadyThere)
    assert found.ref == "BH1"


def test_missing_is_a_404_in_their_shape_only() -> None:
    faults = faults_of(classic(1012, "userid"))
    assert is_missing(Reply(404, {}, b""), faults)
    assert is_missing(Reply(200, {}, b""), faults)
    assert not is_missing(Reply(404, {}, b""), ())
    assert not is_missing(Reply(422, {}, b""), faults_of(classic(1017, "notes")))
