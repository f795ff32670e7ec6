"""Time is passed in: whoever decides by the hour gets a ``Clock``, never the system's own."""

from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    def now(self) -> datetime:
        """The present as an aware UTC datetime."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def known_zone(told: object) -> str:
    """The IANA name that a vendor tells; "UTC" where it tells none that this machine knows: a zone
    may be newer than the machine's list."""
    try:
        return ZoneInfo(str(told)).key if told else "UTC"
    except (LookupError, ValueError, OSError):
        return "UTC"
