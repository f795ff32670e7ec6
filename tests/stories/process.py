"""``billhook serve`` as a process of its own over a rig's database, to be killed."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import requests

from tests.rig import Rig, free_ports

PATIENCE = 40.0
GLANCE = threading.Event()  # never set: a wait on it is a glance


def until(happened: Callable[[], object], what: str) -> None:
    """Real time passes in another process; fails after PATIENCE seconds."""
    end = monotonic() + PATIENCE
    while not happened():
        assert monotonic() < end, f"{what} did not happen"
        GLANCE.wait(0.02)


class Server:
    """``run`` starts it; ``kill`` is kill -9."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self._rig = rig
        self._log = folder / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def run(self) -> Iterator[None]:
        port = free_ports(1)[0]
        given = {n: v for n, v in os.environ.items() if not n.startswith("BILLHOOK_")}
        command = [sys.executable, "-m", "server.cli", "serve", "--port", str(port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**given, **self._rig.environ()}, stdout=log, stderr=log
            )
            try:
                until(lambda: self._ready(port), "the server's start")
                yield
            finally:
                self._process.terminate()
                self._process.wait(PATIENCE)

    def kill(self) -> None:
        """The whole tree at once: gunicorn's master and its worker."""
        assert self._process is not None
        for pid in (self._process.pid, *self._children()):
            os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def _children(self) -> list[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def _ready(self, port: int) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            with requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2) as reply:
                return reply.status_code == 200
        except requests.ConnectionError:
            return False
