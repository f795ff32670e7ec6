"""Kommo's OAuth: consent, tokens, where a renamed account went, and what proves a caller.

Source: reference kommo §1 (OAuth), §2 (disconnect hook), §7 (one-time token).
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from server.core.errors import Reconnect
from server.core.messages import N_
from server.core.said import say
from server.core.tokens import TokenPair
from server.vendors.http import Caller, down, is_loopback, shaped, throttled
from server.vendors.oauth import OAuthApp, json_object, token_body

_LABELS = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+")
_LONGEST_TOKEN = 4096  # a real one has about 500 characters
_LEEWAY = timedelta(seconds=30)
_CLAIMS = ["exp", "iat", "nbf", "iss", "aud", "jti", "account_id", "user_id", "client_uuid"]


@dataclass(frozen=True)
class OneTimeToken:
    """Who calls from inside Kommo. ``jti`` must be consumed with the action: Kommo does not."""

    account_id: int
    user_id: int
    jti: str
    host: str
    expires_at: datetime
    is_admin: bool | None = None  # the claim is in the vendor's client, not in its documentation


class BadToken(Exception):
    """A one-time token that proves nothing; answer 401. The text never holds the token."""


def authorize_url(auth_url: str, client_id: str, state: str, mode: str = "popup") -> str:
    """Where a user allows us in. ``mode``: "popup" (the main window is sent back) or
    "post_message" (the popup is). The redirect URI is the saved one and is not passed.
    """
    query = urlencode({"client_id": client_id, "state": state, "mode": mode})
    return f"{auth_url}?{query}"


def host_allowed(host: str, suffixes: Iterable[str]) -> bool:
    """Whether a host that came from outside may be called, and be given our secret.

    A suffix ".kommo.com" admits what stands before it as plain labels, never itself; anything
    else ("127.0.0.1:8081") admits itself only.
    """
    return any(_admits(suffix, host) for suffix in suffixes)


def exchange(
    caller: Caller, host: str, app: OAuthApp, code: str, *, insecure: bool = False
) -> TokenPair:
    """A code (20 minutes, once) into tokens. ``host``: the callback's ``referer``, allowed before.

    Raises Reconnect when the code is dead.
    """
    body = {"grant_type": "authorization_code", "code": code}
    return _tokens(caller, _url(host, insecure, "/oauth2/access_token"), app, body)


def refresh(
    caller: Caller, host: str, app: OAuthApp, refresh_token: str, *, insecure: bool = False
) -> TokenPair:
    """The next pair. Raises Reconnect when the refresh token is dead or the account has moved
    (then ``refresh_wherever`` helps), TryLater when nothing is known: then the old token counts on.
    """
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return _tokens(caller, _url(host, insecure, "/oauth2/access_token"), app, body)


def refresh_wherever(
    caller: Caller,
    host: str,
    app: OAuthApp,
    *,
    access_token: str,
    refresh_token: str,
    allowed: Iterable[str],
) -> tuple[str, TokenPair]:
    """``refresh``; where it fails for good, once more where the account is now. Returns the host
    that answered beside the pair.
    """
    try:
        return host, refresh(caller, host, app, refresh_token, insecure=is_loopback(host))
    except Reconnect:
        now_at = current_host(caller, access_token, refresh_token, allowed)
        if now_at == host:
            raise
    return now_at, refresh(caller, now_at, app, refresh_token, insecure=is_loopback(now_at))


def current_host(
    caller: Caller, access_token: str, refresh_token: str, allowed: Iterable[str]
) -> str:
    """Where the account is now, by the token's ``api_domain``; both hosts must be allowed.

    Raises Reconnect when the token does not say it or Kommo does not know it (§1.8).
    """
    suffixes = tuple(allowed)
    lost = Reconnect("kommo", say("The Kommo account is not where it was."))
    asked = str(_unproven_claims(access_token).get("api_domain", ""))
    if not host_allowed(asked, suffixes):
        raise lost
    url = _url(asked, is_loopback(asked), "/oauth2/account/current/subdomain")
    reply = caller.send("GET", url, headers={"X-Refresh-Token": refresh_token})
    if reply.status == 429:
        raise throttled("kommo", reply)
    body = json_object(reply)
    if reply.status >= 500 or (body is None and reply.status < 400):
        raise down("kommo", N_("%(vendor)s answered %(status)s."), status=reply.status)
    domain = str((body or {}).get("domain", ""))
    if reply.status != 200 or not host_allowed(domain, suffixes):
        raise lost
    return domain


def disconnect_is_genuine(
    app: OAuthApp, *, account_id: str, client_id: str, signature: str
) -> bool:
    """The disconnect hook's signature. It is constant for an account, so it proves little: treat
    the hook as a hint and ask Kommo. An app without a secret accepts nothing.
    """
    if not (app.client_secret and account_id.isascii() and account_id.isdigit()):
        return False
    if client_id != app.client_id:
        return False
    message = f"{client_id}|{int(account_id[:19])}".encode()
    good = hmac.new(app.client_secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(good.encode(), signature.encode())


def read_one_time_token(
    token: str, app: OAuthApp, allowed: Iterable[str], now: datetime
) -> OneTimeToken:
    """The token that the widget's ``$authorizedAjax`` carries. Raises BadToken.

    The caller still compares ``host`` with the account's, and consumes ``jti``.
    """
    if not app.client_secret or len(token) > _LONGEST_TOKEN:
        raise BadToken("The token is too long, or no client secret is set.")
    try:
        claims = jwt.decode(
            token,
            app.client_secret,
            algorithms=["HS256"],
            audience=_audiences(app.redirect_uri),
            # Times are checked below: the library would ask the system's clock.
            options={
                "require": _CLAIMS,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
        return _one_time(claims, app, tuple(allowed), now)
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError, OSError):
        raise BadToken("The token is not Kommo's for us, now.") from None


def _one_time(
    claims: dict[str, Any], app: OAuthApp, allowed: tuple[str, ...], now: datetime
) -> OneTimeToken:
    issuer = urlsplit(str(claims["iss"]))
    scheme = "http" if is_loopback(issuer.netloc) else "https"
    expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
    begins_at = datetime.fromtimestamp(int(claims["nbf"]), UTC)
    if claims["client_uuid"] != app.client_id:
        raise ValueError("of another integration")
    if issuer.scheme != scheme or not host_allowed(issuer.netloc, allowed):
        raise ValueError("of a host that is not Kommo's")
    if not begins_at - _LEEWAY <= now < expires_at + _LEEWAY:
        raise ValueError("expired, or not yet valid")
    is_admin = claims.get("is_admin")
    return OneTimeToken(
        account_id=int(claims["account_id"]),
        user_id=int(claims["user_id"]),
        jti=str(claims["jti"]),
        host=issuer.netloc,
        expires_at=expires_at,
        is_admin=is_admin if isinstance(is_admin, bool) else None,
    )


def _tokens(caller: Caller, url: str, app: OAuthApp, grant: dict[str, str]) -> TokenPair:
    asked_at = caller.clock.now()
    request = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
        **grant,
    }
    body = token_body("kommo", caller.send("POST", url, json=request))
    return shaped(
        "kommo",
        lambda body: TokenPair(
            access=str(body["access_token"]),
            refresh=str(body["refresh_token"]),
            expires_at=asked_at + timedelta(seconds=int(body["expires_in"])),
        ),
        body,
    )


def _unproven_claims(access_token: str) -> dict[str, Any]:
    """The token's claims without its signature, whose key only Kommo has: a hint, never a proof."""
    try:
        claims = jwt.decode(access_token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}
    return dict(claims)


def _audiences(redirect_uri: str) -> list[str]:
    """Our redirect URI's scheme and host; the vendor's client drops the port, its text does not."""
    parts = urlsplit(redirect_uri)
    return [f"{parts.scheme}://{parts.hostname}", f"{parts.scheme}://{parts.netloc}"]


def _admits(suffix: str, host: str) -> bool:
    if not suffix.startswith("."):
        return bool(suffix) and host == suffix
    return host.endswith(suffix) and bool(_LABELS.fullmatch(host[: 1 - len(suffix)]))


def _url(host: str, insecure: bool, path: str) -> str:
    return f"{'http' if insecure else 'https'}://{host}{path}"
