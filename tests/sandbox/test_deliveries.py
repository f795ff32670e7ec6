"""The queue of hooks: when they go out, what comes again, and mischief on the way."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask, Response, request

from server.sandbox import SandboxClock
from server.sandbox.delivery import Deliveries, Policy
from server.sandbox.serve import serve
from tests.sandbox.conftest import NOON


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
    deliveries = Deliveries(SandboxClock(NOON, frozen=True))
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
        deliveries.clock.advance(timedelta(minutes=5 if expected != 1 or hook.due <= NOON else 3))
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
    deliveries = Deliveries(SandboxClock(NOON, frozen=True), auto=True)
    deliveries.queue("shop", inbox.url, b"a")
    assert deliveries.wait_idle()
    assert inbox.bodies == [b"a"]
    deliveries.stop()


def test_auto_tries_again_when_the_clock_has_moved(inbox: Inbox) -> None:
    deliveries = Deliveries(SandboxClock(NOON), auto=True)
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
