"""Queries and pages: PHP's brackets in, HAL lists out, 204 for an empty one (§4.0)."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request

from server.sandbox.kommo.api import here
from server.sandbox.kommo.api.problems import Nothing, invalid_query

T = TypeVar("T")
_SEGMENT = re.compile(r"\[([^\]]*)\]")
DEFAULT_LIMIT = 50


def brackets(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """``filter[id][]=1&filter[id][]=2`` as ``{"filter": {"id": {"0": "1", "1": "2"}}}``."""
    tree: dict[str, Any] = {}
    for key, value in pairs:
        path = [key.split("[", 1)[0], *_SEGMENT.findall(key)]
        node = tree
        for segment in path[:-1]:
            inner = node.get(segment)
            if not isinstance(inner, dict):
                inner = node[segment] = {}
            node = inner
        node[path[-1] or str(len(node))] = value
    return tree


def query_tree() -> dict[str, Any]:
    return brackets(request.args.items(multi=True))


def filters() -> dict[str, Any]:
    tree = query_tree().get("filter")
    return tree if isinstance(tree, dict) else {}


def listed(node: Any) -> list[str]:
    """One value or several, as texts."""
    if node is None:
        return []
    return [str(one) for one in node.values()] if isinstance(node, dict) else [str(node)]


def ints(node: Any) -> set[int]:
    return {int(one) for one in listed(node) if one.lstrip("-").isdigit()}


def within(node: Any, value: int | Decimal | None) -> bool:
    """``[from]``/``[to]`` (both inclusive), or one exact value."""
    if node is None:
        return True
    if value is None:
        return False
    try:
        if not isinstance(node, dict):
            return value == Decimal(node)
        low, high = node.get("from"), node.get("to")
        return (low is None or value >= Decimal(low)) and (high is None or value <= Decimal(high))
    except InvalidOperation:
        return True


def ordered(found: list[T], keys: Mapping[str, Callable[[T], Any]]) -> list[T]:
    """``order[updated_at]=asc``; an unknown key leaves the order as it is."""
    order = query_tree().get("order")
    if isinstance(order, dict):
        for name, direction in order.items():
            if name in keys:
                found = sorted(found, key=keys[name], reverse=str(direction).lower() == "desc")
    return found


def _number(name: str, default: int, highest: int | None) -> int:
    text = request.args.get(name)
    if text is None or text == "":
        return default
    if not text.isdigit() or int(text) < 1:
        raise invalid_query(name, "This value should be positive.")
    if highest is not None and int(text) > highest:
        raise invalid_query(name, f"This value should be {highest} or less.")
    return int(text)


def page(
    found: Sequence[T],
    key: str,
    shape: Callable[[T], dict[str, Any]],
    *,
    highest: int = 250,
    cap: int = 0,
    totals: bool = False,
) -> Response:
    """One page of ``found``. ``cap`` cuts the limit silently. Raises Nothing past the end."""
    number = _number("page", 1, None)
    limit = _number("limit", DEFAULT_LIMIT, highest)
    limit = min(limit, cap) if cap else limit
    rows = found[(number - 1) * limit : number * limit]
    if not rows:
        raise Nothing
    last = ceil(len(found) / limit)
    links = {"self": _href(number)}
    if number < last:
        links["next"] = _href(number + 1)
    if number > 1:
        links |= {"first": _href(1), "prev": _href(number - 1)}
    body: dict[str, Any] = {"_page": number, "_links": links}
    if totals:
        body = {"_total_items": len(found), "_page": number, "_page_count": last, "_links": links}
        if number < last:
            links["last"] = _href(last)
    body["_embedded"] = {key: [shape(row) for row in rows]}
    return here.reply(body)


def _href(number: int) -> dict[str, str]:
    pairs = [(k, v) for k, v in request.args.items(multi=True) if k != "page"]
    query = urlencode([*pairs, ("page", str(number))], safe="[],")
    return {"href": f"{request.base_url}?{query}"}


def whole(key: str, rows: list[dict[str, Any]], *, totals: bool = True) -> Response:
    """A list without pages. Raises Nothing when empty."""
    if not rows:
        raise Nothing
    head: dict[str, Any] = {"_total_items": len(rows)} if totals else {}
    links = {"self": {"href": request.base_url}}
    return here.reply({**head, "_links": links, "_embedded": {key: rows}})


def made(key: str, rows: list[dict[str, Any]], *, totals: bool = False) -> Response:
    """The reply to a bulk write."""
    head: dict[str, Any] = {"_total_items": len(rows)} if totals else {}
    links = {"self": {"href": request.base_url}}
    return here.reply({**head, "_links": links, "_embedded": {key: rows}})
