"""A world whose vendors nobody calls, for runners with small handlers of their own."""

from datetime import timedelta
from typing import NoReturn

from cryptography.fernet import Fernet

from server.core.clock import Clock
from server.flows.world import FreshbooksSide, KommoSide, Recorder, World
from server.store.db import Database
from server.store.secrets import Vault
from server.vendors.oauth import OAuthApp

RETRY_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
_APP = OAuthApp("client", "secret", "https://billhook.test/oauth/callback")


def _nobody_calls(vendor: str, record: Recorder, account_id: int | None = None) -> NoReturn:
    raise AssertionError(f"{vendor} was called")


def a_world(database: Database, clock: Clock) -> World:
    return World(
        database=database,
        vault=Vault([Fernet.generate_key().decode()]),
        clock=clock,
        kommo=KommoSide(_APP, "https://www.kommo.com/oauth", (".kommo.com",)),
        freshbooks=FreshbooksSide(_APP, "https://auth.test", "https://api.test", "https://my.test"),
        public_url="https://billhook.test",
        quiet_period=timedelta(seconds=120),
        retry_delays=RETRY_DELAYS,
        caller=_nobody_calls,
    )
