"""Running Billhook: web and engine in one process, its database, and the vendors in a box."""

import os
import socket
import sys
import threading
from typing import Any

import click
import structlog
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from server.app import create_app, wired
from server.commands.parts import TO_SERVE, in_foreground, opened, read_config
from server.config import Config
from server.demo.start import register
from server.flows import glance
from server.sandbox import Ports, Sandbox
from server.sandbox.seed import seed_demo
from server.store import migrate as migrations
from server.store.one_clock import OneClock

log = structlog.get_logger()

THREADS = 8  # docs/decisions/0006
SWITCH = 0.0005  # seconds; Python's 0.005 lets a busy job keep a hook waiting at each statement
LOOKS_END = 30.0  # seconds that pages' looks at vendors may still take when the server stops
HEARTBEAT = 120  # seconds without a sign of life until the worker is replaced


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
def serve(host: str, port: int) -> None:
    """Web and engine in one process; brings an SQLite database up to date by itself."""
    config = read_config(*TO_SERVE)
    _bring_up_to_date(config)
    _Server(config, f"[{host}]:{port}" if ":" in host else f"{host}:{port}").run()


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    with opened(read_config()) as parts:
        engine = parts.database.engine
        before = migrations.current(engine)
        migrations.upgrade(engine)
    head = migrations.head()
    click.echo("The database is up to date." if before == head else f"Now at {head}.")


@click.command()
@click.option(
    "--port", default=8090, show_default=True, type=click.IntRange(0, 65535),
    help="Of the board and the control API.",
)  # fmt: skip
@click.option(
    "--billhook", "url", default="http://127.0.0.1:8080", show_default=True,
    help="Where the Billhook (or another client) is that both vendors shall know.",
)  # fmt: skip
def sandbox(port: int, url: str) -> None:
    """Kommo and FreshBooks in a box, alone; prints the settings of a server that uses them."""
    with in_foreground(port), Sandbox(ports=Ports(control=port), auto=True) as box:
        settings = register(box, seed_demo(box), url.rstrip("/"))
        click.echo(f"# The board is at {box.control_url}/ until Ctrl-C. For the server:")
        for name, value in settings.items():
            click.echo(f"{name}={value}")
        threading.Event().wait()


def _bring_up_to_date(config: Config) -> None:
    with opened(config) as parts:
        engine = parts.database.engine
        if config.sqlite_file is not None:
            migrations.upgrade(engine)
        elif migrations.current(engine) != migrations.head():
            raise click.ClickException("The database is not up to date. Run: billhook migrate")


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one worker; the engine begins in it, after the fork."""

    def __init__(self, config: Config, bind: str) -> None:
        self._config = config
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": self._bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "timeout": HEARTBEAT,
            "loglevel": "warning",
            "proc_name": "billhook",
            "when_ready": _say_where,
            "worker_exit": _stop_engine,
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        sys.setswitchinterval(SWITCH)
        app = create_app(self._config)
        self.turning = Turning(app)
        self.turning.start()
        return app


class Turning:
    """Starts the engine as soon as no other process turns this database's clock."""

    def __init__(self, app: Flask) -> None:
        self._parts = wired(app)
        self._clock = OneClock(self._parts.database.engine)
        self._stopping = threading.Event()
        self._started = False
        self._thread = threading.Thread(target=self._turn, name="one-clock", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Jobs that run are finished."""
        self._stopping.set()
        self._thread.join()
        if self._started:
            self._parts.engine.stop()
        self._clock.let_go()

    def _turn(self) -> None:
        if not self._clock.try_hold():
            log.warning("another process runs this database's jobs; waiting for its end")
            while not self._clock.try_hold():
                if self._stopping.wait(1.0):
                    return
            log.warning("it has ended; jobs run here now")
        try:
            self._parts.engine.start()
        except Exception:  # whatever it was: the process ends, and the log says why
            log.exception("the engine did not start; a server without one would only collect work")
            os._exit(Arbiter.WORKER_BOOT_ERROR)  # gunicorn's master then ends too
        self._started = True


def _say_where(server: Any) -> None:
    for listener in server.LISTENERS:
        host, port = socket.socket.getsockname(listener.sock)[:2]
        click.echo(f"Billhook listens on http://{host}:{port}")


def _stop_engine(_server: Any, worker: Any) -> None:
    turning = getattr(worker.app, "turning", None)
    if turning is not None:
        turning.stop()
    glance.settle(LOOKS_END)  # a look of a page may be renewing an account's access
