"""Who asks: the session's person, and whether they may; decided before any page's view runs.

A session in the header is proof enough that the page itself asked. A cookie rides on any request,
so with one a change must come from our own origin and show the key of our own form.
"""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext as _

from server.core.keys import AccountId
from server.flows.standing import Standing
from server.web import sessions
from server.web.auth import Act, Auth, Page, Role, may
from server.web.errors import said
from server.web.here import world
from server.web.sessions import Session

COOKIE = "billhook-session"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Visitor:
    """``where``: "kommo" or "app"; ``csrf`` is what this page's forms carry ("" in the frame)."""

    account_id: AccountId
    role: Role
    name: str
    where: str
    language: str
    csrf: str
    timezone: str

    def may(self, page: str, act: str = Act.READ) -> bool:
        return may(self.role, Page(page), Act(act))


def visitor() -> Visitor:
    """Of this request; only in views that need a session."""
    found: Visitor = g.visitor
    return found


def session() -> Session:
    found: Session = g.session
    return found


def standing() -> Standing:
    """Of the visitor's account, as it was when this request began."""
    found: Standing = g.standing
    return found


def install(app: Flask) -> None:
    app.before_request(_let_in)


def cookie_name() -> str:
    return pinned(COOKIE)


def pinned(cookie: str) -> str:
    """``__Host-`` pins it to this host and to https, which a local emulator does not speak."""
    return f"__Host-{cookie}" if world().public_url.startswith("https:") else cookie


def in_cookie() -> Session | None:
    """The session of this browser on our own pages, while it counts."""
    found = sessions.opened(world(), request.cookies.get(cookie_name(), ""))
    return found if found and found.where == "app" and sessions.still(world(), found) else None


def from_our_page() -> bool:
    """Whether the browser says so, where it says where a form came from."""
    return request.headers.get("Origin") in (None, our_origin())


def our_origin() -> str:
    ours = urlsplit(world().public_url)
    return f"{ours.scheme}://{ours.netloc}"


def has_form_key(session: Session) -> bool:
    """Whether the form shows what only a page of this session carries."""
    shown = request.form.get("csrf", "") or request.headers.get("X-CSRF-Token", "")
    return hmac.compare_digest(shown.encode(), sessions.form_key(session).encode())


def _let_in() -> Response | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "auth", None) is not Auth.SESSION:
        return None
    in_header = request.headers.get(sessions.HEADER, "")
    found = sessions.opened(world(), in_header or request.cookies.get(cookie_name(), ""))
    if found is None or (found.where == "kommo") != bool(in_header):
        return _stranger()
    account = sessions.still(world(), found)
    if account is None:
        return _stranger()
    g.session, g.standing, g.visitor = found, account, _visitor(found, account.timezone)
    return _refusal(view, by_cookie=not in_header)


def _refusal(view: Any, *, by_cookie: bool) -> Response | None:
    if not g.visitor.may(view.page, view.act):
        return said(403, _("Only an administrator may do this."))
    if (
        by_cookie
        and request.method not in SAFE
        and not (from_our_page() and has_form_key(g.session))
    ):
        return said(403, _("This form is out of date. Load the page again, then send it again."))
    return None


def _visitor(found: Session, timezone: str) -> Visitor:
    return Visitor(
        account_id=found.account_id,
        role=found.role,
        name=found.name,
        where=found.where,
        language=found.language,
        csrf=sessions.form_key(found),
        timezone=timezone,
    )


def _stranger() -> Response:
    """htmx shows the sentence beside what was typed; a browser is led to where one signs in."""
    if request.headers.get("HX-Request") == "true":
        return said(401, _("Your session has ended. What you typed is still here: sign in again."))
    response = said(401, _("Sign in first."))
    if request.method in SAFE:
        response = Response(status=303, headers={"Location": "/app/sign-in"})
    return response
