"""The demo's world: vendors in this process, Billhook as a server of its own, connected.

A browser's part in connecting is played by ``sandbox.browser``: it follows the redirects and
presses *Allow*, as a person would.
"""

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import requests

from server.app import Wired, create_app, wired
from server.config import Config, ensure_secret_keys
from server.demo.settings import RULE, demo_settings
from server.flows import change_settings, connect, connect_freshbooks, connect_kommo
from server.sandbox import Ports, Sandbox
from server.sandbox.browser import Browser
from server.sandbox.seed import Demo, seed_demo
from server.store import migrate
from server.vendors.connection import SHARED

KOMMO_ID, FRESHBOOKS_ID = "0f7a2c1e-0000-4000-8000-00000000d3e0", "billhook-demo"
SECRET = "only-for-the-demo-on-this-machine-alone"  # noqa: S105  # the sandbox's, on this machine
PATIENCE = 30.0  # seconds for anything to happen that happens within one or two
GLANCE = 0.1


class DemoFailed(Exception):
    """Something that the demo waits for did not happen; says what."""


@dataclass(frozen=True)
class Stage:
    """Everything that stands on it. ``account`` is Billhook's name for the connected account."""

    sandbox: Sandbox
    demo: Demo
    url: str
    account_id: int


@contextmanager
def running(say: Callable[[str], None], *, port: int = 0) -> Iterator[Stage]:
    """Set up, and take down at the end. ``port``: of the board. Raises DemoFailed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="billhook-demo-")))
        sandbox = stack.enter_context(Sandbox(ports=Ports(control=port), auto=True))
        demo = seed_demo(sandbox)
        say("The sandbox stands: Kommo with a dozen deals, an empty FreshBooks business.")
        url = f"http://127.0.0.1:{_free_port()}"
        environ = _environ(sandbox, demo, folder, url)
        stack.enter_context(_server(environ, url))
        say(f"Billhook listens on {url}.")
        account_id = _connect(Config.from_env(environ), demo)
        wait_for(lambda: bool(demo.kommo.hooks), "Billhook's webhook at Kommo")
        say("Both accounts are connected by their consent pages; the rule is on.")
        yield Stage(sandbox, demo, url, account_id)


def wait_for(happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Raises DemoFailed when it does not happen in time."""
    until = monotonic() + seconds
    while not happened():
        if monotonic() > until:
            raise DemoFailed(f"{what} did not come within {seconds:.0f} seconds")
        threading.Event().wait(GLANCE)


def at_rest(url: str) -> bool:
    """No job runs. Time moves only then: a try that ends after the clock was moved counts its
    retry from the later time."""
    with requests.get(f"{url}/metrics", timeout=5) as reply:
        rows = reply.text.splitlines()
    return not any(row.startswith("billhook_jobs{") and 'state="running"' in row for row in rows)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environ(sandbox: Sandbox, demo: Demo, folder: Path, url: str) -> dict[str, str]:
    return {
        "BILLHOOK_DATABASE_URL": f"sqlite:///{folder / 'billhook.db'}",
        "BILLHOOK_SECRET_KEYS": ",".join(ensure_secret_keys(folder / "secret.keys")),
        **register(sandbox, demo, url),
    }


def register(sandbox: Sandbox, demo: Demo, url: str) -> dict[str, str]:
    """What a developer fills into both vendors' portals, for a Billhook at ``url``; the settings
    with which that Billhook then finds this sandbox."""
    sandbox.kommo.register_integration(
        KOMMO_ID, SECRET, f"{url}/oauth/kommo/callback", f"{url}/oauth/kommo/revoked"
    )
    sandbox.freshbooks.register_app(FRESHBOOKS_ID, SECRET, f"{url}/oauth/freshbooks/callback")
    return {
        "BILLHOOK_PUBLIC_URL": url,
        "BILLHOOK_KOMMO_CLIENT_ID": KOMMO_ID,
        "BILLHOOK_KOMMO_CLIENT_SECRET": SECRET,
        "BILLHOOK_KOMMO_AUTH_URL": sandbox.kommo.auth_url,
        "BILLHOOK_KOMMO_HOSTS": demo.kommo.host,
        "BILLHOOK_FRESHBOOKS_CLIENT_ID": FRESHBOOKS_ID,
        "BILLHOOK_FRESHBOOKS_CLIENT_SECRET": SECRET,
        "BILLHOOK_FRESHBOOKS_AUTH_URL": sandbox.freshbooks.auth_url,
        "BILLHOOK_FRESHBOOKS_API_URL": sandbox.freshbooks.base_url,
        "BILLHOOK_FRESHBOOKS_APP_URL": sandbox.freshbooks.app_url,
        "BILLHOOK_CLOCK_URL": f"{sandbox.control_url}/_clock",
    }


@contextmanager
def _server(environ: dict[str, str], url: str) -> Iterator[None]:
    """``billhook serve`` as its own process; its log goes to a file beside its database."""
    log = Path(environ["BILLHOOK_DATABASE_URL"].removeprefix("sqlite:///")).with_name("serve.log")
    command = [sys.executable, "-m", "server.cli", "serve", "--port", url.rpartition(":")[2]]
    given = {name: text for name, text in os.environ.items() if not name.startswith("BILLHOOK_")}
    given["PYTHONPATH"] = str(Path(__file__).parents[2])  # found from any folder
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # our own command, our own arguments
            command, env={**given, **environ}, stdout=out, stderr=out
        )
        try:
            wait_for(lambda: _answers(url, process, log), "Billhook's server")
            yield
        finally:
            process.terminate()
            process.wait()


def _answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    if process.poll() is not None:
        raise DemoFailed(f"Billhook's server ended:\n{log.read_text(errors='replace')[-2000:]}")
    try:
        with requests.get(f"{url}/readyz", timeout=2) as reply:
            return reply.status_code == 200
    except requests.ConnectionError:
        return False


def _connect(config: Config, demo: Demo) -> int:
    """As ``billhook connect`` does it, with a person at the browser."""
    parts = wired(create_app(config))
    try:
        migrate.upgrade(parts.database.engine)
        account_id = connect_kommo.complete(
            parts.world, _consented(parts, "kommo", None)
        ).account_id
        ticket = _consented(parts, "freshbooks", account_id)
        connect_freshbooks.complete(parts.world, ticket)
        change_settings.save(parts.world, account_id, demo_settings(demo), "demo")
        change_settings.switch_on(parts.world, account_id, RULE, "demo")
    finally:
        parts.database.engine.dispose()
        SHARED.close()
    return account_id


def _consented(parts: Wired, vendor: str, account_id: int | None) -> str:
    ticket = connect.mint(parts.world, vendor, account_id)
    with Browser() as browser:
        browser.decide(browser.get(connect.start_url(parts.world, vendor, ticket)))
    progress = connect.look(parts.world, ticket)
    if progress.stage != "returned":
        raise DemoFailed(f"connecting {vendor}: {progress.said or progress.stage}")
    return ticket
