"""Wires everything; nothing else does. Here configuration becomes the parts that use it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from flask import Flask

from server import web
from server.clock import FollowedClock
from server.config import Config
from server.core.clock import Clock, SystemClock
from server.flows.pace import LIMITS, Budgets, Limit, PacedCaller
from server.flows.world import FreshbooksSide, KommoSide, Recorder, World
from server.resources import resource
from server.store.db import Database, connect
from server.store.secrets import Vault
from server.vendors.http import Caller
from server.vendors.oauth import OAuthApp
from server.work.local import LocalEngine
from server.work.runner import Runner

LARGEST_BODY = 1024 * 1024  # no page or hook of ours is larger; each may ask for less


@dataclass(frozen=True)
class Wired:
    """``app.extensions["billhook"]``: the parts of a running Billhook."""

    world: World
    runner: Runner
    engine: LocalEngine
    database: Database


def create_app(
    config: Config, *, clock: Clock | None = None, limits: Mapping[str, Limit] = LIMITS
) -> Flask:
    """The web application with all its parts. The engine is made and not started: it belongs to
    one process a database. ``limits``: our own pace at the vendors."""
    app = Flask(
        "billhook",
        template_folder=str(resource("templates")),
        static_folder=str(resource("static")),
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    database = connect(app, config.database_url)
    world = _world(config, database, clock or _clock(config), Budgets(limits))
    runner = Runner(world)
    engine = LocalEngine(world, runner)
    app.extensions["billhook"] = Wired(world, runner, engine, database)
    web.install(app)
    return app


def wired(app: Flask) -> Wired:
    parts: Wired = app.extensions["billhook"]
    return parts


def log_quietly() -> None:
    """One line an outcome, ids and states only, on standard error: commands' output stays clean."""
    structlog.configure(
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
    )


def _clock(config: Config) -> Clock:
    return FollowedClock(config.clock_url) if config.clock_url else SystemClock()


def _world(config: Config, database: Database, clock: Clock, budgets: Budgets) -> World:
    def caller(vendor: str, record: Recorder, account_id: int | None = None) -> Caller:
        if account_id is None:
            return Caller(vendor, clock=clock, record=record)
        return PacedCaller(
            vendor, account_id=account_id, budgets=budgets, clock=clock, record=record
        )

    return World(
        database=database,
        vault=Vault(config.secret_keys),
        clock=clock,
        kommo=_kommo(config),
        freshbooks=_freshbooks(config),
        public_url=config.public_url,
        quiet_period=config.quiet_period,
        retry_delays=config.retry_delays,
        caller=caller,
    )


def _kommo(config: Config) -> KommoSide:
    return KommoSide(
        app=OAuthApp(
            config.kommo_client_id,
            config.kommo_client_secret,
            f"{config.public_url}/oauth/kommo/callback",
        ),
        auth_url=config.kommo_auth_url,
        hosts=config.kommo_hosts,
    )


def _freshbooks(config: Config) -> FreshbooksSide:
    return FreshbooksSide(
        app=OAuthApp(
            config.freshbooks_client_id,
            config.freshbooks_client_secret,
            f"{config.public_url}/oauth/freshbooks/callback",
        ),
        auth_url=config.freshbooks_auth_url,
        api_url=config.freshbooks_api_url,
        app_url=config.freshbooks_app_url,
    )
