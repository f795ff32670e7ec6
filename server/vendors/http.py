"""The one seam to the outside: every call to a vendor goes through ``Caller.send``.

It answers with whatever the vendor answered, or says what is known of a call that got no answer:
nothing was sent, or it may have happened. It never follows redirects, never sends a call again,
and leaves no URL, token or body in what it records or raises.
"""

import http.client
import ipaddress
import json as jsonlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from server import __version__
from server.core.clock import Clock
from server.core.errors import Certainty, TryLater
from server.core.messages import N_
from server.core.said import say
from server.vendors.connection import CURRENT, SHARED, Call, Connections

VENDOR_NAMES = {
    "kommo": "Kommo",
    "freshbooks": "FreshBooks",
    "commercetools": "commercetools",
    "sandbox": "The sandbox",  # which gives demo and tests their time
}

MAX_REPLY = 10 * 1024 * 1024  # the largest list page seen is under 1 MB
_CHUNK = 64 * 1024
_LONGEST_WAIT = timedelta(hours=1)  # a Retry-After beyond it is taken for a mistake
# Where a 429 does not say how long: FreshBooks counts by the minute (its reference, §7.1), Kommo by
# the second and blocks who keeps trying.
_USUAL_WAIT = {"kommo": timedelta(seconds=5)}
_LONG_WAIT = timedelta(seconds=60)

# urllib3 writes whole URLs into its log, with the queries that stand in them.
logging.getLogger("urllib3").setLevel(logging.ERROR)

T = TypeVar("T")
Params = Sequence[tuple[str, str | int]]


@dataclass(frozen=True)
class CallMade:
    """What is kept of a call: ids and statuses, never a query, a body or a token.

    ``outcome`` is "answered" or a ``Certainty``; ``request_id`` the vendor's, for its support.
    """

    vendor: str
    method: str
    path: str
    status: int | None
    outcome: str
    started_at: datetime
    duration_ms: int
    request_id: str = ""


@dataclass(frozen=True)
class Reply:
    """A vendor's answer, whatever its status. Header names are case-insensitive."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON, fractions as Decimal. Raises ValueError where it is none."""
        try:
            return jsonlib.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Caller:
    """Sends calls to one vendor. ``deadline`` bounds the whole call in real seconds, name look-up
    and connecting apart (``connect_timeout`` a try; an overrun is noticed before a byte is sent).
    """

    def __init__(
        self,
        vendor: str,
        *,
        clock: Clock,
        record: Callable[[CallMade], None],
        connect_timeout: float = 5.0,
        deadline: float = 30.0,
        connections: Connections = SHARED,
    ) -> None:
        self.vendor = vendor
        self.clock = clock
        self._record = record
        self._connect_timeout = connect_timeout
        self._deadline = deadline
        self._connections = connections

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """One HTTP call, once. Raises TryLater when no whole answer came: certainty NOT_SENT if
        not a byte went out, else UNCERTAIN.
        """
        request = _prepared(method, url, {**_ALWAYS, **(headers or {})}, params)
        request.prepare_body(form, None, json)
        call = Call(self._deadline)
        started, watch = self.clock.now(), monotonic()
        reply, why = self._exchange(request, call)
        made = CallMade(
            vendor=self.vendor,
            method=method,
            path=urlsplit(url).path,
            status=reply.status if reply else None,
            outcome="answered" if reply else _certainty(call),
            started_at=started,
            duration_ms=round((monotonic() - watch) * 1000),
            request_id=_request_id(reply),
        )
        self._record(made)
        if reply is None:  # raised outside the handler: the cause would carry the whole URL
            raise down(self.vendor, why, certainty=_certainty(call))
        return reply

    def _exchange(self, request: requests.PreparedRequest, call: Call) -> tuple[Reply | None, str]:
        adapter = self._connections.adapter()
        parts = urlsplit(str(request.url))
        settings = _environment(f"{parts.scheme}://{parts.netloc}")
        token = CURRENT.set(call)
        try:
            timeout = (self._connect_timeout, self._deadline)
            with adapter.send(request, timeout=timeout, **settings) as response:
                body = _read(response)
                if body is None:
                    return None, N_("%(vendor)s sent more than we read.")
                return Reply(response.status_code, response.headers, body), ""
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
        ) as error:
            return None, _in_words(error, call)
        finally:
            CURRENT.reset(token)


def down(
    vendor: str, why: str, *, certainty: Certainty = Certainty.UNCERTAIN, **facts: object
) -> TryLater:
    """The vendor is not there, or answers what it never should; ``why`` is a template of the
    sentence, in which %(vendor)s is its name."""
    sentence = say(why, vendor=VENDOR_NAMES[vendor], **facts)
    return TryLater(f"{vendor}:down", sentence, certainty=certainty)


def throttled(vendor: str, reply: Reply) -> TryLater:
    """429: nothing was done, and it is not this sale's fault."""
    return TryLater(
        f"{vendor}:throttled",
        say("%(vendor)s asks us to slow down.", vendor=VENDOR_NAMES[vendor]),
        after=_retry_after(reply.headers) or _USUAL_WAIT.get(vendor, _LONG_WAIT),
        burns=False,
        certainty=Certainty.REFUSED,
    )


def shaped(vendor: str, reader: Callable[[Any], T], node: Any) -> T:
    """``reader`` of an answer; a foreign shape is the vendor's fault, and of unknown effect."""
    try:
        return reader(node)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, OSError):
        pass
    raise down(vendor, N_("%(vendor)s answered in a shape that we do not know."))


def is_loopback(host: str) -> bool:
    """Whether ``host`` ("127.0.0.1:8081") is this machine, where plain http is allowed."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _read(response: requests.Response) -> bytes | None:
    """The whole body, or None where it is larger than we read."""
    parts, size = [], 0
    for part in response.iter_content(_CHUNK):
        size += len(part)
        if size > MAX_REPLY:
            return None
        parts.append(part)
    return b"".join(parts)


_ALWAYS = {
    **requests.utils.default_headers(),
    "User-Agent": f"Billhook/{__version__}",
    "Accept": "application/json",
}


def _prepared(
    method: str, url: str, headers: Mapping[str, str], params: Params | None
) -> requests.PreparedRequest:
    """By hand, for requests' own way (what a person may type as a URL, cookies, sign-in) costs a
    fifth of a call; what no URL may hold is escaped or refused below it, by urllib3.
    """
    request = requests.PreparedRequest()
    request.method = method
    request.url = f"{url}?{urlencode(params)}" if params else url
    request.headers = CaseInsensitiveDict(headers)
    return request


@lru_cache(maxsize=256)
def _environment(origin: str) -> Mapping[str, Any]:
    """What the environment says of calls to this host (proxies, certificates), but no proxy for
    this machine. Read once a host: looking each time cost a tenth of a call."""
    here = is_loopback(urlsplit(origin).netloc)
    proxies: dict[str, Any] = {"http": None, "https": None, "all": None} if here else {}
    with requests.Session() as session:
        return session.merge_environment_settings(origin, proxies, True, None, None)


def _certainty(call: Call) -> Certainty:
    return Certainty.UNCERTAIN if call.sending else Certainty.NOT_SENT


def _in_words(error: Exception, call: Call) -> str:
    if not call.sending:
        return N_("%(vendor)s could not be reached.")
    if isinstance(error, requests.Timeout | TimeoutError) or "timed out" in str(error).lower():
        return N_("%(vendor)s did not answer in time.")
    return N_("%(vendor)s broke the connection before its answer was whole.")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    text = headers.get("Retry-After", "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=int(text[:6])), _LONGEST_WAIT)


def _request_id(reply: Reply | None) -> str:
    return reply.headers.get("X-Request-Id", "")[:64] if reply else ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
