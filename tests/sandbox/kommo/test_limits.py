"""Rates, blocks, subscriptions and error bodies (kommo.md §5)."""

from datetime import timedelta

import pytest
import requests

from server.sandbox import Fault
from tests.sandbox.kommo.calls import CLIENT_ID, Kommo

pytestmark = pytest.mark.quirk


def storm(kommo: Kommo, calls: int) -> list[int]:
    return [kommo.get("account").status_code for _ in range(calls)]


def test_the_eighth_call_within_a_second_is_429(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.requests_per_second = 7
    statuses = storm(kommo, 40)
    assert statuses[:7] == [200] * 7
    assert 429 in statuses[7:]


def test_a_429_has_no_retry_after_unless_switched(kommo: Kommo) -> None:
    switches = kommo.sandbox.kommo.switches
    switches.requests_per_second = 1
    storm(kommo, 1)
    plain = kommo.get("account")
    assert (plain.status_code, plain.headers["Content-Type"]) == (429, "application/problem+json")
    assert "Retry-After" not in plain.headers
    switches.retry_after_header = True
    switches.throttle_body = "html"
    reply = kommo.get("account")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")
    assert reply.headers["Content-Type"].startswith("text/html")


def test_each_integration_has_its_own_rate(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.requests_per_second = 1
    kommo.sandbox.kommo.register_integration("other", "s", "http://127.0.0.1:1/x")
    other = Kommo(kommo.sandbox, kommo.account, kommo.account.issue_long_lived("other"))
    assert storm(kommo, 1) == [200]
    assert storm(other, 1) == [200]


def test_who_does_not_listen_is_blocked_everywhere_until_support_lifts_it(kommo: Kommo) -> None:
    switches = kommo.sandbox.kommo.switches
    switches.requests_per_second, switches.block_after_violations = 1, 3
    pair = kommo.connect()
    storm(kommo, 20)
    switches.requests_per_second = 0
    blocked = kommo.get("account")
    assert blocked.status_code == 403
    assert b"<h1>403 Forbidden</h1>" in blocked.content
    assert kommo.refresh(pair["refresh_token"]).status_code == 403
    assert requests.get(kommo.sandbox.kommo.auth_url, timeout=5).status_code == 403
    kommo.sandbox.kommo.lift_block()
    assert kommo.get("account").status_code == 200


def test_an_ended_subscription_refuses_writes_at_once_and_reads_after_a_month(
    kommo: Kommo,
) -> None:
    kommo.account.paid_until = kommo.sandbox.clock.now()
    kommo.sandbox.clock.advance(timedelta(hours=1))
    assert kommo.get("account").status_code == 200
    assert kommo.post("leads", [{"name": "A"}]).status_code == 402
    kommo.sandbox.clock.advance(timedelta(days=30))
    kommo.token = kommo.account.issue_long_lived(CLIENT_ID)
    assert kommo.get("account").status_code == 402


def test_faults_are_worded_as_kommos(kommo: Kommo) -> None:
    kommo.sandbox.faults.add(Fault("error_before", vendor="kommo", status=500))
    kommo.sandbox.faults.add(Fault("throttle", match="GET /api/v4/leads*", seconds=4))
    failed = kommo.get("account")
    assert failed.headers["Content-Type"] == "application/problem+json"
    assert failed.json()["status"] == 500
    throttled = kommo.get("leads")
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "4")


def test_a_write_whose_reply_is_lost_has_happened(kommo: Kommo) -> None:
    kommo.sandbox.faults.add(Fault("lose_reply", match="POST /api/v4/tasks"))
    row = {"text": "Call", "complete_till": kommo.sandbox.clock.timestamp()}
    with pytest.raises(requests.ConnectionError):
        kommo.post("tasks", [row])
    assert [task.text for task in kommo.account.tasks.values()] == ["Call"]


def test_calls_are_counted_with_their_status(kommo: Kommo) -> None:
    kommo.sandbox.kommo.calls.clear()
    kommo.get("leads/1")
    assert kommo.sandbox.kommo.calls == [("GET", "/api/v4/leads/1", 204)]


def test_an_account_has_a_rate_over_all_integrations(kommo: Kommo) -> None:
    switches = kommo.sandbox.kommo.switches
    switches.requests_per_second, switches.account_requests_per_second = 7, 1
    kommo.sandbox.kommo.register_integration("other", "s", "http://127.0.0.1:1/x")
    other = Kommo(kommo.sandbox, kommo.account, kommo.account.issue_long_lived("other"))
    assert storm(kommo, 1) == [200]
    assert storm(other, 1) == [429]
