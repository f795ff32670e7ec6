"""Every error as a short page or a short JSON object: a sentence, a status, never a traceback."""

from http import HTTPStatus

import structlog
from flask import Flask, Response, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from server.core.messages import N_
from server.vendors.freshbooks import hooks as freshbooks
from server.vendors.kommo import hooks as kommo

log = structlog.get_logger()

SENTENCES = {
    400: N_("This request cannot be read."),
    401: N_("Sign in first."),
    403: N_("This is not allowed."),
    404: N_("There is nothing here."),
    405: N_("This address does not take that method."),
    411: N_("Say how long the body is."),
    413: N_("This is too much at once."),
    414: N_("This address is too long."),
    415: N_("This kind of content is not taken here."),
    429: N_("Too many requests. Try again later."),
    500: N_("Something went wrong on our side. It has been noted."),
    503: N_("Not now. Try again in a moment."),
}
TITLES = {403: N_("Not allowed"), 404: N_("Not found")}
TITLE = N_("This did not work")  # of every other
# Vendors' servers and scripts call these; a page would be lost on them.
_MACHINES = ("/hooks/", "/oauth/kommo/revoked", "/embed/session", "/embed/renew")
# Who is here began somewhere else: in Kommo, at the command line.
_ON_THE_WAY = ("/oauth/", "/embed/")


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    for bad_hook in (kommo.BadHook, freshbooks.BadHook):
        app.register_error_handler(bad_hook, lambda bad: said(bad.status, bad.sentence))
    app.register_error_handler(Exception, _bug)


def said(status: int, sentence: str = "") -> Response:
    """An error's answer in the form that the caller reads."""
    sentence = sentence or str(_(SENTENCES.get(status, HTTPStatus(status).phrase)))
    if request.headers.get("HX-Request") == "true":  # shown beside the page that asked
        response = Response(_beside(status, sentence), mimetype="text/html")
    elif _wants_json():
        response = jsonify({"error": sentence})
    else:
        title = str(_(TITLES.get(status, TITLE)))
        response = Response(page(title, sentence), mimetype="text/html")
    response.status_code = status
    return response


def page(title: str, sentence: str) -> str:
    way_on = "" if request.path.startswith(_ON_THE_WAY) else url_for("set_up.overview")
    return render_template("message.html", title=title, sentence=sentence, way_on=way_on)


def _beside(status: int, sentence: str) -> str:
    """Who asked for a whole page may have none to go back to, as where the frame begins."""
    whole = request.method == "GET" and request.headers.get("HX-Target") == "page"
    if not whole or status == 401:
        return f"<p>{escape(sentence)}</p>"
    framed = "X-Billhook-Session" in request.headers
    there = url_for("embed.first" if framed else "set_up.overview")
    return f'<p>{escape(sentence)} <a href="{there}">{escape(_("Go to Billhook"))}</a></p>'


def _wants_json() -> bool:
    if request.path.startswith(_MACHINES):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # a redirect that werkzeug raises
        return Response(status=status, headers=error.get_headers())
    response = said(status, vars(error).get("description") or "")  # a view's own words
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _bug(error: Exception) -> Response:
    log.exception("web", endpoint=request.endpoint, exc_info=error)
    return said(500)
