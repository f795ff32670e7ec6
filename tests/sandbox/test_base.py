"""The sandbox's base: clock, faults on the wire, hook queue, control app."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from flask import Flask, Response, request

from server.sandbox import Fault, Sandbox, SandboxClock
from server.sandbox.delivery import Deliveries, Policy
from server.sandbox.edge import Answer, Edge
from server.sandbox.faults import Faults
from server.sandbox.serve import serve

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class PlainShapes:
    def error(self, status: int, path: str) -> Answer:
        return Answer(status, b'{"shape": "vendor"}')

    def throttled(self, seconds: float, path: str) -> Answer:
        return Answer(429, b"{}", headers=[("Retry-After", str(int(seconds)))])


class Shop:
    """A vendor of one route: POST /orders keeps the body."""

    def __init__(self) -> None:
        self.clock = SandboxClock(START, frozen=True)
        self.faults = Faults(self.clock)
        self.orders: list[bytes] = []
        app = Flask("shop")
        app.add_url_rule("/orders", view_func=self.take, methods=["POST"])
        self.edge = Edge(
            app, vendor="shop", faults=self.faults, clock=self.clock, shapes=PlainShapes()
        )
        self.served = serve(self.edge)

    def take(self) -> Response:
        self.orders.append(request.get_data())
        return Response('{"order": "taken and kept"}', 201, content_type="application/json")

    def order(self, body: bytes = b"chair") -> requests.Response:
        return requests.post(f"{self.served.url}/orders", data=body, timeout=5)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.served.stop()


def test_a_frozen_clock_stands_until_it_is_moved() -> None:
    clock = SandboxClock(START, frozen=True)
    moves: list[datetime] = []
    clock.on_move(lambda: moves.append(clock.now()))
    clock.advance(timedelta(hours=1))
    assert clock.now() == START + timedelta(hours=1)
    clock.set(START)
    assert moves == [START + timedelta(hours=1), START]


def test_a_running_clock_goes_on_from_where_it_was_set() -> None:
    clock = SandboxClock(START)
    first = clock.now()
    assert timedelta(0) <= first - START < timedelta(seconds=5)
    clock.advance(timedelta(days=1))
    assert clock.now() - first >= timedelta(days=1)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        SandboxClock(datetime(2026, 3, 2))  # noqa: DTZ001


def test_a_lost_reply_leaves_the_effect(shop: Shop) -> None:
    shop.faults.add(Fault("lose_reply", match="POST /orders"))
    with pytest.raises(requests.ConnectionError):
        shop.order()
    assert shop.orders == [b"chair"]
    assert shop.order().status_code == 201
    assert shop.edge.calls == [("POST", "/orders", 0), ("POST", "/orders", 201)]


def test_an_error_after_the_effect_is_worded_by_the_vendor(shop: Shop) -> None:
    shop.faults.add(Fault("error_after", status=503))
    reply = shop.order()
    assert (reply.status_code, reply.json()) == (503, {"shape": "vendor"})
    assert shop.orders == [b"chair"]


@pytest.mark.parametrize(
    ("kind", "status"), [("error_before", 500), ("conflict", 409), ("unauthorized", 401)]
)
def test_a_refusal_leaves_no_effect(shop: Shop, kind: str, status: int) -> None:
    shop.faults.add(Fault(kind))
    assert shop.order().status_code == status
    assert shop.orders == []


@pytest.mark.parametrize(
    ("kind", "status", "kept"),
    [("html", 502, 0), ("html_after", 502, 1), ("forbidden_html", 403, 0)],
)
def test_a_proxy_answers_in_html(shop: Shop, kind: str, status: int, kept: int) -> None:
    shop.faults.add(Fault(kind))
    reply = shop.order()
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert len(shop.orders) == kept


def test_a_truncated_body_is_shorter_than_it_says(shop: Shop) -> None:
    shop.faults.add(Fault("truncate"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        shop.order()
    assert shop.orders == [b"chair"]


def test_throttling_says_for_how_long(shop: Shop) -> None:
    shop.faults.add(Fault("throttle", seconds=30))
    reply = shop.order()
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "30")


def test_a_late_commit_takes_effect_when_its_time_comes(shop: Shop) -> None:
    shop.faults.add(Fault("late_commit", seconds=40))
    with pytest.raises(requests.ConnectionError):
        shop.order(b"late")
    shop.clock.advance(timedelta(seconds=39))
    assert shop.orders == []
    shop.clock.advance(timedelta(seconds=1))
    assert shop.orders == [b"late"]
    shop.clock.advance(timedelta(seconds=100))
    assert shop.orders == [b"late"]


def test_a_fault_ends_after_its_times_and_after_its_hour(shop: Shop) -> None:
    shop.faults.add(Fault("error_before", times=2))
    assert [shop.order().status_code for _ in range(3)] == [500, 500, 201]
    shop.faults.add(Fault("error_before", times=None, until=START + timedelta(minutes=1)))
    assert shop.order().status_code == 500
    shop.clock.advance(timedelta(minutes=1))
    assert shop.order().status_code == 201


def test_a_fault_meets_only_its_vendor_and_path(shop: Shop) -> None:
    shop.faults.add(Fault("error_before", vendor="other"))
    shop.faults.add(Fault("error_before", match="GET *"))
    assert shop.order().status_code == 201


def test_of_two_faults_the_second_waits_for_the_next_call(shop: Shop) -> None:
    shop.faults.add(Fault("conflict"))
    shop.faults.add(Fault("error_before", status=503))
    assert [shop.order().status_code for _ in range(3)] == [409, 503, 201]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("gremlins")


def test_a_stopped_server_is_gone(shop: Shop) -> None:
    spare = serve(shop.edge)
    spare.stop()
    with pytest.raises(requests.ConnectionError):
        requests.get(spare.url, timeout=5)


class Inbox:
    """Where hooks arrive; answers what it is told to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answers: list[int] = []
        app = Flask("inbox")
        app.add_url_rule("/hook", view_func=self.take, methods=["POST"])
        self.served = serve(app)
        self.url = f"{self.served.url}/hook"

    def take(self) -> Response:
        self.bodies.append(request.get_data())
        return Response(status=self.answers.pop(0) if self.answers else 204)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    yield inbox
    inbox.served.stop()


def again_in_five_minutes(attempts: int, status: int) -> timedelta | None:
    return timedelta(minutes=5) if attempts < 3 else None


TWICE_MORE = Policy(2.0, lambda status: 200 <= status < 300, again_in_five_minutes)


@pytest.fixture
def deliveries() -> Iterator[Deliveries]:
    deliveries = Deliveries(SandboxClock(START, frozen=True))
    yield deliveries
    deliveries.stop()


def test_a_hook_waits_until_it_is_told_to_go(deliveries: Deliveries, inbox: Inbox) -> None:
    deliveries.queue("shop", inbox.url, b"one")
    assert inbox.bodies == []
    assert [hook.status for hook in deliveries.deliver_due()] == [204]
    assert inbox.bodies == [b"one"]
    assert deliveries.deliver_due() == []


def test_a_refused_hook_comes_again_by_its_table(deliveries: Deliveries, inbox: Inbox) -> None:
    inbox.answers = [500, 500, 500]
    hook = deliveries.queue("shop", inbox.url, b"one", policy=TWICE_MORE)
    for expected in (1, 1, 2, 3, 3):
        deliveries.deliver_due()
        assert len(inbox.bodies) == expected
        deliveries.clock.advance(timedelta(minutes=5 if expected != 1 or hook.due <= START else 3))
    assert hook.state == "given_up"


@pytest.mark.parametrize(
    ("mischief", "arrives"),
    [
        (lambda d: d.drop_next(1), [b"b", b"c"]),
        (lambda d: d.duplicate_next(1), [b"a", b"a", b"b", b"c"]),
        (lambda d: d.reorder_next(2), [b"b", b"a", b"c"]),
    ],
)
def test_mischief_happens_to_the_next_hooks(
    deliveries: Deliveries,
    inbox: Inbox,
    mischief: Callable[[Deliveries], None],
    arrives: list[bytes],
) -> None:
    mischief(deliveries)
    for body in (b"a", b"b", b"c"):
        deliveries.queue("shop", inbox.url, body)
    deliveries.deliver_due()
    assert inbox.bodies == arrives


def test_held_hooks_go_after_the_release(deliveries: Deliveries, inbox: Inbox) -> None:
    deliveries.hold()
    deliveries.queue("shop", inbox.url, b"a")
    assert deliveries.deliver_due() == []
    deliveries.release()
    deliveries.deliver_due()
    assert inbox.bodies == [b"a"]


def test_a_hook_never_leaves_the_loopback(deliveries: Deliveries) -> None:
    hook = deliveries.queue("shop", "http://hooks.example.test/x", b"a")
    deliveries.deliver_due()
    assert (hook.status, hook.state) == (0, "given_up")


def test_auto_posts_at_once(inbox: Inbox) -> None:
    deliveries = Deliveries(SandboxClock(START, frozen=True), auto=True)
    deliveries.queue("shop", inbox.url, b"a")
    assert deliveries.wait_idle()
    assert inbox.bodies == [b"a"]
    deliveries.stop()


def test_auto_tries_again_when_the_clock_has_moved(inbox: Inbox) -> None:
    deliveries = Deliveries(SandboxClock(START), auto=True)
    inbox.answers = [500]
    hook = deliveries.queue("shop", inbox.url, b"a", policy=TWICE_MORE)
    assert deliveries.wait_idle()
    assert (hook.state, hook.status) == ("waiting", 500)
    deliveries.clock.advance(timedelta(minutes=5))
    assert deliveries.wait_idle()
    assert (hook.state, inbox.bodies) == ("taken", [b"a", b"a"])
    deliveries.stop()


def test_a_slow_receiver_counts_as_timed_out(deliveries: Deliveries) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        impatient = Policy(0.05, TWICE_MORE.taken, TWICE_MORE.again)
        hook = deliveries.queue("shop", url, b"a", policy=impatient)
        deliveries.deliver_due()
    assert (hook.status, hook.state) == (499, "waiting")


def test_a_redirect_is_not_followed(deliveries: Deliveries, inbox: Inbox) -> None:
    inbox.answers = [302]
    hook = deliveries.queue("shop", inbox.url, b"a")
    deliveries.deliver_due()
    assert (hook.status, inbox.bodies) == (302, [b"a"])


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
    sandbox = Sandbox(clock=SandboxClock(START, frozen=True), auto=True)
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
