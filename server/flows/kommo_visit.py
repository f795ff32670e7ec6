"""Somebody opens the settings inside Kommo: whose account it is, who they are, what they may.

Kommo's one-time token proves a user of an account, not a right, and nothing but us stops it from
being sent twice: its id is used up in the commit that lets them in. Source: reference kommo §7.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from server.core.errors import Certainty, Outcome, Reconnect, TryLater
from server.flows.glance import Deadline, Glance, look
from server.flows.world import World
from server.store import accounts, calls, tickets
from server.store.accounts import ConnectionRow
from server.vendors.http import is_loopback
from server.vendors.kommo import auth
from server.vendors.kommo.auth import BadToken, OneTimeToken

FRESH = timedelta(minutes=5)  # what a user may do is asked again after that
SECONDS = 5.0  # that the person waits for Kommo at most
LEEWAY = timedelta(minutes=1)  # a used token is remembered a little longer than it could work


class Why(StrEnum):
    """Why nobody was let in; the page says it in the person's language."""

    BAD_TOKEN = "bad token"  # not Kommo's, not for us, expired  # noqa: S105  # a word for it
    USED = "used"
    FOREIGN = "foreign"  # the request came from another page than the token's account
    UNKNOWN = "unknown"  # no such account here
    ENDED = "ended"  # the integration was switched off in Kommo
    NO_ACCESS = "no access"  # our access is gone, so nobody can say what this user may
    MOVED = "moved"  # the token's address is not the account's
    SILENT = "silent"  # Kommo did not answer, and the token does not say it


class NotLetIn(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Rights:
    """``name`` is "" and ``is_admin`` None where Kommo does not tell us."""

    name: str = ""
    is_admin: bool | None = None


@dataclass(frozen=True)
class Guest:
    """``user_id`` and ``name`` as Kommo has them."""

    account_id: int
    user_id: int
    name: str
    is_admin: bool


def origin_of(host: str) -> str:
    """The origin of an account's pages."""
    return f"{'http' if is_loopback(host) else 'https'}://{host}"


def prove(world: World, token: str, origin: str | None) -> Guest:
    """Who holds this token; it works once. ``origin``: the page's, where the browser said it.

    Raises NotLetIn.
    """
    proof = _proof(world, token)
    if origin is not None and origin != origin_of(proof.host):
        raise NotLetIn(Why.FOREIGN)
    row = _connection(world, proof)
    if row.realm != proof.host:
        _look_there(world, row, proof.host)
    rights = _rights(world, row, proof)
    _use_up(world, row, proof)
    return Guest(row.account_id, proof.user_id, rights.name, bool(rights.is_admin))


def rights_of(world: World, account_id: int, user_id: int) -> Rights:
    """The user's, at most five minutes old. Raises TryLater and Reconnect."""
    name, now = f"kommo:user:{user_id}", world.clock.now()
    with world.database.read() as session:
        known = calls.cached(session, account_id, name, now - FRESH)
    if known is not None:
        return Rights(**known)
    work = _Asking(user_id, name)
    return look(world, account_id, name, work, within=Deadline(SECONDS))


@dataclass(frozen=True)
class _Asking:
    """A look at one user."""

    user_id: int
    name: str

    def __call__(self, glance: Glance) -> Rights:
        try:
            row = glance.kommo.user(self.user_id)
        except TryLater as refused:
            if refused.cause == "kommo:forbidden" and refused.certainty is Certainty.REFUSED:
                return Rights()  # our access is no administrator's: users are hidden from it
            raise
        rights = _read(row)
        with glance.world.database.write() as session:
            now = glance.world.clock.now()
            calls.cache(session, glance.account_id, self.name, asdict(rights), now)
        return rights


def _read(row: dict[str, Any] | None) -> Rights:
    """A user who is gone or switched off has no rights."""
    if row is None:
        return Rights(is_admin=False)
    rights = row.get("rights") or {}
    admin = bool(rights.get("is_admin")) and rights.get("is_active") is not False
    return Rights(str(row.get("name") or ""), admin)


def _proof(world: World, token: str) -> OneTimeToken:
    side, now = world.kommo, world.clock.now()
    try:
        return auth.read_one_time_token(token, side.app, side.hosts, now)
    except BadToken:
        raise NotLetIn(Why.BAD_TOKEN) from None


def _connection(world: World, proof: OneTimeToken) -> ConnectionRow:
    with world.database.read() as session:
        row = accounts.connection_of(session, "kommo", str(proof.account_id))
        used = tickets.was_used(session, proof.jti)
    if used:  # before anything is asked in its name
        raise NotLetIn(Why.USED)
    if row is None:
        raise NotLetIn(Why.UNKNOWN)
    if row.state == "disconnected":
        raise NotLetIn(Why.ENDED)
    return row


def _look_there(world: World, row: ConnectionRow, host: str) -> None:
    """The account was renamed since we last heard from it: it must answer there, to our access."""

    def ask(glance: Glance) -> tuple[str, str]:
        connection = glance.kommo_connection
        connection.realm = host
        found = glance.kommo.account().id
        return str(found), connection.realm  # a refusal there leads to where the account is

    try:
        found = look(world, row.account_id, f"kommo:at:{host}", ask, within=Deadline(SECONDS))
    except TryLater:
        raise NotLetIn(Why.SILENT) from None
    except Outcome:
        raise NotLetIn(Why.MOVED) from None
    if found != (row.external_id, host):
        raise NotLetIn(Why.MOVED)


def _rights(world: World, row: ConnectionRow, proof: OneTimeToken) -> Rights:
    """The token's own word counts; where it has none, Kommo's. The name is Kommo's in any case."""
    try:
        found = rights_of(world, row.account_id, proof.user_id)
    except Outcome as outcome:
        if proof.is_admin is not None:
            return Rights(is_admin=proof.is_admin)
        gone = isinstance(outcome, Reconnect)
        raise NotLetIn(Why.NO_ACCESS if gone else Why.SILENT) from outcome
    return found if proof.is_admin is None else Rights(found.name, proof.is_admin)


def _use_up(world: World, row: ConnectionRow, proof: OneTimeToken) -> None:
    forget_at: datetime = proof.expires_at + LEEWAY
    with world.database.write() as session:
        if not tickets.use_once(session, proof.jti, forget_at):
            raise NotLetIn(Why.USED)
        if row.realm != proof.host:
            accounts.mark_connection(session, row.id, realm=proof.host)
