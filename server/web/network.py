"""Whence a request comes: tells one stranger from another for limits, and gives nobody a right."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from flask import Request

ONE_HOME = 64  # leading bits of an IPv6 address; one person has all that begin with them


def network(request: Request) -> str:
    """The caller's. Where a neighbour calls, that is a proxy before us: then the last address that
    the proxy says it was called from. "" where nobody says."""
    direct = _address(request.remote_addr or "")
    told = _address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2])
    seen = told if told and direct and direct.is_private else direct
    if isinstance(seen, IPv6Address):
        return f"{int(seen) >> (128 - ONE_HOME):x}"
    return str(seen or "")


def _address(told: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(told.strip())
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
