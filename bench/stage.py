"""Both sides on their feet: the box, Billhook as its own process, every account connected."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from bench.box import FRESHBOOKS_ID, KOMMO_ID, SECRET, Asked, boxed
from server.app import Wired, create_app, wired
from server.config import Config, ensure_secret_keys
from server.core.keys import AccountId
from server.flows import change_settings, connect, connect_freshbooks, connect_kommo
from server.sandbox.browser import Browser
from server.store import accounts, migrate
from server.vendors.connection import SHARED

ROOT = Path(__file__).parents[1]
RULE = "issue"
PATIENCE = 120.0
SERVE = ("-m", "server.cli", "serve")  # what an operator starts
UNPACED = ("-m", "bench.server")  # the same without our own pace, and with its CPU time told


@dataclass
class Server:
    """A process that listens at ``url``; killed and started again at will."""

    command: Sequence[str]
    url: str
    environ: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self, ready: str = "/readyz") -> None:
        given = {k: text for k, text in os.environ.items() if not k.startswith("BILLHOOK_")}
        port = self.url.rpartition(":")[2]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self.command, "--port", port],
                env={**given, "PYTHONPATH": str(ROOT), **self.environ},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_for(lambda: self._answers(ready), f"{self.command} to listen")

    def kill(self) -> None:
        """As a power cut would: the whole group, no goodbye."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    def cpu(self) -> float:
        """Seconds of CPU that its process has used; only of ``bench.server``."""
        return float(requests.get(f"{self.url}/bench/cpu", timeout=30).text)

    def _answers(self, path: str) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{self.log.read_text(errors='replace')[-3000:]}")
        try:
            return requests.get(self.url + path, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


@dataclass
class Stage:
    box: Asked
    server: Server
    folder: Path
    parts: Wired
    hook_urls: list[str] = field(default_factory=list)
    accounts: list[AccountId] = field(default_factory=list)

    def deals(self, each: int) -> list[tuple[int, int]]:
        """(account, deal id) of new deals, ``each`` an account, the accounts in turn."""
        made = [self.box.deals(n, each) for n in range(len(self.accounts))]
        return [(n, ids[k]) for k in range(each) for n, ids in enumerate(made)]

    def issue(self, deals: list[tuple[int, int]]) -> float:
        """Move them and wait until each shows its link; real seconds."""
        began = monotonic()
        self.box.move(deals)
        wait_for(lambda: self.box.linked(deals) == len(deals), "all links")
        return monotonic() - began

    def settings(self, action: str) -> None:
        for n, account in enumerate(self.accounts):
            place = self.box.addresses()["accounts"][n]["stage"]
            change_settings.save(self.parts.world, account, document(place, action), "bench")
            change_settings.switch_on(self.parts.world, account, RULE, "bench")


@contextmanager
def standing(
    accounts: int,
    command: Sequence[str] = SERVE,
    unlimited: bool = False,
    environ: dict[str, str] | None = None,
) -> Iterator[Stage]:
    """Connected, one rule on, one deal an account billed already: clients known, caches warm."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="billhook-bench-")))
        box = stack.enter_context(boxed(accounts))
        if unlimited:
            box.unlimited()
        url = f"http://127.0.0.1:{free_port()}"
        given = {**_environ(box.addresses(), folder, url), **(environ or {})}
        box.register(url)
        server = Server(command, url, given, folder / "serve.log")
        stack.callback(server.stop)
        server.start()
        parts = wired(create_app(Config.from_env(given), limits={}))
        stack.callback(SHARED.close)
        stack.callback(parts.database.engine.dispose)
        stage = Stage(box, server, folder, parts)
        _connect(stage)
        wait_for(box.subscribed, "Billhook's webhooks at Kommo")
        stage.issue(stage.deals(1))
        box.idle()
        yield stage


def wait_for(happened: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    until = monotonic() + seconds
    while not happened():
        if monotonic() > until:
            raise RuntimeError(f"{what}: not within {seconds:.0f} seconds")
        sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def document(place: tuple[int, int], action: str) -> dict[str, Any]:
    when = [{"pipeline_id": place[0], "stage_id": place[1]}]
    rule = {"slug": RULE, "name": "Issue", "when": when, "action": action}
    return {"rules": [rule], "mapping": {}}


def _environ(addresses: dict[str, Any], folder: Path, url: str) -> dict[str, str]:
    return {
        "BILLHOOK_DATABASE_URL": f"sqlite:///{folder / 'billhook.db'}",
        "BILLHOOK_SECRET_KEYS": ",".join(ensure_secret_keys(folder / "secret.keys")),
        "BILLHOOK_PUBLIC_URL": url,
        "BILLHOOK_KOMMO_CLIENT_ID": KOMMO_ID,
        "BILLHOOK_KOMMO_CLIENT_SECRET": SECRET,
        "BILLHOOK_KOMMO_AUTH_URL": addresses["kommo_auth"],
        "BILLHOOK_KOMMO_HOSTS": ",".join(addresses["kommo_hosts"]),
        "BILLHOOK_FRESHBOOKS_CLIENT_ID": FRESHBOOKS_ID,
        "BILLHOOK_FRESHBOOKS_CLIENT_SECRET": SECRET,
        "BILLHOOK_FRESHBOOKS_AUTH_URL": addresses["books_auth"],
        "BILLHOOK_FRESHBOOKS_API_URL": addresses["books_api"],
        "BILLHOOK_FRESHBOOKS_APP_URL": addresses["books_app"],
    }


def _connect(stage: Stage) -> None:
    """As ``billhook connect`` does it, with a person at the browser."""
    world = stage.parts.world
    migrate.upgrade(stage.parts.database.engine)
    for one in stage.box.addresses()["accounts"]:
        ticket = _consented(stage.parts, "kommo", None, {"account": one["kommo"]})
        account = AccountId(connect_kommo.complete(world, ticket).account_id)
        chosen = {"identity_id": str(one["identity"])}
        connect_freshbooks.complete(world, _consented(stage.parts, "freshbooks", account, chosen))
        with stage.parts.database.write() as session:
            key = accounts.hook_key(session, world.vault, account, "kommo")
        stage.accounts.append(account)
        stage.hook_urls.append(f"{stage.server.url}/hooks/kommo/{key}")
    stage.settings("mark_sent")


def _consented(parts: Wired, vendor: str, account: int | None, chosen: dict[str, str]) -> str:
    ticket = connect.mint(parts.world, vendor, account)
    with Browser() as browser:
        page = browser.get(connect.start_url(parts.world, vendor, ticket))
        browser.decide(page, **(chosen or {}))
    progress = connect.look(parts.world, ticket)
    if progress.stage != "returned":
        raise RuntimeError(f"connecting {vendor}: {progress.said or progress.stage}")
    return ticket
