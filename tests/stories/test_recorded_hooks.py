"""Hooks that Kommo really sent, at the real address: answered in time, kept, understood."""

import json
from time import monotonic
from typing import Any
from urllib.parse import quote_plus

import pytest
import requests

from server.core.states import JobState
from server.store import inbox
from server.store.inbox import EventRow
from server.vendors.kommo.hooks import Change, parse
from tests.recorded_cases import ABSENT, cases_folder
from tests.rig import Rig
from tests.stories.shop import Shop

WITHIN = 2.0  # seconds; then Kommo gives up
# The client of the test writes its own of these.
OWN_HEADERS = ("content-length", "accept-encoding", "connection", "host")
WHERE = {"digital_pipeline": "kommo-dp", "digital_pipeline_widget": "kommo-dp", "docs": "kommo-dp"}
ENTERING = ("add", "status", "restore")

Case = dict[str, Any]


def recorded() -> list[Any]:
    folder = cases_folder()
    if folder is None:
        return [pytest.param(None, marks=pytest.mark.skip(ABSENT))]
    index = json.loads((folder / "kommo/webhooks/webhooks.json").read_text("utf-8"))
    bodies = folder / "kommo/webhooks"
    # By the same ids as the parser's test: a case counts once, and only if both pass.
    return [
        pytest.param({**case, "body": (bodies / case["file"]).read_bytes()}, id=case["name"])
        for case in index
    ]


every_case = pytest.mark.parametrize("case", recorded())


def post(rig: Rig, case: Case, body: bytes) -> EventRow:
    """As Kommo sends it; the event that was kept."""
    headers = {k: v for k, v in case["headers"].items() if k.lower() not in OWN_HEADERS}
    url, began = rig.hook_url(WHERE.get(case["kind"], "kommo")), monotonic()
    with requests.post(url, data=body, headers=headers, timeout=10) as reply:
        assert 200 <= reply.status_code < 300
        assert reply.content == b""
    assert monotonic() - began < WITHIN
    events: list[EventRow] = rig.in_database(
        lambda session: list(inbox.events(session, account_id=rig.account_id))
    )
    return events[-1]


def expected(case: Case) -> list[list[Any]]:
    expect = case["expect"]
    if "lead_id" in expect:
        return [["leads", "status", expect["lead_id"]]]
    events: list[list[Any]] = expect.get("events", [])
    return events


def changes(case: Case) -> tuple[Change, ...]:
    return parse(case["body"], case["headers"]["content-type"]).changes


def as_ours(case: Case, rig: Rig) -> bytes:
    """The same body, from our account."""
    told = parse(case["body"], case["headers"]["content-type"])
    body: bytes = case["body"]
    for old, new in (
        (told.account_id, rig.kommo.account_id),
        (told.subdomain, rig.kommo.subdomain),
    ):
        if old is not None:
            body = body.replace(quote_plus(str(old)).encode(), str(new).encode())
    return body


def rule_on_stages_of(case: Case, rig: Rig) -> set[int]:
    """Switched on for every stage that the body names; the deals that are in one of them."""
    places = {(c.pipeline_id, c.stage_id): c for c in changes(case) if c.stage_id}
    if places:
        when = [{"pipeline_id": pipeline, "stage_id": stage} for pipeline, stage in places]
        rule = {"slug": "any", "name": "Any", "when": when, "action": "draft"}
        rig.settings({"rules": [rule], "mapping": {}})
        rig.rule_on("any")
        rig.pump()
    return {c.id for c in changes(case) if c.entity == "leads" and c.stage_id}


def jobs_of_deals(rig: Rig) -> set[int]:
    subjects = [j.subject for j in rig.jobs() if j.state == JobState.WAITING]
    return {int(subject.removeprefix("deal:")) for subject in subjects}


def entries(rig: Rig, deal_id: int) -> list[Any]:
    rows: list[Any] = rig.in_database(lambda s: inbox.entries(s, rig.account_id, deal_id))
    return rows


@every_case
@pytest.mark.cases("kommo hooks")
def test_a_recorded_hook_is_answered_in_time_and_kept_as_it_came(rig: Rig, case: Case) -> None:
    Shop(rig)
    event = post(rig, case, case["body"])
    assert event.body == case["body"]
    assert event.subjects == expected(case)
    kept = {name.lower(): value for name, value in event.headers.items()}
    for name in ("content-type", "x-amocrm-requestid"):
        assert kept.get(name) == case["headers"].get(name)
    assert jobs_of_deals(rig) == set()
    named = case["expect"].get("account_id")
    if named is not None:
        assert event.verdict == f"names another Kommo account ({named})"
    calls = len(rig.sandbox.kommo.calls)
    rig.pump()
    assert len(rig.sandbox.kommo.calls) == calls


@every_case
@pytest.mark.cases("kommo hooks")
def test_in_a_rules_stage_it_makes_the_job_if_it_is_of_our_own_account(
    rig: Rig, case: Case
) -> None:
    deals = rule_on_stages_of(case, rig)
    if case["expect"].get("account_id") is not None:
        assert post(rig, case, case["body"]).verdict.startswith("names another Kommo account")
        assert jobs_of_deals(rig) == set()
        assert not any(entries(rig, deal) for deal in deals)

    event = post(rig, case, as_ours(case, rig))
    assert event.subjects == expected(case)
    assert "another" not in event.verdict
    assert jobs_of_deals(rig) == deals
    entering = {c.id for c in changes(case) if c.action in ENTERING}
    assert {deal for deal in deals if entries(rig, deal)} == deals & entering
