"""The settings inside Kommo: an empty page in a frame, and the session that Kommo's widget fetches
for it.

The frame holds no data and no cookie. The widget proves its user to us with Kommo's one-time
token and hands the session that it gets to the frame; from there the pages are those of ``/app``.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from flask import url_for as address
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.core.errors import Outcome
from server.flows import kommo_visit
from server.flows.kommo_visit import NotLetIn, Why
from server.vendors.kommo.auth import host_allowed
from server.web import pages as frame
from server.web import sessions
from server.web.auth import Auth, Role, needs
from server.web.errors import said
from server.web.headers import policy
from server.web.here import world
from server.web.languages import chosen
from server.web.sessions import Session

pages = Blueprint("embed", __name__, url_prefix="/embed")

# Kommo's history is not ours to write: embed.js keeps the page behind the address's "#".
HTMX = json.dumps({**json.loads(frame.HTMX), "historyEnabled": False})
TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  # a header's name
THEMES = ("light", "dark")
ALLOWED = f"{TOKEN_HEADER}, Content-Type, X-Requested-With"
PREFLIGHT_LIVES = "600"  # seconds


@pages.get("/settings")
@needs(Auth.NOBODY)
def shell() -> AnyResponse:
    """What Kommo's page frames. ``host``: the account's, which alone may frame it; ``lang``;
    ``theme``: Kommo's own, which the machine's preference does not tell."""
    host = request.args.get("host", "")
    if not host_allowed(host, world().kommo.hosts):
        return said(400, _("This page belongs into Kommo. Open Billhook's settings there."))
    origin = kommo_visit.origin_of(host)
    theme = request.args.get("theme")
    context = {"parent": origin, "theme": theme if theme in THEMES else "", "htmx_config": HTMX}
    response = make_response(render_template("embed.html", **context))
    response.headers["Content-Security-Policy"] = policy(origin)
    return response


@pages.route("/session", methods=["OPTIONS"])
@needs(Auth.NOBODY)
def preflight() -> Response:
    """A browser asks whether Kommo's page may send us its token."""
    return Response(status=204)


@pages.post("/session", provide_automatic_options=False)
@needs(Auth.ONE_TIME_TOKEN)
def begin() -> Response:
    """A session for the user whom the token proves."""
    token, origin = request.headers.get(TOKEN_HEADER, ""), request.headers.get("Origin")
    try:
        guest = kommo_visit.prove(world(), token, origin)
    except NotLetIn as refused:
        return _refusal(refused.why)
    session = sessions.begin(
        world(),
        guest.account_id,
        Role.ADMIN if guest.is_admin else Role.MANAGER,
        where="kommo",
        who=str(guest.user_id),
        name=guest.name or _("Kommo user %(id)s", id=guest.user_id),
        language=chosen(request.args.get("lang", "")),
    )
    return _handed(session)


@pages.post("/renew")
@needs(Auth.OWN_SESSION)
def renew() -> Response:
    """The same session for some minutes more, until it is as old as one may be."""
    session = _own()
    if session is None:
        return said(401, _("Your session has ended. Load the page again."))
    return _handed(replace(session, role=_still(session)))


@pages.get("/first")
@needs(Auth.OWN_SESSION)
def first() -> AnyResponse:
    """To the first page that this session may see."""
    session = _own()
    if session is None:
        return said(401, _("Your session has ended. Load the page again."))
    endpoint = frame.first(session.role)
    if endpoint is None:
        return said(403, _("Only an administrator may do this."))
    return redirect(address(endpoint), 303)


@pages.after_request
def _readable_by_kommo(response: Response) -> Response:
    """Our answer to the widget, also a refusal, is for pages of Kommo accounts alone."""
    if request.endpoint not in ("embed.begin", "embed.preflight"):
        return response
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    host = origin.partition("://")[2]
    if host_allowed(host, world().kommo.hosts) and origin == kommo_visit.origin_of(host):
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = ALLOWED
            response.headers["Access-Control-Max-Age"] = PREFLIGHT_LIVES
    return response


def _own() -> Session | None:
    """The session in the header, if it is the frame's and its account is still there."""
    session = sessions.opened(world(), request.headers.get(sessions.HEADER, ""))
    if session is None or session.where != "kommo":
        return None
    return session if sessions.still(world(), session) else None


def _still(session: Session) -> Role:
    """The role falls where Kommo says that this user is no administrator (any more)."""
    if session.role is Role.MANAGER:
        return Role.MANAGER
    try:
        rights = kommo_visit.rights_of(world(), session.account_id, int(session.who))
    except Outcome:  # Kommo is slow or gone: what it said at the beginning counts on
        return session.role
    return Role.MANAGER if rights.is_admin is False else session.role


def _handed(session: Session) -> Response:
    seconds = int(sessions.lasts(world(), session).total_seconds())
    return jsonify({"session": sessions.seal(world(), session), "expires_in": seconds})


def _refusal(why: Why) -> Response:
    status, sentence = _sentences()[why]
    return said(status, sentence)


def _sentences() -> Mapping[Why, tuple[int, str]]:
    return {
        Why.BAD_TOKEN: (
            401,
            _("Kommo's proof of who you are is not valid or too old. Load the page again."),
        ),
        Why.USED: (401, _("Kommo's proof of who you are was used before. Load the page again.")),
        Why.FOREIGN: (
            403,
            _("This is no page of that Kommo account. Open Billhook's settings in Kommo."),
        ),
        Why.SILENT: (
            503,
            _("Kommo does not answer, so it is not known what you may do. Try again in a minute."),
        ),
        **{why: (409, sentence) for why, sentence in _to_be_connected().items()},
    }


def _to_be_connected() -> Mapping[Why, str]:
    return {
        Why.UNKNOWN: _(
            "Billhook does not know this Kommo account yet: the widget's installation has not "
            "arrived. Wait a minute and load the page again. If that does not help, install the "
            "widget again, or let whoever runs Billhook call: billhook connect kommo."
        ),
        Why.ENDED: _(
            "Billhook's connection to this Kommo account has ended. Install the widget again to "
            "connect it, or let whoever runs Billhook call: billhook connect kommo. "
            "Invoices that wait then go on."
        ),
        Why.NO_ACCESS: _(
            "Billhook has lost its access to this Kommo account. An administrator connects it "
            "again by installing the widget once more, or on Billhook's own page. "
            "Invoices that wait then go on."
        ),
        Why.MOVED: _(
            "This Kommo account has another address than Billhook knows, and Kommo did not confirm "
            "it. Install the widget again, or let whoever runs Billhook call: "
            "billhook connect kommo."
        ),
    }
