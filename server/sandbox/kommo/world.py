"""All of Kommo on this machine: the consent page, the integrations, and a host an account."""

from typing import Any

from server.sandbox.clock import SandboxClock
from server.sandbox.delivery import Deliveries
from server.sandbox.edge import Call, Edge
from server.sandbox.faults import Faults
from server.sandbox.kommo.account import Account
from server.sandbox.kommo.api import AccountHost
from server.sandbox.kommo.api.problems import KommoShapes
from server.sandbox.kommo.consent import ConsentHost, GoneHost
from server.sandbox.kommo.grants import Grants, Integration
from server.sandbox.kommo.limits import Limits
from server.sandbox.kommo.summary import summary
from server.sandbox.kommo.switches import KommoSwitches
from server.sandbox.ports import Ports
from server.sandbox.serve import Served, serve


class KommoWorld:
    """``calls``: (method, path, status) of all hosts; ``unknown_calls`` should stay empty.

    ``unknown_keys``: (method, path, key) of body keys that Kommo would silently ignore.
    """

    def __init__(
        self,
        *,
        clock: SandboxClock,
        faults: Faults,
        deliveries: Deliveries,
        switches: KommoSwitches | None = None,
    ) -> None:
        self.clock = clock
        self.faults = faults
        self.deliveries = deliveries
        self.switches = switches or KommoSwitches()
        self.grants = Grants(clock, self.switches)
        self.limits = Limits(self.switches)
        self.shapes = KommoShapes(self.switches)
        self.accounts: dict[int, Account] = {}
        self.calls: list[Call] = []
        self.unknown_calls: list[tuple[str, str]] = []
        self.unknown_keys: list[tuple[str, str, str]] = []
        self._ports: list[int] = []
        self._consent: Served | None = None

    @property
    def auth_url(self) -> str:
        """What https://www.kommo.com/oauth is."""
        if self._consent is None:
            raise RuntimeError("the sandbox is not started")
        return f"{self._consent.url}/oauth"

    def start(self, ports: Ports) -> None:
        """Open the consent page's port and those of accounts that are there already."""
        self._ports = list(ports.kommo_accounts)
        self._consent = serve(self._edge(ConsentHost(self)), ports.kommo)
        self.grants.api_domain = self._consent.host
        for account in self.accounts.values():
            self.move(account)

    def stop(self) -> None:
        """Close all ports."""
        for account in self.accounts.values():
            for served in [account.served, *account.past]:
                if served is not None:
                    served.stop()
            account.served = None
            account.past.clear()
        if self._consent is not None:
            self._consent.stop()
            self._consent = None

    def _edge(self, app: Any) -> Edge:
        return Edge(
            app,
            vendor="kommo",
            faults=self.faults,
            clock=self.clock,
            shapes=self.shapes,
            calls=self.calls,
        )

    def register_integration(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        revoked_url: str = "",
        *,
        private: bool = False,
    ) -> Integration:
        """What a developer fills into the integration's form."""
        made = Integration(client_id, client_secret, redirect_uri, revoked_url, private)
        self.grants.integrations[client_id] = made
        return made

    def add_account(
        self,
        subdomain: str = "demo",
        account_id: int | None = None,
        *,
        name: str = "",
        currency: str = "EUR",
        timezone: str = "Europe/Vilnius",
    ) -> Account:
        """A new account with one admin, on its own port."""
        account = Account(
            self,
            subdomain=subdomain,
            account_id=account_id or 30_000_000 + 1117 * (len(self.accounts) + 1),
            name=name or subdomain.capitalize(),
            currency=currency,
            timezone=timezone,
        )
        self.accounts[account.account_id] = account
        if self._consent is not None:
            self.move(account)
        return account

    def move(self, account: Account) -> None:
        """Give the account a port of its own; hosts that it left answer as nobody's."""
        app = Tenancy(self, account)
        account.served = serve(self._edge(app), self._ports.pop(0) if self._ports else 0)
        app.port = account.served.port

    def account_named(self, subdomain: str) -> Account | None:
        return next((one for one in self.accounts.values() if one.subdomain == subdomain), None)

    def account_behind(self, refresh_token: str) -> Account | None:
        """The account of a living refresh token."""
        account_id = self.grants.account_of_refresh(refresh_token)
        return None if account_id is None else self.accounts.get(account_id)

    def lift_block(self) -> None:
        """Support lifts the block of the address."""
        self.limits.lift()

    def state(self) -> dict[str, Any]:
        """Short, for the control app and the desk."""
        return {"accounts": [summary(account) for account in self.accounts.values()]}


class Tenancy:
    """A host that was once an account's: serves it while it is, then says that it is unknown."""

    def __init__(self, world: KommoWorld, account: Account) -> None:
        self.port = 0
        self._account = account
        self._here, self._gone = AccountHost(account), GoneHost(world)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        served = self._account.served
        app = self._here if served is None or served.port == self.port else self._gone
        return app(environ, start_response)
