"""The sandbox's clock, its control app, and its being stopped and started."""

from datetime import datetime, timedelta

import pytest
import requests

from server.sandbox import Sandbox, SandboxClock
from tests.sandbox.conftest import NOON


def test_a_frozen_clock_stands_until_it_is_moved() -> None:
    clock = SandboxClock(NOON, frozen=True)
    moves: list[datetime] = []
    clock.on_move(lambda: moves.append(clock.now()))
    clock.advance(timedelta(hours=1))
    assert clock.now() == NOON + timedelta(hours=1)
    clock.set(NOON)
    assert moves == [NOON + timedelta(hours=1), NOON]


def test_a_running_clock_goes_on_from_where_it_was_set() -> None:
    clock = SandboxClock(NOON)
    first = clock.now()
    assert timedelta(0) <= first - NOON < timedelta(seconds=5)
    clock.advance(timedelta(days=1))
    assert clock.now() - first >= timedelta(days=1)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        SandboxClock(datetime(2026, 3, 2))  # noqa: DTZ001


def test_the_control_app_moves_the_clock(sandbox: Sandbox) -> None:
    url = f"{sandbox.control_url}/_clock"
    before = sandbox.clock.now()
    assert requests.get(url, timeout=5).json() == {"now": before.isoformat(), "frozen": True}
    requests.post(url, json={"advance": 90}, timeout=5)
    assert sandbox.clock.now() - before == timedelta(seconds=90)
    assert requests.post(url, json={"set": "yesterday"}, timeout=5).status_code == 400


def test_the_control_app_keeps_the_list_of_faults(sandbox: Sandbox) -> None:
    url = f"{sandbox.control_url}/_faults"
    made = requests.post(url, json={"kind": "slow", "seconds": 2, "times": None}, timeout=5)
    assert made.status_code == 201
    assert [fault.kind for fault in sandbox.faults.list()] == ["slow"]
    assert requests.delete(f"{url}/{made.json()['id']}", timeout=5).status_code == 204
    assert requests.get(url, timeout=5).json()["faults"] == []
    assert requests.post(url, json={"kind": "gremlins"}, timeout=5).status_code == 400
    assert requests.post(url, json={"kind": "slow", "speed": 1}, timeout=5).status_code == 400


def test_the_control_app_turns_switches(sandbox: Sandbox) -> None:
    url = f"{sandbox.control_url}/_switches"
    requests.post(url, json={"kommo": {"dp_json": True}}, timeout=5)
    assert sandbox.kommo.switches.dp_json is True
    assert requests.get(url, timeout=5).json()["kommo"]["dp_json"] is True
    assert requests.post(url, json={"kommo": {"nonsense": 1}}, timeout=5).status_code == 400


def test_the_control_app_shows_state_and_hooks(sandbox: Sandbox) -> None:
    state = requests.get(f"{sandbox.control_url}/_state", timeout=5).json()
    assert set(state) == {"kommo", "freshbooks"}
    shown = requests.post(f"{sandbox.control_url}/_deliveries", json={"hold": True}, timeout=5)
    assert shown.json() == {"deliveries": []}


def test_a_stopped_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox(clock=SandboxClock(NOON, frozen=True), auto=True)
    account = sandbox.kommo.add_account("demo")
    account.add_deal("Desk")
    for _ in range(2):
        with sandbox:
            assert requests.get(f"{sandbox.control_url}/_clock", timeout=5).status_code == 200
            assert requests.get(f"{account.url}/api/v4/leads", timeout=5).status_code == 401
            hook = sandbox.deliveries.queue("kommo", "http://127.0.0.1:1/x", b"a")
            assert sandbox.deliveries.wait_idle()
            assert hook.state == "given_up"
    assert len(account.deals) == 1
