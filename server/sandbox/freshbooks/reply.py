"""What every route of the emulator shares: its world, JSON in and out, who is asking."""

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, request

from server.sandbox.freshbooks.errors import NOT_AUTHORIZED, not_found, refused
from server.sandbox.freshbooks.oauth import Grant
from server.sandbox.freshbooks.state import Books, Row

if TYPE_CHECKING:
    from server.sandbox.freshbooks.world import FreshbooksWorld


def world() -> "FreshbooksWorld":
    """The world that the running app belongs to."""
    found: FreshbooksWorld = current_app.extensions["freshbooks"]
    return found


def json_reply(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def result(**found: Any) -> Response:
    """{"response": {"result": …}}, 200 also for a create."""
    return json_reply({"response": {"result": found}})


def sent_body() -> Row:
    """The JSON object that was sent; 400 for anything else."""
    try:
        body = json.loads(request.get_data(), parse_float=Decimal) if request.is_json else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise refused(400, 1005, "The request body could not be parsed.")
    return body


def sent_object(key: str) -> Row:
    """The object under ``key`` of the JSON body; a foreign wrapper leaves it empty."""
    found = sent_body().get(key, {})
    if not isinstance(found, dict):
        raise refused(422, 1004, f"{key} must be an object.", field=key)
    return found


def grant() -> Grant:
    """The caller's grant; 401 without a live token."""
    found: Grant | None = world().authority.access(request.headers.get("Authorization", ""))
    if found is None:
        raise refused(401, 1003, NOT_AUTHORIZED)
    return found


def books_of(account_id: str, scope: str, *, write: bool = False) -> Books:
    """The account's books if the caller's token, role and scopes allow it (reference §1.4)."""
    caller = grant()
    role = caller.identity.role_at(account_id)
    if role is None:
        known = any(b.account_id == account_id for b in world().businesses)
        if known:
            raise refused(403, 1003, "Permission Denied")
        raise not_found("account", "accountid", account_id)
    if scope and f"user:{scope}:{'write' if write else 'read'}" not in caller.scopes:
        raise refused(403, 1003, "The token does not have the required scope.")
    if write and role.account_role == "client":
        raise refused(403, 1003, "Permission Denied")
    return role.books
