"""Who may do what: codes, rotating tokens and their scopes (reference §1)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

from server.sandbox.freshbooks.state import App, Env, Identity

CODE_LIFETIME = timedelta(minutes=5)
TOKEN_SECONDS = 43_200

_OBJECTS = """bill_payments bill_vendors billable_items bills business clients credit_notes
estimates expenses invoices journal_entries notifications online_payments other_income payments
profile projects reports retainers taxes teams time_entries"""
OBJECTS = _OBJECTS.split()
READ_ONLY = ("profile", "notifications", "reports")
PROFILE = "user:profile:read"

ALL_SCOPES = frozenset(f"user:{obj}:read" for obj in OBJECTS) | frozenset(
    f"user:{obj}:write" for obj in OBJECTS if obj not in READ_ONLY
)

#: What an invoicer needs (reference §1.3), as ticked on an app unless said otherwise.
_INVOICER = """profile:read clients:read clients:write invoices:read invoices:write payments:read
payments:write credit_notes:read credit_notes:write taxes:read billable_items:read
online_payments:read online_payments:write"""
INVOICER = frozenset(f"user:{scope}" for scope in _INVOICER.split())

BAD_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection"
    " URI used in the authorization request, or was issued to another client."
)
BAD_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, or"
    " unsupported authentication method."
)
BAD_SCOPE = "The requested scope is invalid, unknown, or malformed."


class OAuthError(Exception):
    """OAuth's own error pair."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


@dataclass(frozen=True)
class Code:
    """What a consent gave, waiting to be exchanged once."""

    app: App
    identity: Identity
    redirect_uri: str
    scopes: frozenset[str]
    until: datetime


@dataclass
class Grant:
    """One pair of tokens. ``access_live`` and ``refresh_live`` end it before its time."""

    app: App
    identity: Identity
    scopes: frozenset[str]
    created_at: datetime
    expires_in: int
    access_token: str
    refresh_token: str = field(default_factory=lambda: secrets.token_hex(32))
    access_live: bool = True
    refresh_live: bool = True

    @property
    def expires_at(self) -> datetime:
        return self.created_at + timedelta(seconds=self.expires_in)


class Authority:
    """Apps, codes and grants."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self.apps: dict[str, App] = {}
        self.grants: list[Grant] = []
        self._by_token: dict[str, Grant] = {}
        self._codes: dict[str, Code] = {}
        self._key = secrets.token_bytes(64)

    def scopes_for(self, app: App, asked: str) -> frozenset[str]:
        """Nothing asked: all ticked. An unknown or unticked scope refuses the whole consent."""
        wanted = frozenset(asked.split())
        if not wanted <= (app.scopes & ALL_SCOPES) | {PROFILE}:
            raise OAuthError(400, "invalid_scope", BAD_SCOPE)
        return (wanted or app.scopes) | {PROFILE}

    def issue_code(
        self, app: App, identity: Identity, redirect_uri: str, scopes: frozenset[str]
    ) -> str:
        """A code that lives five minutes and works once."""
        code = secrets.token_hex(32)
        until = self.env.clock.now() + CODE_LIFETIME
        self._codes[code] = Code(app, identity, redirect_uri, scopes, until)
        return code

    def client(self, client_id: str, client_secret: str) -> App:
        """The app that authenticates itself; the secret is always needed."""
        app = self.apps.get(client_id)
        if app is None or not secrets.compare_digest(app.client_secret, client_secret):
            raise OAuthError(401, "invalid_client", BAD_CLIENT)
        return app

    def exchange(self, app: App, code: str, redirect_uri: str) -> Grant:
        """A code for the first pair; a second consent may kill the pair before it."""
        found = self._codes.pop(code, None)
        if (
            found is None
            or found.app is not app
            or found.redirect_uri != redirect_uri
            or found.until <= self.env.clock.now()
        ):
            raise OAuthError(400, "invalid_grant", BAD_GRANT)
        return self.grant(app, found.identity, found.scopes)

    def grant(self, app: App, identity: Identity, scopes: frozenset[str]) -> Grant:
        """A new pair, as after a consent."""
        if self.env.switches.second_consent_kills_first:
            for old in self.grants:
                if old.app is app and old.identity is identity:
                    old.refresh_live = False
        return self._issue(app, identity, scopes, self.env.clock.now(), TOKEN_SECONDS)

    def refresh(self, app: App, refresh_token: str) -> Grant:
        """The next pair; the refresh token is spent, whether the reply arrives or not."""
        old = self._by_token.get(refresh_token)
        if (
            old is None
            or old.refresh_token != refresh_token
            or old.app is not app
            or not old.refresh_live
        ):
            raise OAuthError(400, "invalid_grant", BAD_GRANT)
        old.refresh_live = False
        if self.env.switches.refresh_kills_access_token:
            old.access_live = False
        created_at, lifetime = self.env.clock.now(), TOKEN_SECONDS
        keep = timedelta(seconds=self.env.switches.refresh_keeps_created_at_seconds)
        if created_at - old.created_at < keep:
            created_at, lifetime = old.created_at, TOKEN_SECONDS - 1
        return self._issue(app, old.identity, old.scopes, created_at, lifetime)

    def revoke(self, app: App, token: str) -> None:
        """Either token of a pair ends the pair; an unknown one is no error."""
        grant = self._by_token.get(token)
        if grant is not None and grant.app is app:
            grant.access_live = grant.refresh_live = False

    def access(self, authorization: str) -> Grant | None:
        """The grant behind "Bearer …", if it still lives."""
        scheme, _, token = authorization.partition(" ")
        grant = self._by_token.get(token)
        if grant is None or scheme.lower() != "bearer" or grant.access_token != token:
            return None
        lives = grant.access_live and self.env.clock.now() < grant.expires_at
        return grant if lives else None

    def _issue(
        self,
        app: App,
        identity: Identity,
        scopes: frozenset[str],
        created_at: datetime,
        lifetime: int,
    ) -> Grant:
        claims = {
            "iss": "https://auth.freshbooks.com",
            "sub": str(identity.id),
            "aud": app.client_id,
            "jti": secrets.token_hex(16),
            "scope": " ".join(sorted(scopes)),
            "iat": int(created_at.timestamp()),
            "exp": int(created_at.timestamp()) + lifetime,
        }
        token = jwt.encode(claims, self._key, algorithm="HS512")
        grant = Grant(app, identity, scopes, created_at, lifetime, token)
        self.grants.append(grant)
        self._by_token |= {grant.access_token: grant, grant.refresh_token: grant}
        return grant


def token_reply(grant: Grant) -> dict[str, object]:
    """The token endpoint's body; expiry is created_at + expires_in."""
    return {
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "refresh_token": grant.refresh_token,
        "scope": " ".join(sorted(grant.scopes)),
        "created_at": int(grant.created_at.timestamp()),
        "direct_buy_tokens": {},
    }
