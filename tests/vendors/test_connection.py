"""Kept connections: one deadline for the whole call, nothing of one call on the next."""

import gc
import threading
import time

import pytest

from server.core.errors import Certainty
from server.vendors import connection
from server.vendors.http import Caller
from tests.vendors.byte_server import ByteServer, Line, Script, always, answer, once
from tests.vendors.conftest import MakeCaller, fails


def silent(line: Line) -> None:
    line.request()
    line.stopping.wait(5)


def drips_its_head(line: Line) -> None:
    line.request()
    line.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300)


def drips_its_body(line: Line) -> None:
    line.request()
    line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
    line.drip(b"x" * 400)


def drips_chunks(line: Line) -> None:
    line.request()
    line.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    line.drip(b"1\r\nx\r\n" * 100)


@pytest.mark.parametrize("script", [silent, drips_its_head, drips_its_body, drips_chunks])
def test_the_deadline_bounds_the_whole_call(caller: Caller, script: Script) -> None:
    with ByteServer(script) as server:
        began = time.monotonic()
        error = fails(caller, server.host)
        took = time.monotonic() - began
    assert error.certainty is Certainty.UNCERTAIN
    assert error.sentence == "FreshBooks did not answer in time."
    assert 0.5 < took < 2.0


def test_a_deadline_that_passed_while_connecting_sends_nothing(caller_of: MakeCaller) -> None:
    with ByteServer(silent) as server:
        error = fails(caller_of("kommo", deadline=1e-9), server.host)
    assert error.certainty is Certainty.NOT_SENT


def test_one_connection_carries_many_calls(caller: Caller) -> None:
    with ByteServer(always(answer(b"{}"))) as server:
        for _ in range(3):
            caller.send("GET", f"http://{server.host}/x")
        assert server.connections == 1


def test_a_kept_connection_that_the_server_closed_is_opened_anew(caller: Caller) -> None:
    with ByteServer(once(answer(b"{}"))) as server:  # keep-alive is promised, yet it hangs up
        for _ in range(5):
            assert caller.send("POST", f"http://{server.host}/x", json={}).status == 200
            assert server.hung_up.acquire(timeout=5)
        assert server.connections == 5


def test_a_connection_that_idled_too_long_is_opened_anew(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ByteServer(always(answer(b"{}"))) as server:
        caller.send("GET", f"http://{server.host}/x")
        monkeypatch.setattr(connection, "IDLE_AT_MOST", 0.0)
        caller.send("GET", f"http://{server.host}/x")
        assert server.connections == 2


def test_a_kept_connection_cut_after_the_request_is_uncertain(caller: Caller) -> None:
    def answers_the_first_only(line: Line) -> None:
        line.request()
        line.write(answer(b"{}"))
        line.request()

    with ByteServer(answers_the_first_only) as server:
        caller.send("GET", f"http://{server.host}/x")
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN
        assert server.connections == 1


def test_a_call_that_broke_leaves_the_next_one_whole(caller: Caller) -> None:
    state = {"first": True}

    def breaks_once(line: Line) -> None:
        while line.request():
            if state.pop("first", False):
                line.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                return
            line.write(answer(b'{"whole": 1}'))

    with ByteServer(breaks_once) as server:
        fails(caller, server.host)
        assert caller.send("GET", f"http://{server.host}/x").json() == {"whole": 1}


def test_connections_end_with_their_thread(caller: Caller) -> None:
    with ByteServer(always(answer(b"{}"))) as server:
        worker = threading.Thread(target=caller.send, args=("GET", f"http://{server.host}/x"))
        worker.start()
        worker.join()
        gc.collect()
        assert server.hung_up.acquire(timeout=5)


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ByteServer(always(answer(b"{}"))) as server:
        assert caller.send("GET", f"http://{server.host}/x").status == 200


def test_a_call_through_a_proxy_of_the_environment_has_the_deadline_too(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ByteServer(drips_its_head) as proxy:
        monkeypatch.setenv("http_proxy", f"http://{proxy.host}")
        monkeypatch.delenv("no_proxy", raising=False)
        began = time.monotonic()
        assert fails(caller, "vendor.invalid").certainty is Certainty.UNCERTAIN
        assert time.monotonic() - began < 2.0
        assert proxy.connections == 1


def test_no_cookie_of_one_call_rides_on_the_next(caller: Caller) -> None:
    seen: list[bytes] = []

    def sets_a_cookie(line: Line) -> None:
        while request := line.request():
            seen.append(request)
            line.write(answer(b"{}", headers="Set-Cookie: session=of-account-1; Path=/\r\n"))

    with ByteServer(sets_a_cookie) as server:
        for _ in range(2):
            caller.send("GET", f"http://{server.host}/x")
    assert len(seen) == 2
    assert b"cookie" not in seen[1].lower()


def test_a_netrc_file_never_replaces_our_token(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w") as file:
        file.write("machine 127.0.0.1 login eve password eve\n")
    monkeypatch.setenv("NETRC", netrc)
    seen: list[bytes] = []

    def keeps(line: Line) -> None:
        seen.append(line.request())
        line.write(answer(b"{}"))

    with ByteServer(keeps) as server:
        caller.send("GET", f"http://{server.host}/x", headers={"Authorization": "Bearer ours"})
    assert b"Authorization: Bearer ours" in seen[0]
