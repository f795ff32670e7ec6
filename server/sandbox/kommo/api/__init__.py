"""One account's host: token endpoint and API v4 as a WSGI app."""

import uuid
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from server.sandbox.edge import html_page
from server.sandbox.kommo.api import here
from server.sandbox.kommo.api.basics import basics
from server.sandbox.kommo.api.catalogs import catalogs
from server.sandbox.kommo.api.complex import complex_leads
from server.sandbox.kommo.api.events import events
from server.sandbox.kommo.api.feed import feed
from server.sandbox.kommo.api.fields import fields
from server.sandbox.kommo.api.leads import leads
from server.sandbox.kommo.api.links import links
from server.sandbox.kommo.api.oauth import oauth
from server.sandbox.kommo.api.parties import parties
from server.sandbox.kommo.api.pipelines import pipelines
from server.sandbox.kommo.api.problems import (
    Invalid,
    Nothing,
    Problem,
    invalid_response,
    problem_response,
)
from server.sandbox.kommo.api.webhooks import webhooks
from server.sandbox.kommo.book.records import Actor
from server.sandbox.kommo.deal_page import deal_page
from server.sandbox.kommo.grants import Access
from server.sandbox.kommo.settings_frame import settings_frame

if TYPE_CHECKING:
    from server.sandbox.kommo.account import Account

BLUEPRINTS = (
    oauth, basics, leads, complex_leads, pipelines, parties, links, fields, catalogs, feed, events,
    webhooks, settings_frame, deal_page,
)  # fmt: skip


@cache
def account_app() -> Flask:
    """The app behind every account's host; building its routes takes long, so there is one."""
    app = Flask("kommo", static_folder=None)
    app.before_request(admit)
    app.after_request(name_the_request)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(Invalid, invalid_response)
    app.register_error_handler(Nothing, lambda _: Response(status=204))
    app.register_error_handler(HTTPException, unknown_call)
    return app


class AccountHost:
    """One account's host: one request at a time, for its state is plain dicts."""

    def __init__(self, account: "Account") -> None:
        self._account = account

    def __call__(self, environ: Any, start_response: Any) -> Any:
        with self._account.lock:
            return account_app()({**environ, "kommo.account": self._account}, start_response)


def unknown_call(error: HTTPException) -> Response:
    """A route or verb that Kommo does not have is noted, for nobody should call it."""
    status = error.code or 500
    if status in (404, 405):
        here.account().world.unknown_calls.append((request.method, request.path))
    return problem_response(Problem(status))


def name_the_request(response: Response) -> Response:
    """Support asks for it; seen on live replies, not documented."""
    response.headers["X-Request-Id"] = uuid.uuid4().hex
    return response


def admit() -> Response | None:
    """Block, token, subscription, rate: in this order, before anything is looked at."""
    account = here.account()
    limits = account.world.limits
    if limits.blocked:
        return _page(403)
    if not request.path.startswith("/api/"):
        return None
    access = _access()
    _take_user(access)
    if account.paid_until is not None:
        _check_subscription(account)
    if not limits.admit(access.grant.client_id, account.account_id):
        return _throttled()
    return None


def _page(status: int) -> Response:
    answer = html_page(status)
    return Response(answer.body, status, content_type=answer.content_type)


def _access() -> Access:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    account = here.account()
    access = account.world.grants.access(token) if scheme == "Bearer" else None
    if access is None or access.grant.account_id != account.account_id:
        raise Problem(401)
    user = account.users.get(access.grant.user_id)
    # An admin's grant survives its user; another's does not.
    if not access.grant.by_admin and (user is None or not user.is_active):
        raise Problem(401)
    return access


def _take_user(access: Access) -> None:
    """Whose rights count: the token's, or those of X-Context-User-ID."""
    account, grant = here.account(), access.grant
    named = request.headers.get("X-Context-User-ID")
    robot = account.switches.api_writes_as_robot
    g.actor, g.is_admin = Actor(grant.user_id, grant.client_id, as_robot=robot), grant.by_admin
    if named is None:
        return
    user = account.users.get(int(named)) if named.isdigit() else None
    if user is None or user.is_free or not user.is_active or not grant.by_admin:
        raise Problem(account.switches.context_user_denied_status, "The user is not allowed")
    g.actor, g.is_admin = Actor(user.id, grant.client_id), user.is_admin


def _check_subscription(account: "Account") -> None:
    """Ended: writes are refused at once, reads after thirty days."""
    assert account.paid_until is not None
    late = account.clock.now() - account.paid_until
    if late.total_seconds() > 0 and (request.method != "GET" or late.days >= 30):
        raise Problem(402)


def _throttled() -> Response:
    answer = here.account().world.shapes.throttled(0, request.path)
    return Response(answer.body, 429, answer.headers, content_type=answer.content_type)
