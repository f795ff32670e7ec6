"""Billhook's own door: sign in with FreshBooks, choose the account, sign out.

There is nowhere else to be sent than our own pages: no address in a query is ever followed.
"""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.flows import sign_in as flow
from server.flows.connect import Begun, CannotConnect
from server.flows.connect_kommo import Answer
from server.flows.sign_in import Person, TooMany
from server.web import sessions
from server.web.auth import Auth, Role, needs
from server.web.errors import said
from server.web.here import world
from server.web.languages import spoken
from server.web.network import network
from server.web.visitor import cookie_name, from_our_page, has_form_key, in_cookie, pinned

pages = Blueprint("sign_in", __name__, url_prefix="/app")

COOKIE = "billhook-sign-in"


@pages.get("/sign-in")
@needs(Auth.NOBODY)
def page() -> AnyResponse:
    if in_cookie():
        return redirect(url_for("set_up.overview"), 303)
    return _page()


@pages.get("/sign-in/start")
@needs(Auth.NOBODY)
def start() -> AnyResponse:
    """To FreshBooks, the browser bound to what is begun here."""
    if request.method == "HEAD":  # a link preview begins nothing
        abort(405)
    if not world().freshbooks.app.client_id:
        return _page(
            503, _("FreshBooks is not set up on this server yet; docs/settings.md says how.")
        )
    try:
        url, browser = flow.start(world(), network(request))
    except TooMany:
        return _page(429, _("Too many people sign in at this moment. Try again in a minute."))
    response = redirect(url)
    _set(response, pinned(COOKIE), browser, flow.LIFE.total_seconds())
    return response


def came_back(answer: Answer) -> AnyResponse:
    """FreshBooks sent the browser back (to the one address that it knows, ``/oauth/...``)."""
    begun = Begun(request.args.get("state", ""), request.cookies.get(pinned(COOKIE), ""))
    try:
        flow.take_answer(world(), begun, answer)
    except CannotConnect as why:
        return _page(400, spoken(why.sentence))
    return redirect(url_for("sign_in.choose"), 303)


@pages.get("/sign-in/choose")
@needs(Auth.STATE)
def choose() -> AnyResponse:
    """Straight in where there is one account; else a choice, or what to do."""
    person = flow.who(world(), request.cookies.get(pinned(COOKIE), ""))
    if person is None:
        return _ended()
    if not person.rooms:
        return _page(403, nobody_s=person)
    if len(person.rooms) == 1:
        return _enter(person.rooms[0].account_id)
    return _page(person=person)


@pages.post("/sign-in/choose")
@needs(Auth.STATE)
def chosen() -> AnyResponse:
    """The account that was chosen; the cookie of this sign-in is what proves whose choice it is."""
    picked = request.form.get("account", "")
    if not from_our_page():
        return _ended()
    return _enter(int(picked) if picked.isdecimal() and len(picked) < 19 else 0)


@pages.post("/sign-out")
@needs(Auth.OWN_SESSION)
def out() -> AnyResponse:
    """Where there is no session left, there is nothing to end."""
    session = in_cookie()
    if session is None:
        return _page(401)
    if not (from_our_page() and has_form_key(session)):
        return said(403, _("This form is out of date. Load the page again, then send it again."))
    sessions.end(world(), session)
    response = redirect(url_for("sign_in.page"), 303)
    _forget(response, cookie_name())
    return response


def _enter(account_id: int) -> AnyResponse:
    person = flow.enter(world(), request.cookies.get(pinned(COOKIE), ""), account_id)
    if person is None:
        return _ended()
    name = person.name or person.email
    session = sessions.begin(
        world(), account_id, Role.ADMIN, where="app", who=person.identity, name=name
    )
    response = redirect(url_for("set_up.overview"), 303)
    _set(response, cookie_name(), sessions.seal(world(), session), sessions.LONGEST.total_seconds())
    _forget(response, pinned(COOKIE))
    return response


def _ended() -> AnyResponse:
    return _page(400, _("This sign-in has ended, or was begun in another browser. Begin again."))


def _page(
    status: int = 200,
    why: str = "",
    *,
    person: Person | None = None,
    nobody_s: Person | None = None,
) -> AnyResponse:
    context: dict[str, Any] = {"why": why, "person": person, "nobody_s": nobody_s}
    response = Response(render_template("sign_in.html", **context), status)
    response.headers["Referrer-Policy"] = "same-origin"  # with none, a form's Origin is "null"
    return response


def _set(response: AnyResponse, name: str, value: str, seconds: float) -> None:
    secure = world().public_url.startswith("https:")
    response.set_cookie(
        name, value, max_age=int(seconds), secure=secure, httponly=True, samesite="Lax", path="/"
    )


def _forget(response: AnyResponse, name: str) -> None:
    secure = world().public_url.startswith("https:")
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
