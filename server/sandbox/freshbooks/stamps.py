"""Times as FreshBooks prints them: US/Eastern without a zone, but UTC for some (reference §2.5)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


def eastern(at: datetime) -> str:
    """ "2026-09-01 08:00:00" on the US east coast, daylight saving included."""
    return at.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S")


def eastern_micros(at: datetime) -> str:
    """The ``version`` of a row: the same clock with microseconds."""
    return at.astimezone(EASTERN).strftime("%Y-%m-%d %H:%M:%S.%f")


def utc(at: datetime) -> str:
    """A client's ``signup_date``: the same print in UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def iso(at: datetime) -> str:
    """Callbacks and /me print ISO with Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: datetime, zone: str) -> date:
    """The calendar day in a business's own zone."""
    return at.astimezone(ZoneInfo(zone)).date()
