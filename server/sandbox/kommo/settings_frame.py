"""Kommo's page of advanced settings, with an integration's own page in a frame.

Kommo's widget host is not here yet; this page stands on the account's own origin and does what the
widget will do: it fetches a session with a real one-time token, and hands it to the frame.

GET  /settings-frame?user=&lang=&dark=&at=   the page; ``at``: the path that the frame begins with
GET  /settings-frame/page.js, page.css
POST /settings-frame/token?user=             what ``$authorizedAjax`` asks Kommo for, unseen
"""

import json
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, render_template_string, request, send_from_directory

from server.sandbox.kommo.api import here
from server.sandbox.kommo.book.records import User
from server.sandbox.kommo.grants import Integration

settings_frame = Blueprint("settings_frame", __name__, url_prefix="/settings-frame")

FILES = Path(__file__).parent / "static"
LANGUAGES = {"en": "English", "es": "Español", "pt": "Português"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; connect-src 'self' {inside}; frame-src {inside}"
)

PAGE = """<!doctype html>
<html lang="{{ language }}"{% if dark %} class="dark"{% endif %}>
<head><meta charset="utf-8"><title>Settings · {{ account.name }} · Kommo (sandbox)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/settings-frame/page.css">
<script src="/settings-frame/page.js" defer></script></head>
<body>
<header>
 <h1>{{ account.name }}: Billhook</h1>
 <form method="get" aria-label="Who looks at this page">
  <label>User <select name="user">{% for one in account.users.values() %}
   <option value="{{ one.id }}"{% if one is sameas user %} selected{% endif %}>{{ one.name }}{% if one.is_admin %} (admin){% endif %}</option>{% endfor %}
  </select></label>
  <label>Language <select name="lang">{% for code, name in languages.items() %}
   <option value="{{ code }}"{% if code == language %} selected{% endif %}>{{ name }}</option>{% endfor %}
  </select></label>
  <label><input type="checkbox" name="dark" value="1"{% if dark %} checked{% endif %}> Dark</label>
  <button>Show</button>
 </form>
</header>
<iframe title="Billhook" id="inside" data-src="{{ src }}" data-session="{{ session }}"
 data-token="/settings-frame/token?user={{ user.id }}"></iframe>
</body></html>"""  # noqa: E501


@settings_frame.get("")
def page() -> Response:
    """The user's own language is taken where none is asked for."""
    integration, user = _integration(), _user()
    if integration is None or user is None:
        return Response("No such user, or no integration is registered here.", 404)
    inside = _origin(integration)
    language = request.args.get("lang") or user.lang
    at = request.args.get("at", "")
    dark = bool(request.args.get("dark"))
    theme = "dark" if dark else "light"
    query = urlencode({"host": here.account().host, "lang": language, "theme": theme})
    text = render_template_string(
        PAGE,
        account=here.account(),
        user=user,
        language=language,
        languages=LANGUAGES,
        dark=dark,
        src=f"{inside}/embed/settings?{query}" + (f"#{at}" if at else ""),
        session=f"{inside}/embed/session?{urlencode({'lang': language})}",
    )
    policy = POLICY.format(inside=inside)
    return Response(text, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


@settings_frame.get("/<any('page.js', 'page.css'):name>")
def file(name: str) -> Response:
    return send_from_directory(FILES, f"settings_{name.replace('page', 'frame')}")


@settings_frame.post("/token")
def token() -> Response:
    """Of the user who looks at the page; JSON, so that only this page's script can read it."""
    integration, user = _integration(), _user()
    if integration is None or user is None:
        return Response(status=404)
    made = here.account().make_one_time_token(user.id, integration.client_id)
    return Response(json.dumps({"token": made}), content_type="application/json")


def _integration() -> Integration | None:
    return next(iter(here.account().world.grants.integrations.values()), None)


def _user() -> User | None:
    wanted = request.args.get("user", type=int)
    return here.account().users.get(here.account().admin.id if wanted is None else wanted)


def _origin(integration: Integration) -> str:
    """Where the integration's own pages are: beside its redirect address."""
    parts = urlsplit(integration.redirect_uri)
    return f"{parts.scheme}://{parts.netloc}"
