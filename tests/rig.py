"""Billhook and the sandbox, both over real HTTP, connected by the real redirects.

One clock, standing still, drives both sides; jobs run in the test's own thread when it says
``pump``. Nothing is faked but the vendors.
"""

import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.fernet import Fernet
from flask import Flask

from server.app import create_app, log_quietly, wired
from server.config import Config
from server.core.keys import AccountId, JobId
from server.flows import (
    change_settings,
    connect,
    connect_freshbooks,
    connect_kommo,
    glance,
    periodic,
)
from server.sandbox import Ports, Sandbox, SandboxClock
from server.sandbox.browser import Browser
from server.sandbox.freshbooks import Business
from server.sandbox.kommo.account import Account
from server.sandbox.serve import Served, serve
from server.store import accounts, jobs, migrate
from server.store.accounts import ConnectionRow
from server.store.jobs import JobKind, JobRow
from server.vendors.connection import SHARED
from tests.quick_database import do_not_wait_for_the_disk, file_at_head

log_quietly()  # as the command does; structlog's own way prints every local of a traceback

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KOMMO_ID = "8f1c2d3e-0000-4000-8000-000000000001"
KOMMO_SECRET = "kommo-client-secret-of-the-usual-length"
FRESHBOOKS_ID, FRESHBOOKS_SECRET = "freshbooks-client-id", "freshbooks-client-secret"
LOWEST_PORT, HIGHEST_PORT = 10_000, 32_000
ROUNDS = 50  # of hooks and jobs; more means that they make each other without end


def free_ports(how_many: int) -> tuple[int, ...]:
    """Ports that nobody listens on, below those that the system hands out by itself: a port that is
    bound only later is then still free."""
    found: list[int] = []
    while len(found) < how_many:
        port = LOWEST_PORT + secrets.randbelow(HIGHEST_PORT - LOWEST_PORT)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return tuple(found)


class Door:
    """A server's port that is open before the app behind it exists, and outlives its restart."""

    def __init__(self) -> None:
        self.app: Flask | None = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        assert self.app is not None
        return self.app(environ, start_response)


class Rig:
    """``kommo`` is a sandbox account with the pipeline "Sales", ``books`` a business of ``ona``."""

    def __init__(self, folder: Path, *, database_url: str = "", **settings: Any) -> None:
        self.clock = SandboxClock(MONDAY, frozen=True)
        self._ports = Ports(kommo=free_ports(1)[0], kommo_accounts=free_ports(5))
        self.sandbox = Sandbox(clock=self.clock, ports=self._ports)
        self._own_file = None if database_url else folder / "billhook.db"
        self._database_url = database_url or f"sqlite:///{self._own_file}"
        self._settings = settings
        self._keys = (Fernet.generate_key().decode(),)
        self._door = Door()
        self._served: Served | None = None
        self.account_id = AccountId(0)

    def start(self) -> Self:
        self.sandbox.start()
        self.sandbox.kommo.switches.requests_per_second = 0
        self._served = serve(self._door)
        self._register()
        self.kommo: Account = self.sandbox.kommo.add_account("demo")
        self.kommo.add_pipeline("Sales", ["Talks", "Offer", "Issue invoice"])
        self.ona = self.sandbox.freshbooks.add_identity("ona@example.test", "Ona Owner")
        self.books: Business = self.sandbox.freshbooks.add_business(self.ona, "Ona's Studio")
        if self._own_file is not None and not self._own_file.exists():
            self._own_file.write_bytes(file_at_head())
        self.restart()
        if self._own_file is None:
            migrate.upgrade(self.database.engine)
        return self

    def stop(self) -> None:
        if self._served is not None:
            self._served.stop()
        glance.settle()  # what goes on behind pages ends with them
        if self._door.app is not None:
            self.database.engine.dispose()
        self.sandbox.stop()
        SHARED.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where Billhook listens: its BILLHOOK_PUBLIC_URL."""
        assert self._served is not None
        return self._served.url

    def config(self) -> Config:
        kommo, books = self.sandbox.kommo, self.sandbox.freshbooks
        ports = (self._ports.kommo, *self._ports.kommo_accounts)
        given = {
            "database_url": self._database_url,
            "secret_keys": self._keys,
            "public_url": self.url,
            "kommo_client_id": KOMMO_ID,
            "kommo_client_secret": KOMMO_SECRET,
            "kommo_auth_url": kommo.auth_url,
            "kommo_hosts": tuple(f"127.0.0.1:{port}" for port in ports),
            "freshbooks_client_id": FRESHBOOKS_ID,
            "freshbooks_client_secret": FRESHBOOKS_SECRET,
            "freshbooks_auth_url": books.auth_url,
            "freshbooks_api_url": books.base_url,
            "freshbooks_app_url": books.app_url,
        }
        return Config(**{**given, **self._settings})

    def environ(self) -> dict[str, str]:
        """The same settings as a process's environment, with the sandbox's clock."""
        config = self.config()
        names = (
            "database_url public_url kommo_client_id kommo_client_secret kommo_auth_url"
            " freshbooks_client_id freshbooks_client_secret freshbooks_auth_url"
            " freshbooks_api_url freshbooks_app_url"
        )
        plain = {f"BILLHOOK_{n.upper()}": str(getattr(config, n)) for n in names.split()}
        return {
            **plain,
            "BILLHOOK_SECRET_KEYS": ",".join(config.secret_keys),
            "BILLHOOK_KOMMO_HOSTS": ",".join(config.kommo_hosts),
            "BILLHOOK_CLOCK_URL": f"{self.sandbox.control_url}/_clock",
        }

    def restart(self) -> None:
        """A new process's worth of Billhook over the same database; the old one is gone."""
        if self._door.app is not None:
            self.database.engine.dispose()
        app = create_app(self.config(), clock=self.clock, limits={})
        parts = wired(app)
        self.app, self.world, self.runner = app, parts.world, parts.runner
        self.database = parts.database
        if self._own_file is not None:
            do_not_wait_for_the_disk(self.database.engine)
        self._door.app = app

    def connect(self) -> Self:
        """Kommo, then FreshBooks, as a person does it at the command line and in a browser."""
        self.connect_kommo()
        self.connect_freshbooks()
        self.pump()
        return self

    def connect_kommo(self, account_id: int | None = None, **chosen: str) -> ConnectionRow:
        """``chosen``: fields of the consent form (account, user)."""
        ticket = self.consent("kommo", account_id, **chosen)
        row = connect_kommo.complete(self.world, ticket)
        self.account_id = AccountId(row.account_id)
        return row

    def connect_freshbooks(
        self, account_id: int | None = None, business_id: int | None = None, **chosen: str
    ) -> ConnectionRow:
        ticket = self.consent("freshbooks", account_id or self.account_id, **chosen)
        return connect_freshbooks.complete(self.world, ticket, business_id)

    def consent(self, vendor: str, account_id: int | None = None, **chosen: str) -> str:
        """Through the vendor's page and back: the ticket, whose consent waits to be completed."""
        ticket = connect.mint(self.world, vendor, account_id)
        with Browser() as browser:
            page = browser.get(connect.start_url(self.world, vendor, ticket))
            back = browser.decide(page, **chosen)
        assert back.status_code == 200, back.text
        return ticket

    def settings(self, document: dict[str, Any]) -> None:
        change_settings.save(self.world, self.account_id, document, "test")

    def rule_on(self, slug: str) -> bool:
        return change_settings.switch_on(self.world, self.account_id, slug, "test")

    def rule_off(self, slug: str) -> bool:
        return change_settings.switch_off(self.world, self.account_id, slug, "test")

    def pump(self) -> None:
        """Deliver hooks and run jobs until there is neither."""
        for _ in range(ROUNDS):
            delivered = self.sandbox.deliveries.deliver_due()
            ran = self.runner.drain()
            if not delivered and not ran:
                return
        raise AssertionError("hooks and jobs make each other without end")

    def run_at_once(self) -> None:
        """Both jobs that are due, each in a thread of its own, at the same instant."""
        both = threading.Barrier(2)

        def run(job_id: JobId) -> None:
            both.wait(10)
            self.runner.run(job_id)

        threads = [threading.Thread(target=run, args=(job_id,)) for job_id in self.runner.due()]
        assert len(threads) == both.parties
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    def later(self, **parts: float) -> None:
        """Time passes (``minutes=5``), then what is due happens."""
        self.clock.advance(timedelta(**parts))
        self.pump()

    def sweep(self) -> None:
        """Five minutes later: what time brings by itself."""
        self.clock.advance(periodic.SWEEP_EVERY)
        periodic.defer_due(self.world)
        self.pump()

    def connection(self, vendor: str) -> ConnectionRow:
        with self.database.read() as session:
            row = accounts.connection(session, self.account_id, vendor)
        assert row is not None
        return row

    def jobs(self, kind: JobKind | None = None) -> list[JobRow]:
        with self.database.read() as session:
            return jobs.of_account(session, self.account_id, kind)

    def hook_url(self, kind: str = "kommo") -> str:
        with self.database.write() as session:
            key = accounts.hook_key(session, self.world.vault, self.account_id, kind)
        return f"{self.url}/hooks/{kind}/{key}"

    def in_database(self, read: Callable[[Any], Any]) -> Any:
        """What ``read(session)`` returns."""
        with self.database.read() as session:
            return read(session)

    def _register(self) -> None:
        self.sandbox.kommo.register_integration(
            KOMMO_ID,
            KOMMO_SECRET,
            f"{self.url}/oauth/kommo/callback",
            f"{self.url}/oauth/kommo/revoked",
        )
        self.sandbox.freshbooks.register_app(
            FRESHBOOKS_ID, FRESHBOOKS_SECRET, f"{self.url}/oauth/freshbooks/callback"
        )
