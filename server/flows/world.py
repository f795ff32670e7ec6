"""What every story is handed: the memory, the clock, and the ways to the vendors.

Wired once by ``app``; a flow builds a vendor's client for one account from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from server.core.clock import Clock
from server.core.errors import Reconnect
from server.core.tokens import TokenHolder, TokenPair
from server.flows.renew import renew_kommo
from server.flows.tokens import GrantTokens
from server.store import accounts, grants
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.store.grants import GrantRow
from server.store.secrets import Vault
from server.vendors.freshbooks import auth as freshbooks_auth
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.http import Caller, CallMade, is_loopback
from server.vendors.kommo import auth as kommo_auth
from server.vendors.kommo.client import KommoClient
from server.vendors.oauth import OAuthApp

Recorder = Callable[[CallMade], None]


@dataclass(frozen=True)
class KommoSide:
    """Our integration at Kommo, and the hosts that an account may have."""

    app: OAuthApp
    auth_url: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class FreshbooksSide:
    """Our app at FreshBooks, and where its three faces stand."""

    app: OAuthApp
    auth_url: str
    api_url: str
    app_url: str


@dataclass(frozen=True)
class World:
    database: Database
    vault: Vault
    clock: Clock
    kommo: KommoSide
    freshbooks: FreshbooksSide
    public_url: str
    quiet_period: timedelta
    retry_delays: tuple[timedelta, ...]
    caller: "MakeCaller"


class MakeCaller(Protocol):
    """A vendor's HTTP seam whose calls are told to ``record``, within the account's budget."""

    def __call__(self, vendor: str, record: Recorder, account_id: int | None = None) -> Caller: ...


def connection_of(world: World, account_id: int, vendor: str) -> ConnectionRow:
    """The account's live connection to this vendor. Raises Reconnect where there is none."""
    with world.database.read() as session:
        row = accounts.connection(session, account_id, vendor)
    return live(row, vendor)


def live(row: ConnectionRow | None, vendor: str) -> ConnectionRow:
    """Raises Reconnect where it is not."""
    if row is None or row.state != "connected" or row.grant_id is None:
        raise Reconnect(vendor)
    return row


def tokens_of(
    world: World, row: ConnectionRow, record: Recorder, grant: GrantRow | None = None
) -> TokenHolder:
    """The connection's tokens; ``refresh`` is the one vendor call that a holder may make.

    ``grant``: as it was just read.
    """

    def refresh(pair: TokenPair) -> TokenPair:
        caller = world.caller(row.vendor, record)
        if row.vendor == "kommo":
            side = world.kommo
            return renew_kommo(world.database, caller, side.app, row, pair, hosts=side.hosts)
        books = world.freshbooks
        return freshbooks_auth.refresh(caller, books.api_url, books.app, pair.refresh)

    if row.grant_id is None:
        raise Reconnect(row.vendor)
    seen = grants.stored(world.vault, grant) if grant is not None else None
    return GrantTokens(world.database, world.vault, world.clock, row, refresh, seen=seen)


def kommo_client(
    world: World, row: ConnectionRow, record: Recorder, grant: GrantRow | None = None
) -> KommoClient:
    """Raises Reconnect when the stored host is no longer allowed."""
    if not kommo_auth.host_allowed(row.realm, world.kommo.hosts):
        raise Reconnect("kommo", f"{row.realm} is not among BILLHOOK_KOMMO_HOSTS")
    return KommoClient(
        lambda: row.realm,  # a refresh may find that the account has moved
        tokens_of(world, row, record, grant),
        world.caller("kommo", record, row.account_id),
        insecure=is_loopback(row.realm),
    )


def freshbooks_client(
    world: World, row: ConnectionRow, record: Recorder, grant: GrantRow | None = None
) -> FreshbooksClient:
    return FreshbooksClient(
        world.freshbooks.api_url,
        row.realm,
        tokens_of(world, row, record, grant),
        world.caller("freshbooks", record, row.account_id),
    )
