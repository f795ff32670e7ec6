"""Faults on the wire: what the caller sees of each, and what took effect all the same."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from flask import Flask, Response, request

from server.sandbox import Fault, SandboxClock
from server.sandbox.edge import Answer, Edge
from server.sandbox.faults import Faults
from server.sandbox.serve import serve
from tests.sandbox.conftest import NOON


class PlainShapes:
    def error(self, status: int, path: str) -> Answer:
        return Answer(status, b'{"shape": "vendor"}')

    def throttled(self, seconds: float, path: str) -> Answer:
        return Answer(429, b"{}", headers=[("Retry-After", str(int(seconds)))])


class Shop:
    """A vendor of one route: POST /orders keeps the body."""

    def __init__(self) -> None:
        self.clock = SandboxClock(NOON, frozen=True)
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
    shop.faults.add(Fault("error_before", times=None, until=NOON + timedelta(minutes=1)))
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
