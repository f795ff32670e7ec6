"""The call at hand: its account, who makes it, its body and its query."""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Response, g, request

from server.sandbox.kommo.api.problems import Invalid, Problem
from server.sandbox.kommo.book.base import Refused
from server.sandbox.kommo.book.records import Actor

if TYPE_CHECKING:
    from server.sandbox.kommo.account import Account

MAX_ROWS = 250


def account() -> "Account":
    here: Account = request.environ["kommo.account"]
    return here


def actor() -> Actor:
    """Who acts: the integration, in the name of its user or of X-Context-User-ID."""
    by: Actor = g.actor
    return by


def is_admin() -> bool:
    return bool(g.is_admin)


def need_admin() -> None:
    """Raises Problem 403."""
    if not is_admin():
        raise Problem(403)


def reply(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/hal+json")


def self_link(*path: Any) -> dict[str, Any]:
    """``{"self": {"href": ...}}`` of this account's host."""
    tail = "/".join(str(part) for part in path)
    return {"self": {"href": f"{request.host_url}api/v4/{tail}"}}


def with_() -> set[str]:
    return {part.strip() for part in request.args.get("with", "").split(",") if part.strip()}


def json_body() -> Any:
    """Exact numbers: 1200.75 stays 1200.75. Raises Problem 400."""
    try:
        return json.loads(request.get_data(), parse_float=Decimal)
    except ValueError:
        raise Problem(400, "The request body is not valid JSON") from None


def rows(keys: frozenset[str]) -> list[dict[str, Any]]:
    """The body as rows: an array of 1 to 250 objects. Raises Problem 400."""
    body = json_body()
    if not isinstance(body, list) or not body or not all(isinstance(row, dict) for row in body):
        raise Problem(400, "The request body should be an array of objects")
    if len(body) > MAX_ROWS:
        raise Problem(400, f"No more than {MAX_ROWS} entities in a request")
    for row in body:
        note_unknown_keys(row, keys)
    return body


def one(keys: frozenset[str]) -> dict[str, Any]:
    """The body as one object. Raises Problem 400."""
    body = json_body()
    if not isinstance(body, dict):
        raise Problem(400, "The request body should be an object")
    note_unknown_keys(body, keys)
    return body


def note_unknown_keys(row: Mapping[str, Any], keys: frozenset[str]) -> None:
    """The vendor ignores them silently; the world keeps a list, so that a typo is noticed."""
    for key in row.keys() - keys:
        account().world.unknown_keys.append((request.method, request.path, key))


def request_id(row: Mapping[str, Any], index: int) -> str:
    return str(row.get("request_id", index))


def check_all(
    bodies: Iterable[Mapping[str, Any]], check: Callable[[Mapping[str, Any]], None]
) -> None:
    """Check each row before any is written. Raises Invalid with all that is wrong."""
    errors = []
    for index, row in enumerate(bodies):
        try:
            check(row)
        except Refused as refused:
            errors.append((request_id(row, index), [refused]))
    if errors:
        raise Invalid(errors)


def check_types(row: Mapping[str, Any], **kinds: type | tuple[type, ...]) -> None:
    """Raises Refused for a value of another JSON type; booleans are no numbers."""
    for key, kind in kinds.items():
        value = row.get(key)
        if value is None:
            continue
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            name = kind.__name__ if isinstance(kind, type) else "int"
            raise Refused("InvalidType", key, f"This value should be of type {name}.")
