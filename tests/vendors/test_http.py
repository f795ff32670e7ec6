"""The seam to the outside: what is known of a call, whatever the other end does with it."""

import gc
import gzip
import socket
import ssl
import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from server.core.errors import Certainty, TryLater
from server.vendors import connection, http
from server.vendors.http import Caller, CallMade, Reply
from tests.fixed_clock import START
from tests.vendors.byte_server import ByteServer, Line, Script, answer
from tests.vendors.conftest import MakeCaller


@pytest.fixture
def caller(caller_of: MakeCaller) -> Caller:
    return caller_of("freshbooks", deadline=0.6)


def fails(caller: Caller, host: str, method: str = "POST", path: str = "/things") -> TryLater:
    with pytest.raises(TryLater) as caught:
        caller.send(method, f"http://{host}{path}", json={"a": 1})
    return caught.value


def once(data: bytes) -> Script:
    def script(line: Line) -> None:
        line.request()
        line.write(data)

    return script


def always(data: bytes) -> Script:
    def script(line: Line) -> None:
        while line.request():
            line.write(data)

    return script


def test_an_answer_comes_back_with_status_headers_and_body(
    caller: Caller, calls: list[CallMade]
) -> None:
    reply_bytes = answer(b'{"a": 1.10}', "422 No", "X-Request-Id: r-77\r\n")
    with ByteServer(once(reply_bytes)) as server:
        reply = caller.send("POST", f"http://{server.host}/v1/things/9?key=secret", json={})
    assert reply.status == 422
    assert reply.headers["x-request-id"] == "r-77"
    assert reply.json() == {"a": Decimal("1.10")}
    assert calls == [
        CallMade(
            "freshbooks",
            "POST",
            "/v1/things/9",
            422,
            "answered",
            START,
            calls[0].duration_ms,
            "r-77",
        )
    ]


def test_a_refused_connection_was_not_sent(caller: Caller, calls: list[CallMade]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = f"127.0.0.1:{listener.getsockname()[1]}"
    error = fails(caller, host)
    assert error.certainty is Certainty.NOT_SENT
    assert error.cause == "freshbooks:down"
    assert calls[0].outcome == "not_sent"
    assert calls[0].status is None


def test_an_unknown_host_was_not_sent(caller: Caller) -> None:
    assert fails(caller, "no-such-host.invalid").certainty is Certainty.NOT_SENT


def test_a_failed_handshake_was_not_sent(caller: Caller) -> None:
    no_tls = ByteServer(lambda line: line.write(b"this is no TLS\r\n" * 20))
    with no_tls as server, pytest.raises(TryLater) as caught:
        caller.send("POST", f"https://{server.host}/", json={})
    assert caught.value.certainty is Certainty.NOT_SENT


def test_a_certificate_that_nobody_vouches_for_was_not_sent(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: ssl.SSLSocket, block: bool = False) -> None:
        raise ssl.SSLCertVerificationError("self-signed certificate")

    monkeypatch.setattr(ssl.SSLSocket, "do_handshake", refuse)
    with ByteServer(lambda line: None) as server, pytest.raises(TryLater) as caught:
        caller.send("POST", f"https://{server.host}/", json={})
    assert caught.value.certainty is Certainty.NOT_SENT


def test_a_connection_cut_without_a_byte_is_uncertain(
    caller: Caller, calls: list[CallMade]
) -> None:
    with ByteServer(once(b"")) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN
    assert calls[0].outcome == "uncertain"


def test_a_body_cut_half_way_is_uncertain(caller: Caller) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b'{"response"'
    with ByteServer(once(cut)) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN


def test_a_chunked_body_cut_half_way_is_uncertain(caller: Caller) -> None:
    cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    with ByteServer(once(cut)) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN


def test_bytes_that_are_no_http_are_uncertain(caller: Caller) -> None:
    with ByteServer(once(b"220 mail.example ESMTP\r\n")) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN


def test_a_body_that_lies_about_its_compression_is_uncertain(caller: Caller) -> None:
    lie = answer(b"plain", headers="Content-Encoding: gzip\r\n")
    with ByteServer(once(lie)) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN


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


def test_a_reply_beyond_the_cap_is_uncertain(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_REPLY", 1000)
    with ByteServer(once(answer(b"x" * 1001))) as server:
        error = fails(caller, server.host)
    assert error.certainty is Certainty.UNCERTAIN
    assert "more than we read" in error.sentence


def test_the_cap_counts_what_unpacks(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_REPLY", 100_000)
    packed = gzip.compress(b" " * 5_000_000)
    with ByteServer(once(answer(packed, headers="Content-Encoding: gzip\r\n"))) as server:
        assert fails(caller, server.host).certainty is Certainty.UNCERTAIN


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Same", "308 Same"])
def test_a_redirect_is_handed_back_and_never_followed(caller: Caller, status: str) -> None:
    with ByteServer(always(answer(b"{}"))) as other:
        away = answer(b"", status, f"Location: http://{other.host}/elsewhere\r\n")
        with ByteServer(once(away)) as server:
            reply = caller.send("GET", f"http://{server.host}/x", headers={"Authorization": "t"})
        assert reply.status == int(status[:3])
        assert other.connections == 0


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


def test_nothing_secret_stands_in_what_is_raised_or_recorded(
    caller: Caller, calls: list[CallMade]
) -> None:
    with ByteServer(once(b"")) as server, pytest.raises(TryLater) as caught:
        caller.send(
            "POST",
            f"http://{server.host}/oauth",
            params={"hook": "s3cret-key"},
            headers={"Authorization": "Bearer s3cret"},
            form={"client_secret": "s3cret"},
        )
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "s3cret" not in f"{error} {error.sentence} {calls}"
    assert "s3cret" not in repr(Reply(200, {"Set-Cookie": "s3cret"}, b"s3cret"))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 7\r\n", timedelta(seconds=7)),
        ("Retry-After: 999999\r\n", timedelta(hours=1)),
        ("Retry-After: soon\r\n", timedelta(seconds=60)),
        ("", timedelta(seconds=60)),
    ],
)
def test_throttling_says_how_long_to_wait_and_burns_nothing(
    caller: Caller, header: str, wait: timedelta
) -> None:
    with ByteServer(once(answer(b"slow down", "429 Too Many", header))) as server:
        reply = caller.send("POST", f"http://{server.host}/x", json={})
    error = http.throttled("freshbooks", reply)
    assert (error.after, error.burns, error.certainty) == (wait, False, Certainty.REFUSED)
    assert error.cause == "freshbooks:throttled"


def test_kommo_counts_by_the_second() -> None:
    assert http.throttled("kommo", Reply(429, {}, b"")).after == timedelta(seconds=5)


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe{", b"[" * 100_000, b'{"a": NaN}'])
def test_a_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Reply(200, {}, body).json()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1:8081", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("demo.kommo.com", False),
        ("127.0.0.1.evil.com", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert http.is_loopback(host) is loopback
