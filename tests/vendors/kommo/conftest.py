"""A Kommo account in the sandbox, connected by the real token endpoint."""

from typing import Any

import pytest

from server.core.tokens import TokenPair
from server.sandbox import Sandbox
from server.vendors.http import Caller
from server.vendors.kommo import auth
from server.vendors.kommo.client import KommoClient
from server.vendors.oauth import OAuthApp
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import LiveTokens

APP = OAuthApp(
    "1f0f3c7e-5c55-4d83-9d5f-4f1d3a1b2c3d",
    "the-integration-s-secret-of-some-length",
    "https://bill.test/oauth/kommo/callback",
)


@pytest.fixture
def account(sandbox: Sandbox) -> Any:
    """With its admin and the pipeline "Sales", and otherwise empty."""
    sandbox.kommo.register_integration(APP.client_id, APP.client_secret, APP.redirect_uri)
    account = sandbox.kommo.add_account("demo", 501)
    account.add_pipeline("Sales", stages=["Talk", "Issue invoice"])
    return account


@pytest.fixture
def pipeline(account: Any) -> Any:
    return account.main_pipeline


@pytest.fixture
def caller(caller_of: MakeCaller) -> Caller:
    return caller_of("kommo", deadline=5.0)


class Home:
    """Where the account is, and its tokens: what the store keeps of a connection."""

    def __init__(self, account: Any, caller: Caller) -> None:
        self.host = account.host
        self._caller = caller
        code = account.make_code(APP.client_id)
        pair = auth.exchange(caller, self.host, APP, code, insecure=True)
        self.tokens = LiveTokens(pair, self._renew)
        self._allowed: list[str] = [self.host, account.world.grants.api_domain]

    def allow(self, host: str) -> None:
        self._allowed.append(host)

    def _renew(self, pair: TokenPair) -> TokenPair:
        self.host, renewed = auth.refresh_wherever(
            self._caller,
            self.host,
            APP,
            access_token=pair.access,
            refresh_token=pair.refresh,
            allowed=self._allowed,
        )
        return renewed


@pytest.fixture
def home(account: Any, caller: Caller) -> Home:
    return Home(account, caller)


@pytest.fixture
def client(home: Home, caller: Caller) -> KommoClient:
    return KommoClient(lambda: home.host, home.tokens, caller, insecure=True)
