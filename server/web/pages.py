"""How a page answers: whole for a browser, its inside for htmx, one block for a live part.

Inside Kommo's frame no cookie and no full page load carries the session, so every link and form
goes through htmx there; the same markup works on its own pages without JavaScript.
"""

import json
from typing import Any

from flask import (
    Flask,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import get_locale
from flask_babel import gettext as _
from jinja2_fragments.flask import render_block
from werkzeug.wrappers import Response as AnyResponse

from server.flows.find_deals import deal_url
from server.web.auth import Act, Page, Role, may
from server.web.visitor import standing, visitor

# Nothing evaluated, nothing from elsewhere, no page kept in the browser; an error's sentence goes
# where it is read out, a refused form comes back as the page that it is on.
HTMX = json.dumps(
    {
        "allowEval": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "timeout": 30_000,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": True, "error": True, "target": "#notice"},
        ],
    }
)


def install(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals |= {"visitor": visitor, "get_locale": get_locale, "htmx_config": HTMX}
    app.jinja_env.globals["deal_link"] = deal_link


def show(template: str, status: int = 200, **context: Any) -> Response:
    """The page of ``template``; for htmx only what stands between its head and foot."""
    inside = request.headers.get("HX-Request") == "true"
    frame = "frame/inside.html" if inside else "frame/whole.html"
    context |= {"frame": frame, "menu": menu(), "said": said_before()}
    response = _answer(render_template(template, **context), status)
    # Wherever it was asked from, a page never lands in a part of another. Not said where known, for
    # htmx looks for the place from whatever was pressed, and that may have left the page meanwhile.
    if inside and request.headers.get("HX-Target") != "page":
        response.headers["HX-Retarget"] = "#page"
    return response


def part(template: str, block: str, status: int = 200, **context: Any) -> Response:
    """One block of a page, for a live part of it."""
    return _answer(render_block(template, block, **context), status)


def go(endpoint: str, said: str = "", **values: Any) -> AnyResponse:
    """After a change: to a page that says in one sentence what was done (``SAID``)."""
    return redirect(url_for(endpoint, said=said or None, **values), 303)


def deal_link(deal_id: int) -> str:
    """The deal's card in the visitor's Kommo; "" where none is connected."""
    kommo = standing().kommo
    return deal_url(kommo.realm, deal_id) if kommo else ""


def said_before() -> str:
    """The sentence that the address names; an address can say no other."""
    sentence = _sentences().get(request.args.get("said", ""))
    return sentence or ""


def menu() -> list[tuple[str, str]]:
    """(endpoint, title) of each page that this visitor may read."""
    return [(where, title) for _page, where, title in _open_to(visitor().role)]


def first(role: Role) -> str | None:
    """The endpoint of the first page that this role may read."""
    return next((where for _page, where, _title in _open_to(role)), None)


def _open_to(role: Role) -> list[tuple[Page, str, str]]:
    there = current_app.view_functions
    return [row for row in _pages() if row[1] in there and may(role, row[0], Act.READ)]


def _pages() -> list[tuple[Page, str, str]]:
    return [
        (Page.SET_UP, "set_up.overview", _("Set-up")),
        (Page.RULES, "rules.listed", _("Rules")),
        (Page.MAPPING, "mapping.edit", _("Mapping")),
        (Page.PREVIEW, "preview.ask", _("Preview")),
        (Page.ACTIVITY, "activity.listed", _("Activity")),
        (Page.HISTORY, "history.listed", _("History")),
    ]


def _sentences() -> dict[str, str]:
    return {
        "saved": _("Saved."),
        "connected": _("Connected."),
        "disconnected": _("Disconnected. Its tokens are deleted here."),
        "on": _("The rule is on. It bills deals that enter its stage from now on."),
        "off": _("The rule is off."),
        "ordered": _("The order is saved."),
        "removed": _("Removed. The history keeps it."),
        "restored": _("Restored as a new version."),
        "again": _("It runs again; this page follows it."),
        "again_apart": _("It runs again. When it is done, it is not listed here any more."),
        "heard_again": _("The message was taken up. What comes of it stands with the deals in it."),
        "all_again": _("They run again; this page follows them."),
        "all_again_more": _("The first of them run again; the rest follows by itself."),
        "all_again_before": _("All of these were taken up already."),
        "ignored": _("Ignored. It no longer asks for attention."),
        "refreshed": _("Read again from Kommo."),
    }


def _answer(body: str, status: int) -> Response:
    response = make_response(body, status)
    response.headers["Vary"] = "HX-Request"
    response.headers["Referrer-Policy"] = "same-origin"  # with none, a form's Origin is "null"
    return response
