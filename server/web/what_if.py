"""What a rule would have billed in the last 90 days: asked on the rule's own page, read here."""

from flask import Blueprint, abort, request
from werkzeug.wrappers import Response as AnyResponse

from server.flows.what_if import look
from server.web.auth import Auth, Page, needs
from server.web.here import world
from server.web.pages import go, part, show
from server.web.visitor import visitor

pages = Blueprint("what_if", __name__, url_prefix="/app/what-if")

UNDER_WAY = ("waiting", "running", "retrying")


@pages.get("/<int:asked>")
@needs(Auth.SESSION, Page.RULES)
def seen(asked: int) -> AnyResponse:
    """How far it is, then what came of it; asked for again while it runs."""
    return _page(asked, live=bool(request.args.get("live")))


def told_of(asked: int) -> AnyResponse:
    """Below the form that asked, so that nothing typed is lost; without htmx on its own page."""
    if request.headers.get("HX-Request") == "true":
        return _page(asked, live=True)
    return go("what_if.seen", asked=asked)


def _page(asked: int, *, live: bool) -> AnyResponse:
    found = look(world(), visitor().account_id, asked) if asked < 2**31 else None
    if found is None:
        abort(404)
    runs = found.state in UNDER_WAY
    if live:
        return part("what_if.html", "live", found=found, runs=runs)
    return show("what_if.html", found=found, runs=runs)
