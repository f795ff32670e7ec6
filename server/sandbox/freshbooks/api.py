"""api.freshbooks.com as one Flask app: counting, refusals in shape, unknown calls noted."""

import json
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from server.sandbox.edge import Answer
from server.sandbox.freshbooks.accounting import accounting
from server.sandbox.freshbooks.callbacks import callbacks
from server.sandbox.freshbooks.errors import NOT_AUTHORIZED, Refused, Wrong, body_for
from server.sandbox.freshbooks.limits import Standing
from server.sandbox.freshbooks.me import me
from server.sandbox.freshbooks.oauth import OAuthError
from server.sandbox.freshbooks.payment_options import options
from server.sandbox.freshbooks.reply import json_reply, world
from server.sandbox.freshbooks.token_api import tokens

if TYPE_CHECKING:
    from server.sandbox.freshbooks.world import FreshbooksWorld

#: The wording of faults and of the gateway, by status: errno and message.
WORDS = {
    401: (1003, NOT_AUTHORIZED),
    403: (1003, "Permission Denied"),
    404: (1012, "Requested resource could not be found."),
    405: (1003, "The method is not allowed for the requested URL."),
    409: (409, "Conflict: the resource is being modified by another request."),
    429: (429, "API rate limit exceeded."),
}


def api_app(of: "FreshbooksWorld") -> Flask:
    """The API host; ``of`` holds its state."""
    app = Flask("sandbox_freshbooks_api", static_folder=None)
    app.extensions["freshbooks"] = of
    for part in (accounting, callbacks, options, me, tokens):
        app.register_blueprint(part)
    app.before_request(_count)
    app.after_request(_with_headers)
    app.register_error_handler(Refused, _refusal)
    app.register_error_handler(OAuthError, oauth_refusal)
    app.register_error_handler(HTTPException, _no_such_call)
    return app


def general(status: int) -> Refused:
    """A refusal that names no field."""
    errno, message = WORDS.get(status, (500, "An unexpected error occurred."))
    return Refused(status, Wrong(errno, message))


def _count() -> Response | None:
    caller = request.headers.get("Authorization", "")
    standing = world().limits.count(caller, request.method, request.path)
    g.standing = standing
    return _refusal(general(429)) if standing.exceeded else None


def _with_headers(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers.update(standing.headers())
    return response


def _refusal(problem: Refused) -> Response:
    style = world().env.switches.error_shape
    return json_reply(body_for(request.path, problem, style), problem.status)


def oauth_refusal(problem: OAuthError) -> Response:
    body = {"error": problem.error, "error_description": problem.description}
    return json_reply(body, problem.status)


def _no_such_call(problem: HTTPException) -> Response:
    """An unknown route or verb: refused in shape, and noted for tests to see."""
    status = problem.code or 500
    if isinstance(problem, NotFound | MethodNotAllowed):
        world().unknown_calls.append((request.method, request.path))
    return _refusal(general(status))


class FreshbooksShapes:
    """How faults are worded: as the family of the path words its own errors."""

    def __init__(self, of: "FreshbooksWorld") -> None:
        self._world = of

    def error(self, status: int, path: str) -> Answer:
        body = body_for(path, general(status), self._world.switches.error_shape)
        return Answer(status, json.dumps(body).encode())

    def throttled(self, seconds: float, path: str) -> Answer:
        answer = self.error(429, path)
        headers = [("Retry-After", str(int(seconds))), ("X-RateLimit-Remaining", "0")]
        return Answer(429, answer.body, headers=headers)
