"""auth.freshbooks.com: the page on which a person lets an app in (reference §1.1)."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Flask, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as AnyResponse

from server.sandbox.freshbooks.api import oauth_refusal
from server.sandbox.freshbooks.oauth import OAuthError
from server.sandbox.freshbooks.reply import world
from server.sandbox.freshbooks.state import App
from server.sandbox.freshbooks.token_api import tokens

if TYPE_CHECKING:
    from server.sandbox.freshbooks.world import FreshbooksWorld

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Connect to FreshBooks (sandbox)</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{font:16px/1.5 system-ui,sans-serif;background:#eef3f7;color:#1d2b36;margin:0}
main{max-width:34rem;margin:8vh auto;background:#fff;padding:2rem;border-radius:8px;
box-shadow:0 1px 6px #0002}
h1{font-size:1.3rem;margin-top:0} ul{padding-left:1.2rem} label{display:block;margin:1rem 0 .3rem}
select,button{font:inherit;padding:.5rem .9rem} button{border-radius:5px;border:1px solid #0a6cbd}
.yes{background:#0a6cbd;color:#fff} .no{background:#fff;color:#0a6cbd} .wrong{color:#a11}
</style></head><body><main>
{% if problem %}<h1>This request cannot be granted</h1><p class="wrong">{{ problem }}</p>
{% else %}<h1>{{ app.client_id }} wants to use FreshBooks on your behalf</h1>
<p>It asks for:</p><ul>{% for scope in scopes %}<li>{{ scope }}</li>{% endfor %}</ul>
<form method="post">
<label for="identity">Signed in as</label>
<select id="identity" name="identity_id">{% for person in people %}
<option value="{{ person.id }}">{{ person.name }} ({{ person.email }})</option>{% endfor %}
</select>
<p><button class="yes" name="decision" value="allow">Allow</button>
<button class="no" name="decision" value="deny">Deny</button></p>
</form>{% endif %}
</main></body></html>"""


def auth_app(of: "FreshbooksWorld") -> Flask:
    """The auth host; the token endpoints are here too, under /service."""
    app = Flask("sandbox_freshbooks_auth", static_folder=None)
    app.extensions["freshbooks"] = of
    app.register_blueprint(tokens)
    app.register_error_handler(OAuthError, oauth_refusal)
    for rule in ("/oauth/authorize", "/oauth/authorize/", "/service/auth/oauth/authorize"):
        app.add_url_rule(rule, view_func=authorize, methods=["GET", "POST"], strict_slashes=True)
    return app


def authorize() -> AnyResponse:
    """GET shows the page; POST is the person's decision and leads back to the app."""
    try:
        app, scopes = _asked()
    except OAuthError as problem:
        return Response(render_template_string(PAGE, problem=problem.description), problem.status)
    if request.method == "GET":
        people = world().identities
        return Response(render_template_string(PAGE, app=app, scopes=sorted(scopes), people=people))
    return _decided(app, scopes)


def _asked() -> tuple[App, frozenset[str]]:
    """Who asks for what; a wrong client or redirect never leaves this page."""
    authority, args = world().authority, request.args
    app = authority.apps.get(args.get("client_id", ""))
    if app is None:
        raise OAuthError(401, "invalid_client", "Client authentication failed: unknown client.")
    if args.get("redirect_uri") not in app.redirect_uris:
        raise OAuthError(400, "invalid_redirect_uri", "The redirect URI included is not valid.")
    if args.get("response_type") != "code":
        message = "The authorization server does not support this response type."
        raise OAuthError(400, "unsupported_response_type", message)
    return app, authority.scopes_for(app, args.get("scope", ""))


def _decided(app: App, scopes: frozenset[str]) -> AnyResponse:
    uri = request.args["redirect_uri"]
    chosen = request.form.get("identity_id", "")
    person = next((p for p in world().identities if str(p.id) == chosen), None)
    if request.form.get("decision") != "allow" or person is None:
        message = "The resource owner or authorization server denied the request."
        return _back(uri, {"error": "access_denied", "error_description": message})
    return _back(uri, {"code": world().authority.issue_code(app, person, uri, scopes)})


def _back(uri: str, fields: dict[str, str]) -> AnyResponse:
    state = request.args.get("state")
    if state is not None:
        fields["state"] = state
    return redirect(f"{uri}?{urlencode(fields)}")
