"""The first page: what is done, what is missing, and where to do it; and the connections.

Connecting takes a consent in a window of the vendor's own; this page mints the ticket, waits for
its answer, names both sides to whoever minted it, and only then is anything stored.
"""

from typing import Any

from flask import Blueprint, abort, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.flows import connect, connect_freshbooks, connect_kommo, set_up
from server.flows.connect import CannotConnect
from server.vendors.http import VENDOR_NAMES
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.languages import spoken
from server.web.pages import go, part, show
from server.web.visitor import session, standing, visitor

pages = Blueprint("set_up", __name__, url_prefix="/app")


@pages.get("/")
@needs(Auth.SESSION, Page.SET_UP)
def overview() -> AnyResponse:
    """The checklist and both connections."""
    steps = set_up.steps(world(), visitor().account_id, standing())
    return show("set_up.html", steps=steps, ties=standing())


@pages.post("/connect/<any(kommo, freshbooks):vendor>")
@needs(Auth.SESSION, Page.SET_UP, Act.CHANGE)
def begin(vendor: str) -> AnyResponse:
    """A ticket of this account; the page of it leads to the vendor."""
    ticket = connect.mint(world(), vendor, visitor().account_id, session().holder)
    return go("set_up.consent", vendor=vendor, ticket=ticket)


@pages.get("/connect/<any(kommo, freshbooks):vendor>/<ticket>")
@needs(Auth.SESSION, Page.SET_UP, Act.CHANGE)
def consent(vendor: str, ticket: str) -> AnyResponse:
    """Where the consent stands; asked again every two seconds until it is back."""
    return _consent_page(vendor, ticket, live=bool(request.args.get("look")))


@pages.post("/connect/<any(kommo, freshbooks):vendor>/<ticket>")
@needs(Auth.SESSION, Page.SET_UP, Act.CHANGE)
def confirm(vendor: str, ticket: str) -> AnyResponse:
    """Both sides were named; store the connection. Pressed twice, it is stored once."""
    _of_mine(vendor, ticket)
    try:
        if vendor == "kommo":
            connect_kommo.complete(world(), ticket)
        else:
            chosen = request.form.get("business", "")
            business = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else None
            change = bool(request.form.get("change"))
            connect_freshbooks.complete(world(), ticket, business, change=change)
    except CannotConnect as why:
        if _of_mine(vendor, ticket).stage != "completed":
            return _consent_page(vendor, ticket, 422, why=spoken(why.sentence))
    return go("set_up.overview", said="connected")


def _consent_page(
    vendor: str, ticket: str, status: int = 200, *, live: bool = False, why: str = ""
) -> AnyResponse:
    context: dict[str, Any] = {
        "vendor": vendor,
        "vendor_name": VENDOR_NAMES[vendor],
        "ticket": ticket,
        "progress": _of_mine(vendor, ticket),
        "start": connect.start_url(world(), vendor, ticket),
        "ties": standing(),
        "why": why,
    }
    if live:
        return part("consent.html", "progress", **context)
    return show("consent.html", status, **context)


def _of_mine(vendor: str, ticket: str) -> connect.Progress:
    """A ticket that somebody else minted is nobody's business here."""
    progress = connect.look_own(world(), ticket, vendor, visitor().account_id, session().holder)
    if progress is None:
        abort(404, _("There is no such connection under way."))
    return progress
