"""The seam to the outside: what is known of a call, whatever the other end does with it."""

import gzip
import socket
import ssl
from datetime import timedelta
from decimal import Decimal

import pytest

from server.core.errors import Certainty, TryLater
from server.vendors import http
from server.vendors.http import Caller, CallMade, Reply
from tests.fixed_clock import START
from tests.vendors.byte_server import ByteServer, always, answer, once
from tests.vendors.conftest import fails


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
