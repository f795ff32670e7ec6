"""The OAuth endpoints that apps call: token, revoke, introspect, discovery (reference §1.1)."""

from typing import Any

from flask import Blueprint, Response, request

from server.sandbox.freshbooks.oauth import ALL_SCOPES, Grant, OAuthError, token_reply
from server.sandbox.freshbooks.reply import json_reply, world
from server.sandbox.freshbooks.state import App

tokens = Blueprint("tokens", __name__)


def _fields() -> dict[str, str]:
    """Form or JSON alike; null counts as absent."""
    body: Any = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if not isinstance(body, dict):
        raise OAuthError(400, "invalid_request", "The request is malformed.")
    return {str(key): str(value) for key, value in body.items() if value is not None}


def _client(fields: dict[str, str]) -> App:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return world().authority.client(basic.username or "", basic.password or "")
    return world().authority.client(fields.get("client_id", ""), fields.get("client_secret", ""))


def _needed(fields: dict[str, str], key: str) -> str:
    if not fields.get(key):
        raise OAuthError(400, "invalid_request", f"Missing required parameter: {key}.")
    return fields[key]


def _granted(fields: dict[str, str]) -> Grant:
    kind, authority = _needed(fields, "grant_type"), world().authority
    app = _client(fields)
    if kind == "authorization_code":
        code, uri = _needed(fields, "code"), _needed(fields, "redirect_uri")
        return authority.exchange(app, code, uri)
    if kind == "refresh_token":
        return authority.refresh(app, _needed(fields, "refresh_token"))
    message = "The authorization grant type is not supported by the authorization server."
    raise OAuthError(400, "unsupported_grant_type", message)


@tokens.post("/auth/oauth/token")
@tokens.post("/service/auth/oauth/token")
def token() -> Response:
    return json_reply(token_reply(_granted(_fields())))


@tokens.post("/auth/oauth/revoke")
@tokens.post("/service/auth/oauth/revoke")
def revoke() -> Response:
    fields = _fields()
    world().authority.revoke(_client(fields), fields.get("token", ""))
    return json_reply({})


@tokens.post("/service/auth/oauth/introspect")
def introspect() -> Response:
    fields = _fields()
    _client(fields)
    grant = world().authority.access(f"Bearer {fields.get('token', '')}")
    if grant is None:
        return json_reply({"active": False})
    expires = int(grant.expires_at.timestamp())
    return json_reply({"active": True, "scope": " ".join(sorted(grant.scopes)), "exp": expires})


@tokens.get("/.well-known/oauth-authorization-server")
def discovery() -> Response:
    root = f"{world().env.auth_url}/service/auth/oauth"
    return json_reply(
        {
            "issuer": world().env.auth_url,
            "authorization_endpoint": f"{root}/authorize",
            "token_endpoint": f"{root}/token",
            "revocation_endpoint": f"{root}/revoke",
            "introspection_endpoint": f"{root}/introspect",
            "scopes_supported": sorted(ALL_SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }
    )
