"""One try at posting a hook.

Nothing leaves the loopback: a hook for any other host fails as if the host were down.
"""

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from .delivery import Delivery

#: What is noted when no HTTP status came back.
TIMED_OUT = 499
UNREACHABLE = 0


def post(session: requests.Session, hook: "Delivery") -> int:
    """One try; the HTTP status, 499 for a time-out, 0 where nobody answered."""
    if not is_loopback(hook.url):
        return UNREACHABLE
    try:
        with session.request(
            hook.method,
            hook.url,
            data=hook.body or None,
            headers=hook.headers,
            timeout=hook.policy.timeout,
            allow_redirects=False,
        ) as reply:
            return reply.status_code
    except requests.Timeout:
        return TIMED_OUT
    except requests.RequestException:
        return UNREACHABLE


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
