"""Lists: paging, the searches that are honoured, sorting (reference §2.3).

A key that a resource does not know is ignored without a word: the unfiltered list comes back.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from server.sandbox.freshbooks import stamps
from server.sandbox.freshbooks.errors import invalid
from server.sandbox.freshbooks.money import decimal_of
from server.sandbox.freshbooks.state import Books, Row, Table
from server.sandbox.freshbooks.switches import FreshbooksSwitches

Args = MultiDict[str, str]
#: what a searched value is compared with
Getter = Callable[[Row], Any]

DEFAULT_PER_PAGE = 15
MAX_PER_PAGE = 100


@dataclass(frozen=True)
class Searches:
    """The keys one resource honours, by how they compare.

    ``ids`` also take their plural with []; ``days`` and ``amounts`` take _min and _max.
    """

    ids: Mapping[str, Getter] = field(default_factory=dict)
    exact: Mapping[str, Getter] = field(default_factory=dict)
    like: Mapping[str, Getter] = field(default_factory=dict)
    flags: Mapping[str, Getter] = field(default_factory=dict)
    days: Mapping[str, Getter] = field(default_factory=dict)
    amounts: Mapping[str, Getter] = field(default_factory=dict)
    sorts: Mapping[str, Getter] = field(default_factory=dict)
    #: what depends on the day as well as on the row
    computed: Mapping[str, Callable[[Books, Row], str]] = field(default_factory=dict)


def listing(books: Books, table: Table, searches: Searches, args: Args) -> tuple[list[Row], Row]:
    """The asked page of rows and the page fields of the reply."""
    lag = books.switches.lists_lag_seconds
    as_of = books.now - timedelta(seconds=lag) if lag else None
    matching = _matching(books, table.listed(as_of), searches, args)
    return paged(_sorted(matching, searches, args), args)


def paged(rows: list[Row], args: Args) -> tuple[list[Row], Row]:
    """One page of ``rows``; past the end it is empty, which is no error."""
    page, per_page = _page(args, "page", 1014, 1), _page(args, "per_page", 1013, DEFAULT_PER_PAGE)
    per_page = min(per_page, MAX_PER_PAGE)
    start = (page - 1) * per_page
    fields = {
        "page": page,
        "pages": -(-len(rows) // per_page),
        "per_page": per_page,
        "total": len(rows),
    }
    return rows[start : start + per_page], fields


def _page(args: Args, key: str, errno: int, default: int) -> int:
    raw = args.get(key, "")
    if raw == "":
        return default
    if not re.fullmatch(r"\d{1,9}", raw):
        raise invalid(errno, f"{key} must be a positive number.", key, raw)
    return int(raw) or default


def _sorted(rows: Iterable[Row], searches: Searches, args: Args) -> list[Row]:
    """Newest id first; an unknown key with an ascending end just turns that round."""
    asked = args.get("sort", "")
    found = re.fullmatch(r"(.+)[_:](asc|desc)", asked)
    ordered = sorted(rows, key=lambda row: row["id"], reverse=True)
    if not found:
        return ordered
    key, ascending = found[1], found[2] == "asc"
    if key not in searches.sorts:
        return sorted(ordered, key=lambda row: row["id"], reverse=not ascending)
    getter = searches.sorts[key]
    return sorted(ordered, key=lambda row: getter(row) or "", reverse=not ascending)


def _matching(books: Books, rows: Iterable[Row], searches: Searches, args: Args) -> Iterable[Row]:
    asked = _asked(args)
    tests = [
        test
        for key, values in asked.items()
        if (test := _test(books, searches, key, values)) is not None
    ]
    states = _states(asked)
    return (r for r in rows if r.get("vis_state", 0) in states and all(t(r) for t in tests))


def _asked(args: Args) -> dict[str, list[str]]:
    """search[key]=v and search[keys][]=a."""
    found: dict[str, list[str]] = {}
    for name in args:
        match = re.fullmatch(r"search\[(\w+)\](\[\])?", name)
        if match:
            found.setdefault(match[1], []).extend(args.getlist(name))
    return found


def _states(asked: Mapping[str, list[str]]) -> tuple[int, ...]:
    """Active and archived, unless one state is asked for."""
    if "vis_state" not in asked:
        return (0, 2)
    return tuple(_whole("vis_state", value) for value in asked["vis_state"])


def _test(
    books: Books, searches: Searches, key: str, values: list[str]
) -> Callable[[Row], bool] | None:
    """The row test of one search key; None where the resource does not know the key."""
    switches = books.switches
    base, _, end = key.rpartition("_")
    if end in ("min", "max"):
        if base in searches.days:
            return _day_test(switches, searches.days[base], key, values[-1])
        if base in searches.amounts:
            return _amount_test(switches, searches.amounts[base], key, values[-1])
    if end == "like" and base in searches.like:
        return _like_test(switches, searches.like[base], values[-1])
    single = key.removesuffix("s") if key not in searches.ids else key
    if single in searches.ids:
        wanted = {_whole(key, value) for value in values}
        getter = searches.ids[single]
        return lambda row: getter(row) in wanted
    if key in searches.flags:
        return _flag_test(searches.flags[key], key, values[-1])
    if key in searches.computed:
        computed = searches.computed[key]
        return lambda row: computed(books, row) == values[-1]
    if key in searches.exact:
        return _exact_test(switches, searches.exact[key], key, values[-1])
    return None


def _whole(key: str, value: str) -> int:
    if not re.fullmatch(r"-?\d{1,15}", value):
        raise invalid(1015, f"{key} must be a number.", key, value)
    return int(value)


def _exact_test(
    switches: FreshbooksSwitches, getter: Getter, key: str, value: str
) -> Callable[[Row], bool]:
    if key == "invoice_number" and switches.invoice_number_search == "prefix":
        return lambda row: str(getter(row)).startswith(value)
    if key == "email" and not switches.email_search_case_sensitive:
        return lambda row: str(getter(row)).lower() == value.lower()
    return lambda row: str(getter(row)) == value


def _like_test(switches: FreshbooksSwitches, getter: Getter, value: str) -> Callable[[Row], bool]:
    if switches.email_search_case_sensitive:
        return lambda row: value in str(getter(row) or "")
    return lambda row: value.lower() in str(getter(row) or "").lower()


def _flag_test(getter: Getter, key: str, value: str) -> Callable[[Row], bool]:
    if value.lower() not in ("true", "false", "1", "0"):
        raise invalid(1031, f"{key} must be a boolean.", key, value)
    wanted = value.lower() in ("true", "1")
    return lambda row: bool(getter(row)) is wanted


def _day_test(
    switches: FreshbooksSwitches, getter: Getter, key: str, value: str
) -> Callable[[Row], bool]:
    """Days only: an ``updated`` filter cannot tell this morning from this evening."""
    try:
        bound = date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        bound = None
    if bound is None:
        raise invalid(1033, f"{key} must be a date in the format YYYY-MM-DD.", key, value)
    return _within(switches, lambda row: _day_of(getter(row), switches), key, bound)


def _amount_test(
    switches: FreshbooksSwitches, getter: Getter, key: str, value: str
) -> Callable[[Row], bool]:
    bound = decimal_of(value)
    if bound is None:
        raise invalid(1015, f"{key} must be a number.", key, value)
    return _within(switches, getter, key, bound)


def _within(
    switches: FreshbooksSwitches, getter: Getter, key: str, bound: date | Decimal
) -> Callable[[Row], bool]:
    if key.endswith("_min"):
        return lambda row: getter(row) >= bound
    if switches.range_max_inclusive:
        return lambda row: getter(row) <= bound
    return lambda row: getter(row) < bound


def _day_of(value: str, switches: FreshbooksSwitches) -> date:
    """A date, or the day of a US/Eastern stamp in the zone that the filter is read in."""
    if len(value) == 10:
        return date.fromisoformat(value)
    at = datetime.fromisoformat(value).replace(tzinfo=stamps.EASTERN)
    return at.astimezone(ZoneInfo(switches.updated_filter_zone)).date()
