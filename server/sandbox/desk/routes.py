"""The desk's addresses: the page, its state for polling, and what a person may do on it.

GET  /                      the page
GET  /desk/state.json?since=  what changed since that version
POST /desk/…                one act, a JSON object in, ``{"said": sentence}`` out;
                            ``{"error": sentence}`` with 4xx where the vendor would refuse
"""

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, render_template, request

from server.sandbox.freshbooks.errors import Refused as FreshbooksRefused
from server.sandbox.kommo.book.base import Refused as KommoRefused

from . import acts, mischief
from .desk import Desk

if TYPE_CHECKING:
    from server.sandbox import Sandbox

# The page needs no more than its own files; inline scripts and other hosts stay out.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

page = Blueprint(
    "desk", __name__, template_folder="templates", static_folder="static",
    static_url_path="/desk/static",
)  # fmt: skip


def blueprint(sandbox: "Sandbox") -> Blueprint:
    """The desk of ``sandbox``, to be registered once on its control app."""
    page_of = Blueprint("desk_of", __name__)
    desk = Desk(sandbox)
    page_of.record(lambda setup: setup.app.extensions.update(desk=desk))
    page_of.register_blueprint(page)
    return page_of


def _desk() -> Desk:
    desk: Desk = current_app.extensions["desk"]
    return desk


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


@page.after_request
def _guarded(reply: Response) -> Response:
    reply.headers["Content-Security-Policy"] = POLICY
    reply.headers["X-Content-Type-Options"] = "nosniff"
    reply.headers["Cache-Control"] = "no-store"
    return reply


@page.errorhandler(acts.Impossible)
def _impossible(error: acts.Impossible) -> Response:
    return _json({"error": str(error)}, 422)


@page.errorhandler(KommoRefused)
def _kommo_refused(error: KommoRefused) -> Response:
    return _json({"error": f"Kommo does not take this: {error.detail} ({error.path})"}, 422)


@page.errorhandler(FreshbooksRefused)
def _freshbooks_refused(error: FreshbooksRefused) -> Response:
    return _json({"error": f"FreshBooks refuses: {error.wrongs[0].message}"}, 422)


@page.get("/")
def board_page() -> str:
    groups = mischief.groups()
    state = json.dumps(_desk().since("")).replace("<", "\\u003c")
    return render_template("desk/page.html", groups=groups, state=state)


@page.get("/desk/state.json")
def state() -> Response:
    return _json(_desk().since(request.args.get("since", "")))


@page.post("/desk/<path:what>")
def act(what: str) -> Response:
    """JSON only: a foreign page cannot send that to the loopback without asking first."""
    order = request.get_json(silent=True)
    if not isinstance(order, dict):
        raise acts.Impossible("send a JSON object")
    return _json({"said": acts.perform(_desk(), what, order)})
