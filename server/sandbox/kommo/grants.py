"""Codes and tokens: who may call which account, how long, how refresh tokens rotate (§1)."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

from server.sandbox.clock import SandboxClock
from server.sandbox.kommo.switches import KommoSwitches

CODE_LIFE = timedelta(minutes=20)
ACCESS_LIFE = timedelta(hours=24)
REFRESH_LIFE = timedelta(days=90)
SIGNING_KEY = "kommo-emulator-signs-its-access-tokens-with-this"


@dataclass
class Integration:
    """What stands in the developer's account."""

    client_id: str
    client_secret: str
    redirect_uri: str
    revoked_url: str = ""
    private: bool = False


@dataclass
class Code:
    value: str
    client_id: str
    account_id: int
    user_id: int
    expires_at: datetime
    used: bool = False


@dataclass
class Access:
    token: str
    expires_at: datetime
    grant: "Grant"
    refresh_token: str = ""
    revoked: bool = False


@dataclass
class Grant:
    """One consent: a family of token pairs. Several may live beside each other in an account."""

    client_id: str
    account_id: int
    user_id: int
    by_admin: bool
    revoked: bool = False
    current: str = ""
    spare: str = ""
    accesses: list[Access] = field(default_factory=list)


@dataclass
class Pair:
    access_token: str
    refresh_token: str


class TokenRefused(Exception):
    """The token endpoint said no; ``hint`` is the vendor's word."""

    def __init__(self, hint: str, status: int) -> None:
        super().__init__(hint)
        self.hint, self.status = hint, status


class Grants:
    """All codes and tokens of all accounts."""

    def __init__(self, clock: SandboxClock, switches: KommoSwitches) -> None:
        self.clock = clock
        self.switches = switches
        self.integrations: dict[str, Integration] = {}
        self.api_domain = ""
        self._codes: dict[str, Code] = {}
        self._accesses: dict[str, Access] = {}
        self._refreshes: dict[str, tuple[Grant, datetime]] = {}

    def make_code(self, client_id: str, account_id: int, user_id: int) -> str:
        """Twenty minutes, single use."""
        value = "def502" + secrets.token_hex(40)
        expires = self.clock.now() + CODE_LIFE
        self._codes[value] = Code(value, client_id, account_id, user_id, expires)
        return value

    def exchange(self, value: str, client_id: str, account_id: int, by_admin: bool) -> Pair:
        """A code for the first pair. Raises TokenRefused."""
        code = self._codes.get(value)
        if code is None or (code.client_id, code.account_id) != (client_id, account_id):
            raise TokenRefused("Cannot decrypt the authorization code", 400)
        if code.used:
            raise TokenRefused("Authorization code has been revoked", 400)
        if code.expires_at <= self.clock.now():
            raise TokenRefused("Authorization code has expired", 400)
        code.used = True
        return self._issue(Grant(client_id, account_id, code.user_id, by_admin))

    def user_of(self, value: str) -> int:
        """Whose consent the code is; 0 for an unknown one."""
        return self._codes[value].user_id if value in self._codes else 0

    def refresh(self, token: str, client_id: str, account_id: int) -> Pair:
        """The next pair. The switch ``refresh_rule`` decides what dies with it."""
        grant, expires = self._refreshes.get(token, (None, None))
        status = self.switches.token_error_status
        if grant is None or (grant.client_id, grant.account_id) != (client_id, account_id):
            raise TokenRefused("Cannot decrypt the refresh token", status)
        if grant.revoked or token not in (grant.current, grant.spare):
            raise TokenRefused("Token has been revoked", status)
        if expires is None or expires <= self.clock.now():
            raise TokenRefused("Token has expired", status)
        if self.switches.refresh_rule == "at_once":
            grant.spare = ""
            for access in grant.accesses:
                access.revoked = True
        else:
            # The token that was used stays good until the new one is used; the pair that an
            # earlier use of it made (its reply was lost) is superseded.
            superseded = grant.current if token == grant.spare else ""
            for access in grant.accesses:
                access.revoked = access.revoked or (access.refresh_token == superseded != "")
            grant.spare = token
        return self._issue(grant)

    def access(self, token: str) -> Access | None:
        """The living access behind a bearer token."""
        access = self._accesses.get(token)
        if access is None or access.revoked or access.grant.revoked:
            return None
        if access.expires_at <= self.clock.now():
            return None
        if self.switches.access_use_ends_grace and access.refresh_token == access.grant.current:
            access.grant.spare = ""
        return access

    def account_of_refresh(self, token: str) -> int | None:
        """Whose living refresh token this is."""
        grant, expires = self._refreshes.get(token, (None, None))
        if grant is None or expires is None or grant.revoked or expires <= self.clock.now():
            return None
        return grant.account_id if token in (grant.current, grant.spare) else None

    def living(self, client_id: str, account_id: int) -> list[Grant]:
        seen = {id(grant): grant for grant, _ in self._refreshes.values()}
        return [
            grant
            for grant in seen.values()
            if (grant.client_id, grant.account_id) == (client_id, account_id) and not grant.revoked
        ]

    def revoke(self, client_id: str, account_id: int) -> None:
        """Every token of the integration in the account dies."""
        for grant in self.living(client_id, account_id):
            grant.revoked = True

    def long_lived(self, client_id: str, account_id: int, user_id: int, life: timedelta) -> str:
        """A bearer token without refresh, for private integrations."""
        grant = Grant(client_id, account_id, user_id, by_admin=True)
        return self._access(grant, self.clock.now() + life, "").token

    def _issue(self, grant: Grant) -> Pair:
        now = self.clock.now()
        refresh_token = "def502" + secrets.token_hex(60)
        grant.current = refresh_token
        self._refreshes[refresh_token] = (grant, now + REFRESH_LIFE)
        access = self._access(grant, now + ACCESS_LIFE, refresh_token)
        return Pair(access.token, refresh_token)

    def _access(self, grant: Grant, expires: datetime, refresh_token: str) -> Access:
        now = int(self.clock.now().timestamp())
        claims = {
            "aud": grant.client_id,
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": int(expires.timestamp()),
            "sub": str(grant.user_id),
            "grant_type": "",
            "account_id": grant.account_id,
            "base_domain": "kommo.com",
            "version": 2,
            "scopes": ["crm", "notifications"],
            "api_domain": self.api_domain,
        }
        token = jwt.encode(claims, SIGNING_KEY, algorithm="HS256")
        access = Access(token, expires, grant, refresh_token)
        grant.accesses.append(access)
        self._accesses[token] = access
        return access
