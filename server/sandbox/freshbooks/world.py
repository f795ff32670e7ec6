"""All of FreshBooks on this machine: three hosts, people, apps and businesses."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from server.sandbox.clock import SandboxClock
from server.sandbox.delivery import Deliveries
from server.sandbox.edge import Call, Edge
from server.sandbox.faults import Faults
from server.sandbox.freshbooks.acts import Business
from server.sandbox.freshbooks.api import FreshbooksShapes, api_app
from server.sandbox.freshbooks.consent import auth_app
from server.sandbox.freshbooks.limits import RateLimits
from server.sandbox.freshbooks.oauth import INVOICER, Authority, Grant
from server.sandbox.freshbooks.pages import pages_app
from server.sandbox.freshbooks.state import App, Env, Identity, Role, new_account_id
from server.sandbox.freshbooks.switches import FreshbooksSwitches
from server.sandbox.ports import Ports
from server.sandbox.serve import Served, serve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication


class FreshbooksWorld:
    """``calls`` rows are (method, path, status); ``unknown_calls`` are what it does not know."""

    def __init__(
        self,
        *,
        clock: SandboxClock,
        faults: Faults,
        deliveries: Deliveries,
        switches: FreshbooksSwitches | None = None,
    ) -> None:
        self.env = Env(clock, deliveries, switches or FreshbooksSwitches())
        self.faults = faults
        self.authority = Authority(self.env)
        self.limits = RateLimits(self.env)
        self.identities: list[Identity] = []
        self.businesses: list[Business] = []
        self.calls: list[Call] = []
        self.unknown_calls: list[tuple[str, str]] = []
        self._served: list[Served] = []

    @property
    def switches(self) -> FreshbooksSwitches:
        return self.env.switches

    @property
    def base_url(self) -> str:
        """What api.freshbooks.com is."""
        return self.env.base_url

    @property
    def auth_url(self) -> str:
        """What auth.freshbooks.com is; the consent page is at /oauth/authorize/."""
        return self.env.auth_url

    @property
    def app_url(self) -> str:
        """What my.freshbooks.com is: the operator's page and the share-link page."""
        return self.env.app_url

    def register_app(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str | Iterable[str],
        scopes: Iterable[str] = INVOICER,
    ) -> App:
        """The developer portal: redirect URIs are https (http on the loopback), without query."""
        uris = (redirect_uri,) if isinstance(redirect_uri, str) else tuple(redirect_uri)
        for uri in uris:
            _refuse_uri(uri)
        app = App(client_id, client_secret, uris, frozenset(scopes))
        self.authority.apps[client_id] = app
        return app

    def add_identity(self, email: str = "owner@example.test", name: str = "Ona Owner") -> Identity:
        """A person who can sign in and consent."""
        person = Identity(self.env.next_id("identity"), email, name)
        self.identities.append(person)
        return person

    def add_business(
        self,
        owner: Identity,
        name: str = "Example Studio",
        account_id: str | None = None,
        business_id: int | None = None,
        *,
        timezone: str = "Europe/Vilnius",
        currency: str = "EUR",
    ) -> Business:
        """A business with its own account, numbers and clients; the owner is its admin."""
        business = Business(
            env=self.env,
            owner=owner,
            name=name,
            account_id=account_id or new_account_id(),
            business_id=business_id or self.env.next_id("business"),
            timezone=timezone,
            currency=currency,
            system_id=self.env.next_id("system"),
        )
        self.businesses.append(business)
        self.add_member(business, owner)
        return business

    def add_member(
        self,
        business: Business,
        person: Identity,
        role: str = "owner",
        account_role: str = "admin",
    ) -> Role:
        """``role="client", account_role="client"``: somebody who is only a client there."""
        ids = self.env.next_id("membership"), self.env.next_id("role")
        found = Role(business, role, account_role, *ids)
        person.roles.append(found)
        return found

    def grant(self, person: Identity, client_id: str, scopes: Iterable[str] | None = None) -> Grant:
        """Tokens as a consent would give them, without the pages; all ticked scopes by default."""
        app = self.authority.apps[client_id]
        with self.env.lock:
            return self.authority.grant(app, person, frozenset(scopes or app.scopes))

    def business(self, account_id: str) -> Business:
        return next(b for b in self.businesses if b.account_id == account_id)

    def start(self, ports: Ports | None = None) -> None:
        """Open the three hosts."""
        ports = ports or Ports()
        hosts = [
            self._open(api_app, ports.freshbooks),
            self._open(auth_app, ports.freshbooks_auth),
            self._open(pages_app, ports.freshbooks_app),
        ]
        self._served = hosts
        self.env.base_url, self.env.auth_url, self.env.app_url = (host.url for host in hosts)

    def stop(self) -> None:
        """Close the hosts; state stays readable."""
        for served in self._served:
            served.stop()
        self._served = []

    def state(self) -> dict[str, Any]:
        """What there is, in short, for the control app."""
        return {
            "base_url": self.base_url,
            "auth_url": self.auth_url,
            "app_url": self.app_url,
            "identities": [{"id": p.id, "email": p.email} for p in self.identities],
            "unknown_calls": list(self.unknown_calls),
            "businesses": [business_state(b) for b in self.businesses],
        }

    def _open(self, make: "Callable[[FreshbooksWorld], WSGIApplication]", port: int) -> Served:
        edge = Edge(
            Locked(make(self), self.env),
            vendor="freshbooks",
            faults=self.faults,
            clock=self.env.clock,
            shapes=FreshbooksShapes(self),
            calls=self.calls,
        )
        return serve(edge, port)


class Locked:
    """One request at a time: each sees and leaves whole books, as a transaction would."""

    def __init__(self, app: "WSGIApplication", env: Env) -> None:
        self._app = app
        self._env = env

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        with self._env.lock:
            return self._app(environ, start_response)


def business_state(business: Business) -> dict[str, Any]:
    """Clients and invoices as the API prints them."""
    with business.env.lock:
        return {
            "account_id": business.account_id,
            "business_id": business.business_id,
            "name": business.name,
            "clients": [dict(row) for row in business.clients.values()],
            "invoices": [business.invoice_view(key, "lines") for key in business.invoices],
            "payments": [dict(row) for row in business.payments.values()],
            "mails": [vars(mail) for mail in business.mails.values()],
            "callbacks": [
                {key: row[key] for key in ("id", "event", "uri", "verified")}
                for row in business.callbacks.values()
            ],
        }


def _refuse_uri(uri: str) -> None:
    parts = urlsplit(uri)
    loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    if not (parts.scheme == "https" or loopback) or parts.query or parts.fragment:
        raise ValueError(f"redirect URIs are https and without query: {uri}")
