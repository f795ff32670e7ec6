"""The replies in the platform's documentation: each is read by the reader that will meet it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jwt
import pytest

from server.vendors.kommo import auth, fields, records
from server.vendors.kommo.api import KommoApi
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.values import read_fields
from tests.fixed_clock import START
from tests.recorded_cases import ABSENT, cases_folder
from tests.vendors.byte_server import ByteServer, Line, answer
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import Tokens

READERS: dict[str, Callable[[Any], Any]] = {
    "pipelines": records.read_pipeline,
    "statuses": records.read_stage,
    "webhooks": records.read_webhook,
    "tasks": records.read_task,
    "events": records.read_event,
}


def samples() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    files = sorted((folder / "kommo/api").glob("*.json"))
    return [pytest.param(json.loads(file.read_text("utf-8")), id=file.stem) for file in files]


def rows_of(body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row of a list reply with its list's name."""
    for key, rows in (body.get("_embedded") or {}).items() if isinstance(body, dict) else ():
        for row in rows if isinstance(rows, list) else ():
            yield key, row


@pytest.mark.cases("kommo api")
@pytest.mark.parametrize("body", samples())
def test_a_documented_body_passes_the_api_and_its_custom_fields_are_read(
    body: Any, caller_of: MakeCaller, cases: Path
) -> None:
    def answers(line: Line) -> None:
        line.request()
        line.write(answer(json.dumps(body).encode()))

    with ByteServer(answers) as server:
        api = KommoApi(server.host, Tokens(), caller_of("kommo"), insecure=True)
        assert api.get("/api/v4/sample") == body
    for key, row in rows_of(body):
        if key in READERS and row.get("name", row.get("text", row.get("destination"))):
            assert READERS[key](row).id == row["id"]
        if isinstance(row.get("custom_fields_values"), list):
            filled = [item for item in row["custom_fields_values"] if "field_id" in item]
            for item in filled:
                assert f"x.cf.{item['field_id']}" in read_fields(row, "x", ZoneInfo("UTC"))


def sample(cases: Path, name: str) -> Any:
    return json.loads((cases / f"kommo/api/{name}.json").read_text("utf-8"))


@pytest.mark.cases("kommo requests")
def test_what_we_send_has_the_documented_shape(cases: Path, caller_of: MakeCaller) -> None:
    sent: list[tuple[str, Any]] = []
    replies = {
        "POST /api/v4/tasks": sample(cases, "crm-platform-tasks-api-04"),
        "PATCH /api/v4/tasks/4747929": sample(cases, "crm-platform-tasks-api-08"),
        "GET /api/v4/webhooks": {"_embedded": {"webhooks": []}},
        "POST /api/v4/webhooks": sample(cases, "crm-platform-webhooks-api-03"),
        "DELETE /api/v4/webhooks": {},
        "PATCH /api/v4/leads/54886": {"id": 54886, "updated_at": 1},
    }

    def answers(line: Line) -> None:
        while request := line.request():
            head, _, body = request.partition(b"\r\n\r\n")
            what = " ".join(head.decode().split("?")[0].split(" ")[:2])
            sent.append((what, json.loads(body or b"null")))
            line.write(answer(json.dumps(replies[what]).encode()))

    with ByteServer(answers) as server:
        client = KommoClient(server.host, Tokens(), caller_of("kommo"), insecure=True)
        assert client.create_task(9785993, "Call", 123, START, "example") == 4745251
        client.complete_task(4747929, "Done")
        assert client.ensure_webhook("https://example.test", ["add_lead"]).id == 1056949
        client.delete_webhook("https://example.test")
        client.write_deal(54886, {1: "a", 2: fields.Choice("paid"), 3: None})
    bodies = dict(sent)
    assert bodies["POST /api/v4/tasks"][0].keys() == {
        *sample(cases, "crm-platform-tasks-api-03")[0],
        "responsible_user_id",
    }
    done = sample(cases, "crm-platform-tasks-api-07")
    assert bodies["PATCH /api/v4/tasks/4747929"] == {**done, "result": {"text": "Done"}}
    subscription = sample(cases, "crm-platform-webhooks-api-02")
    subscription.pop("sort")
    assert bodies["POST /api/v4/webhooks"] == subscription
    assert bodies["DELETE /api/v4/webhooks"] == sample(cases, "crm-platform-webhooks-api-04")
    assert bodies["PATCH /api/v4/leads/54886"] == {
        "custom_fields_values": [
            {"field_id": 1, "values": [{"value": "a"}]},
            {"field_id": 2, "values": [{"enum_code": "paid"}]},
            {"field_id": 3, "values": None},
        ]
    }


@pytest.mark.cases("kommo requests")
def test_the_documented_subdomain_reply_names_the_host(cases: Path, caller_of: MakeCaller) -> None:
    reply = sample(cases, "oauth-account-subdomain-info-01")
    reply["domain"] = reply["domain"].replace("_", "-")  # a placeholder; no host has it

    def answers(line: Line) -> None:
        request = line.request()
        assert b"X-Refresh-Token: r-1" in request
        line.write(answer(json.dumps(reply).encode()))

    with ByteServer(answers) as server:
        token = jwt.encode({"api_domain": server.host}, "k" * 32, "HS256")
        allowed = (server.host, ".amocrm.ru")
        host = auth.current_host(caller_of("kommo"), token, "r-1", allowed)
    assert host == reply["domain"]
