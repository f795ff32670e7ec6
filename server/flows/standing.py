"""How an account stands with its vendors: what the pages show of its connections."""

from dataclasses import dataclass
from datetime import datetime

from server.flows.world import World
from server.store import accounts, tickets
from server.store.accounts import ConnectionRow, HookRow


@dataclass(frozen=True)
class Tie:
    """One vendor's side. ``state``: connected, reconnect, disconnected. ``heard_at``: when the
    vendor last called us."""

    vendor: str
    state: str
    name: str
    external_id: str
    realm: str
    connected_at: datetime
    down_since: datetime | None
    heard_at: datetime | None

    @property
    def live(self) -> bool:
        return self.state == "connected"


@dataclass(frozen=True)
class Standing:
    """An account and its ties; None where it never had one. ``timezone`` is an IANA name."""

    name: str
    timezone: str
    currency: str
    kommo: Tie | None
    freshbooks: Tie | None


def standing_of(world: World, account_id: int, session_id: str = "") -> Standing | None:
    """None where there is no such account, or where this session of it was ended."""
    with world.database.read() as session:
        account = accounts.by_id(session, account_id)
        if account is None or (session_id and tickets.was_used(session, session_id)):
            return None
        rows = {row.vendor: row for row in accounts.connections(session, account_id)}
        hooks = {row.kind: row for row in accounts.hooks_of(session, account_id)}
    home = rows.get("kommo") or rows.get("freshbooks")
    return Standing(
        name=account.name,
        timezone=home.timezone if home else "UTC",
        currency=home.currency if home else "",
        kommo=_tie(rows.get("kommo"), hooks),
        freshbooks=_tie(rows.get("freshbooks"), hooks),
    )


def end_session(world: World, session_id: str, forget_at: datetime) -> None:
    """A session that lets nobody in any more, copies of it included."""
    with world.database.write() as session:
        tickets.use_once(session, session_id, forget_at)


def _tie(row: ConnectionRow | None, hooks: dict[str, HookRow]) -> Tie | None:
    if row is None:
        return None
    hook = hooks.get(row.vendor)
    return Tie(
        vendor=row.vendor,
        state=row.state,
        name=row.name,
        external_id=row.external_id,
        realm=row.realm,
        connected_at=row.connected_at,
        down_since=row.down_since,
        heard_at=hook.heard_at if hook else None,
    )
