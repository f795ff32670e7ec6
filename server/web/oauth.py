"""Where browsers and vendors' servers come to connect an account, and to say that it has ended.

A view only reads the request and names the answer; the stories are in ``flows``.
"""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.flows import connect, connect_freshbooks, connect_kommo, farewell, welcome
from server.flows import sign_in as flow
from server.flows.connect import TICKET_LIFE, Begun, CannotConnect
from server.flows.connect_kommo import Answer
from server.flows.farewell import Notice
from server.vendors.http import VENDOR_NAMES
from server.web import sign_in
from server.web.auth import Auth, needs
from server.web.errors import page, said
from server.web.here import world
from server.web.languages import spoken
from server.web.visitor import in_cookie, our_origin, pinned

oauth = Blueprint("oauth", __name__, url_prefix="/oauth")

_RETURNING = BoundedSemaphore(2)  # browsers that come back at one moment
LONGEST = 4096  # characters of one value in a query; a code has about 1000
STORIES: dict[str, Any] = {"kommo": connect_kommo, "freshbooks": connect_freshbooks}


@oauth.before_request
def _readable() -> Response | None:
    if request.method == "HEAD":  # a link preview may not spend a ticket
        abort(405)
    values = [*request.args.values()]
    if len(values) > 20 or any(len(value) > LONGEST for value in values):
        return said(400, _("The query is longer than any that we know."))
    return None


@oauth.errorhandler(CannotConnect)
def _cannot(error: CannotConnect) -> Response:
    return said(400, spoken(error.sentence))


@oauth.get("/<any(kommo, freshbooks):vendor>/start")
@needs(Auth.TICKET)
def start(vendor: str) -> AnyResponse:
    """Spend the ticket, bind the browser, go to the vendor. A ticket of our own pages is spent by
    the session that it was made in."""
    session = in_cookie()
    ticket = request.args.get("ticket", "")
    url, browser = STORIES[vendor].start(world(), ticket, session.holder if session else None)
    return _bound(redirect(url), vendor, browser)


@oauth.get("/<any(kommo, freshbooks):vendor>/window")
@needs(Auth.NOBODY)
def window(vendor: str) -> AnyResponse:
    """What the frame inside Kommo opens, where no cookie can tell whose browser it is. The window
    asks whoever opened it for the ticket; only a page of our own origin is asked and heard."""
    answer = Response(render_template("window.html", vendor=vendor, name=VENDOR_NAMES[vendor]))
    answer.headers["Referrer-Policy"] = "same-origin"  # with none, its request's Origin is "null"
    return answer


@oauth.post("/<any(kommo, freshbooks):vendor>/window")
@needs(Auth.TICKET)
def start_in_window(vendor: str) -> AnyResponse:
    """The window was given a ticket: spend it, bind the browser, and say where to go. No other
    site's page can send this, so nobody's browser is bound to a stranger's ticket."""
    if request.headers.get("Origin") != our_origin():
        abort(403)
    ticket = request.form.get("ticket", "")
    holder = connect.holder_of(world(), ticket)
    url, browser = STORIES[vendor].start(world(), ticket, holder)
    return _bound(jsonify({"url": url}), vendor, browser)


@oauth.get("/kommo/callback")
@needs(Auth.STATE)
def kommo_callback() -> AnyResponse:
    """A browser comes back; or Kommo's server tells of a widget's installation, which proves
    nothing and is looked into later."""
    if request.args.get("from_widget"):
        if not welcome.leave(world(), _answer()):
            return said(429)
        return Response("ok", mimetype="text/plain")
    return _patiently(lambda: _came_back("kommo"))


@oauth.get("/freshbooks/callback")
@needs(Auth.STATE)
def freshbooks_callback() -> AnyResponse:
    """From a consent to connect, or of somebody who signs in."""
    if flow.is_ours(world(), request.args.get("state", "")):
        return _patiently(lambda: sign_in.came_back(_answer()))
    return _patiently(lambda: _came_back("freshbooks"))


@oauth.get("/kommo/revoked")
@needs(Auth.SIGNATURE)
def kommo_revoked() -> Response:
    """The integration was switched off in an account."""
    args = request.args
    notice = Notice(
        account_id=args.get("account_id", ""),
        client=args.get("client_uuid") or args.get("client_id", ""),
        signature=args.get("signature", ""),
    )
    if not farewell.hear(world(), notice):
        return said(403, "The signature is not Kommo's.")
    return Response(status=204)


def _patiently(answer: Callable[[], AnyResponse]) -> AnyResponse:
    """A vendor is called meanwhile: however slow it is, most threads stay free for hooks."""
    if not _RETURNING.acquire(blocking=False):
        return said(503)
    try:
        return answer()
    finally:
        _RETURNING.release()


def _came_back(vendor: str) -> AnyResponse:
    begun = Begun(request.args.get("state", ""), request.cookies.get(_cookie(vendor), ""))
    STORIES[vendor].take_answer(world(), begun, _answer())
    waiting = _("Almost done. Go back to where you began and confirm what is connected.")
    response = Response(page(_("Connected, almost"), waiting), mimetype="text/html")
    response.delete_cookie(_cookie(vendor), path="/")
    return response


def _bound(response: AnyResponse, vendor: str, browser: str) -> AnyResponse:
    secure = world().public_url.startswith("https:")
    response.set_cookie(
        _cookie(vendor),
        browser,
        max_age=TICKET_LIFE,
        secure=secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


def _answer() -> Answer:
    args = request.args
    return Answer(args.get("code", ""), args.get("referer", ""), args.get("error", ""))


def _cookie(vendor: str) -> str:
    return pinned(f"billhook-{vendor}")
