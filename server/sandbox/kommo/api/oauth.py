"""The account's token endpoint, and where a renamed account is looked up (§1.5, §1.8)."""

import json
from typing import Any

from flask import Blueprint, Response, request

from server.sandbox.kommo.api import here
from server.sandbox.kommo.api.problems import Problem, problem_body
from server.sandbox.kommo.grants import ACCESS_LIFE, Integration, Pair, TokenRefused

oauth = Blueprint("oauth", __name__, url_prefix="/oauth2")


@oauth.post("/access_token")
def access_token() -> Response:
    row = here.json_body()
    if not isinstance(row, dict):
        raise Problem(400, "The request body should be an object")
    integration = _integration(row)
    if row.get("redirect_uri") != integration.redirect_uri:
        return _refused(TokenRefused("The redirect_uri does not match", 400))
    try:
        pair = _pair(row, integration)
    except TokenRefused as refused:
        return _refused(refused)
    here.account().note_installed(integration.client_id)
    body = {
        "token_type": "Bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "server_time": here.account().now(),
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
    }
    return Response(json.dumps(body), 200, content_type="application/json")


def _integration(row: dict[str, Any]) -> Integration:
    grants = here.account().world.grants
    integration = grants.integrations.get(str(row.get("client_id")))
    if integration is None or integration.client_secret != row.get("client_secret"):
        raise Problem(401, "Client authentication failed", hint="Wrong client_id or client_secret")
    return integration


def _pair(row: dict[str, Any], integration: Integration) -> Pair:
    account = here.account()
    grants = account.world.grants
    if row.get("grant_type") == "authorization_code":
        code = str(row.get("code"))
        user = account.users.get(grants.user_of(code))
        by_admin = user is not None and user.is_admin
        return grants.exchange(code, integration.client_id, account.account_id, by_admin)
    if row.get("grant_type") == "refresh_token":
        token = str(row.get("refresh_token"))
        return grants.refresh(token, integration.client_id, account.account_id)
    raise Problem(400, "Unsupported grant_type")


def _refused(refused: TokenRefused) -> Response:
    body = {"hint": refused.hint, **problem_body(refused.status, refused.hint)}
    return Response(json.dumps(body), refused.status, content_type="application/problem+json")


@oauth.get("/account/current/subdomain")
def current_subdomain() -> Response:
    """Served by accounts and by the ``api_domain`` host; the token alone names the account."""
    world = here.account().world
    return subdomain_reply(world.account_behind(request.headers.get("X-Refresh-Token", "")))


def subdomain_reply(found: Any) -> Response:
    """``found``: the account behind the token, or None."""
    if found is None:
        body = problem_body(401, "Token has been revoked")
        return Response(json.dumps(body), 401, content_type="application/problem+json")
    body = {
        "id": found.account_id,
        "subdomain": found.subdomain,
        "domain": found.host,
        "top_level_domain": found.host.rpartition(".")[2],
    }
    return Response(json.dumps(body), 200, content_type="application/json")
