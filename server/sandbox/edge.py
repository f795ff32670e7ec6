"""The layer in front of each emulated vendor: faults are applied and every call is counted here.

A WSGI middleware, so that the vendor's own code knows nothing of lost replies and late commits.
"""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.http import HTTP_STATUS_CODES, http_date

from .clock import SandboxClock
from .faults import Fault, Faults
from .serve import cut

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environ = dict[str, Any]
Call = tuple[str, str, int]


class NotedCall(tuple[str, str, int]):
    """(method, path, status), equal to the plain tuple; ``at`` is when it ended, sandbox time."""

    at: datetime


PROXY_PAGE = (
    "<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n"
    "<center><h1>{status} {phrase}</h1></center>\r\n<hr><center>nginx</center>\r\n"
    "</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Answer:
    """One HTTP reply, whole."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)


class Shapes(Protocol):
    """How a vendor words the errors that a fault asks for."""

    def error(self, status: int, path: str) -> Answer: ...

    def throttled(self, seconds: float, path: str) -> Answer: ...


def html_page(status: int) -> Answer:
    """What a proxy before the vendor answers."""
    phrase = HTTP_STATUS_CODES.get(status, "Error")
    page = PROXY_PAGE.format(status=status, phrase=phrase)
    return Answer(status, page.encode(), "text/html; charset=utf-8")


class Edge:
    """``app`` behind the faults of ``vendor``; each call is appended to ``calls``.

    ``calls`` rows are (method, path, status); status 0 where the caller saw no reply.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        vendor: str,
        faults: Faults,
        clock: SandboxClock,
        shapes: Shapes,
        calls: list[Call] | None = None,
    ) -> None:
        self.app = app
        self.vendor = vendor
        self.calls = calls if calls is not None else []
        self._faults = faults
        self._shapes = shapes
        self._clock = clock
        self._late = LateCalls(clock)

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        met = self._faults.take(self.vendor, method, path)
        if not met:
            return self._plain(environ, start_response)
        for fault in met:
            if fault.kind == "slow":
                time.sleep(fault.seconds)
        deciding = next((fault for fault in met if fault.kind != "slow"), None)
        if deciding is None:
            return self._plain(environ, start_response)
        return self._faulty(deciding, environ, start_response)

    def _plain(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        def noting(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            self._note(environ, int(status[:3]))
            # A vendor's clock is told by this header; ours is the sandbox's.
            dated = [*headers, ("Date", http_date(self._clock.now()))]
            return start_response(status, dated, exc_info)

        return self.app(environ, noting)

    def _faulty(
        self, fault: Fault, environ: Environ, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if fault.kind == "late_commit":
            later = remembered(environ)
            self._late.add(fault.seconds, lambda: whole_reply(self.app, later))
            self._note(environ, 0)
            raise cut(environ)
        if fault.kind in ("lose_reply", "truncate", "error_after", "html_after", "slow_after"):
            reply = whole_reply(self.app, environ)
            if fault.kind == "slow_after":
                time.sleep(fault.seconds)
                self._note(environ, int(reply[0][:3]))
                start_response(reply[0], reply[1])
                return [reply[2]]
            if fault.kind == "lose_reply":
                self._note(environ, 0)
                raise cut(environ)
            if fault.kind == "truncate":
                self._note(environ, 0)
                return half_of(reply, environ, start_response)
        else:
            drain(environ)
        answer = self._instead(fault, environ.get("PATH_INFO", "/"))
        self._note(environ, answer.status)
        return send(answer, start_response)

    def _instead(self, fault: Fault, path: str) -> Answer:
        if fault.kind == "throttle":
            return self._shapes.throttled(fault.seconds, path)
        if fault.kind in ("html", "html_after"):
            return html_page(502 if fault.status == 500 else fault.status)
        if fault.kind == "forbidden_html":
            return html_page(403)
        status = {"conflict": 409, "unauthorized": 401}.get(fault.kind, fault.status)
        return self._shapes.error(status, path)

    def _note(self, environ: Environ, status: int) -> None:
        call = NotedCall((environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"), status))
        call.at = self._clock.now()
        self.calls.append(call)


class LateCalls:
    """Calls whose connection is gone and whose effect is still to come."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[tuple[datetime, Callable[[], object]]] = []
        clock.on_move(self.run_due)

    def add(self, seconds: float, act: Callable[[], object]) -> None:
        with self._lock:
            self._waiting.append((self._clock.now() + timedelta(seconds=seconds), act))
        if not self._clock.frozen:
            timer = threading.Timer(seconds, self.run_due)
            timer.daemon = True
            timer.start()

    def run_due(self) -> None:
        with self._lock:
            now = self._clock.now()
            due = [act for at, act in self._waiting if at <= now]
            self._waiting = [row for row in self._waiting if row[0] > now]
        for act in due:
            act()


def drain(environ: Environ) -> bytes:
    """Read the request's body, so that closing the connection resets nothing."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return bytes(environ["wsgi.input"].read(length)) if length else b""


def remembered(environ: Environ) -> Environ:
    """A copy of the request that outlives its connection."""
    body = drain(environ)
    return {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def whole_reply(app: "WSGIApplication", environ: Environ) -> tuple[str, list[Any], bytes]:
    """Run ``app`` and collect its reply: status line, headers, body."""
    seen: list[tuple[str, list[Any]]] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        seen.append((status, headers))
        return sys.stderr.write

    chunks = app(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return seen[-1][0], seen[-1][1], body


def half_of(
    reply: tuple[str, list[Any], bytes], environ: Environ, start_response: "StartResponse"
) -> Iterable[bytes]:
    """The head with the full length, half the body, and then nothing more."""
    status, headers, body = reply
    start_response(status, headers)
    yield body[: len(body) // 2]
    raise cut(environ)


def send(answer: Answer, start_response: "StartResponse") -> list[bytes]:
    phrase = HTTP_STATUS_CODES.get(answer.status, "Error")
    headers = [
        ("Content-Type", answer.content_type),
        ("Content-Length", str(len(answer.body))),
        *answer.headers,
    ]
    start_response(f"{answer.status} {phrase}", headers)
    return [answer.body]
