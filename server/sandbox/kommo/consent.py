"""The page where a user lets an integration in (§1.1, §1.3), and hosts that nobody has any more.

GET  /oauth?client_id=&state=&mode=     the form
POST /oauth  client_id, state, mode, account (subdomain), user (id, optional), decision=allow|deny
             → 302 to the Redirect URI
"""

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template_string, request

from server.sandbox.edge import Answer, drain, html_page, send
from server.sandbox.kommo.api.oauth import subdomain_reply
from server.sandbox.kommo.api.problems import problem_body
from server.sandbox.kommo.grants import Integration

if TYPE_CHECKING:
    from server.sandbox.kommo.account import Account
    from server.sandbox.kommo.world import KommoWorld

consent = Blueprint("consent", __name__)

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Access to your Kommo account</title>
<meta name="viewport" content="width=device-width">
<style>
 body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #eef1f4; color: #22303c }
 main { max-width: 26rem; margin: 12vh auto; background: #fff; padding: 2rem; border-radius: 6px;
        box-shadow: 0 2px 12px #0002 }
 h1 { font-size: 1.2rem; margin: 0 0 .5rem }
 label { display: block; margin: 1rem 0 .25rem }
 select { width: 100%; font: inherit; padding: .4rem }
 p.note { color: #5c6b78; font-size: .85rem }
 button { font: inherit; padding: .5rem 1.2rem; margin: 1.5rem .5rem 0 0; border-radius: 4px;
          border: 1px solid #9aa7b2; background: #fff; cursor: pointer }
 button[value=allow] { background: #3f6ff0; border-color: #3f6ff0; color: #fff }
</style></head>
<body><main>
<h1>Let “Billhook” into your Kommo account?</h1>
<p>It will read and change deals, contacts, companies, lists and tasks, and receive webhooks.</p>
{% if error %}<p role="alert"><strong>{{ error }}</strong></p>{% endif %}
<form method="post" action="/oauth">
 <input type="hidden" name="client_id" value="{{ client_id }}">
 <input type="hidden" name="state" value="{{ state }}">
 <input type="hidden" name="mode" value="{{ mode }}">
 <label for="account">Account</label>
 <select id="account" name="account">
 {% for account in accounts %}<option value="{{ account.subdomain }}">{{ account.name }}
  ({{ account.subdomain }})</option>{% endfor %}
 </select>
 <button name="decision" value="allow">Allow</button>
 <button name="decision" value="deny">Deny</button>
 <p class="note">Emulated Kommo: no such account exists outside this machine.</p>
</form>
</main></body></html>
"""


class ConsentHost:
    """What www.kommo.com is to an integration, and the ``api_domain`` host too."""

    def __init__(self, world: "KommoWorld") -> None:
        self._world = world

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return _consent_app()({**environ, "kommo.world": self._world}, start_response)


@cache
def _consent_app() -> Flask:
    app = Flask("kommo_consent", static_folder=None)
    app.register_blueprint(consent)
    app.register_error_handler(404, _unknown)
    app.register_error_handler(405, _unknown)
    return app


def _world() -> "KommoWorld":
    world: KommoWorld = request.environ["kommo.world"]
    return world


def _unknown(error: Any) -> Response:
    _world().unknown_calls.append((request.method, request.path))
    answer = html_page(error.code)
    return Response(answer.body, error.code, content_type=answer.content_type)


@consent.before_request
def check_block() -> Response | None:
    if not _world().limits.blocked:
        return None
    answer = html_page(403)
    return Response(answer.body, 403, content_type=answer.content_type)


@consent.get("/oauth")
@consent.get("/oauth/")
@consent.get("/<any(es, br, id):language>/oauth/")
def ask(language: str = "en") -> Response:
    """The form. A redirect_uri in the query is not looked at: the saved one counts."""
    client_id = request.args.get("client_id", "")
    if client_id not in _world().grants.integrations:
        return _page("This integration does not exist.", 404)
    return _page("", 200)


def _page(error: str, status: int) -> Response:
    text = render_template_string(
        PAGE,
        error=error,
        client_id=request.values.get("client_id", ""),
        state=request.values.get("state", ""),
        mode=request.values.get("mode", "popup"),
        accounts=_world().accounts.values(),
    )
    return Response(text, status, content_type="text/html; charset=utf-8")


@consent.post("/oauth")
def decide() -> Any:
    integration = _world().grants.integrations.get(request.form.get("client_id", ""))
    account = _world().account_named(request.form.get("account", ""))
    if integration is None or account is None:
        return _page("This integration or account does not exist.", 404)
    state = request.form.get("state", "")
    if request.form.get("decision") != "allow":
        refusal = {"error": "access_denied", "client_id": integration.client_id, "state": state}
        return redirect(_target(integration, refusal))
    user = account.users.get(request.form.get("user", account.admin.id, type=int))
    if user is None or not user.is_active:
        return _page("This user does not exist.", 403)
    if integration.client_id not in account.installed and not user.is_admin:
        return _page("The first installation needs an administrator.", 403)
    return redirect(_target(integration, _granted(account, integration, user.id, state)))


def _granted(
    account: "Account", integration: Integration, user_id: int, state: str
) -> dict[str, str]:
    """``state`` only where one was passed; ``referer`` without scheme."""
    return {
        "code": account.make_code(integration.client_id, user_id),
        "referer": account.host,
        **({"state": state} if state else {}),
        "client_id": integration.client_id,
        "platform": "2",
    }


def _target(integration: Integration, query: dict[str, str]) -> str:
    joint = "&" if urlsplit(integration.redirect_uri).query else "?"
    return f"{integration.redirect_uri}{joint}{urlencode(query)}"


@consent.get("/oauth2/account/current/subdomain")
def current_subdomain() -> Response:
    """The ``api_domain`` host knows where an account is now, by its refresh token."""
    token = request.headers.get("X-Refresh-Token", "")
    return subdomain_reply(_world().account_behind(token))


class GoneHost:
    """The host of an account that was renamed (§1.8)."""

    def __init__(self, world: "KommoWorld") -> None:
        self._world = world

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """The token endpoint says 404 or 401; the API says 401 with code 101."""
        drain(environ)
        if self._world.limits.blocked:
            return send(html_page(403), start_response)
        is_token = environ.get("PATH_INFO", "").startswith("/oauth2/")
        status = self._world.switches.moved_status if is_token else 401
        body = {**problem_body(status, "Account not found"), "code": 101}
        answer = Answer(status, json.dumps(body).encode(), "application/problem+json")
        return send(answer, start_response)
