"""FreshBooks' OAuth: consent and tokens. A refresh token works once: store the new pair first.

Source: reference freshbooks §1.1-§1.3.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from server.core.tokens import TokenPair
from server.vendors.http import Caller, shaped
from server.vendors.oauth import OAuthApp, token_body

# What an invoicer needs (§1.3). One that is not ticked on the app spoils the whole consent.
SCOPES = (
    "user:profile:read",
    "user:clients:read",
    "user:clients:write",
    "user:invoices:read",
    "user:invoices:write",
    "user:payments:read",
    "user:payments:write",
    "user:credit_notes:read",
    "user:credit_notes:write",
    "user:taxes:read",
)


def authorize_url(auth_url: str, app: OAuthApp, state: str, scopes: Iterable[str] = SCOPES) -> str:
    """Where a user allows us in. ``auth_url``: "https://auth.freshbooks.com"."""
    query = urlencode(
        {
            "client_id": app.client_id,
            "response_type": "code",
            "redirect_uri": app.redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
        }
    )
    return f"{auth_url.rstrip('/')}/oauth/authorize/?{query}"


def exchange(caller: Caller, api_url: str, app: OAuthApp, code: str) -> TokenPair:
    """A code (5 minutes, once) into tokens. Raises Reconnect when the code is dead."""
    return _tokens(caller, api_url, app, {"grant_type": "authorization_code", "code": code})


def refresh(caller: Caller, api_url: str, app: OAuthApp, refresh_token: str) -> TokenPair:
    """The next pair; the old one is dead from now on. Raises Reconnect on ``invalid_grant``.

    TryLater UNCERTAIN: the old token may be used up; it is tried once more, then Reconnect.
    """
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _tokens(caller, api_url, app, grant)


def _tokens(caller: Caller, api_url: str, app: OAuthApp, grant: dict[str, str]) -> TokenPair:
    asked_at = caller.clock.now()
    form = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
        **grant,
    }
    reply = caller.send("POST", f"{api_url.rstrip('/')}/auth/oauth/token", form=form)
    body = token_body("freshbooks", reply)
    return shaped("freshbooks", lambda body: _pair(body, asked_at), body)


def _pair(body: dict[str, Any], asked_at: datetime) -> TokenPair:
    """Expires by ``created_at``: a refresh soon after another repeats the first one's (§1.2)."""
    created = body.get("created_at")
    issued_at = datetime.fromtimestamp(int(created), UTC) if created else asked_at
    return TokenPair(
        access=str(body["access_token"]),
        refresh=str(body["refresh_token"]),
        expires_at=issued_at + timedelta(seconds=int(body["expires_in"])),
        scope=str(body.get("scope") or ""),
    )
