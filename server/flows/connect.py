"""What connecting to any vendor has in common: a ticket, a browser it is bound to, a consent.

Somebody who may (the command line, a signed-in page) mints a ticket. A browser spends it and goes
to the vendor; it comes back with a code, which becomes tokens that are sealed in the ticket.
Nothing is stored for an account until whoever minted the ticket has seen both sides named and
completes it.

A page's ticket has a holder, and only the holder's own browser spends it: by a link that is sent to
somebody else, what *they* allow would be tied to the sender's account. ``billhook connect`` mints
one without a holder, for an operator opens it in whatever browser is at hand.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from server.core.errors import Outcome, Reconnect, TryLater
from server.core.said import from_json, joined, say, to_json
from server.core.tokens import Token, TokenPair
from server.flows.world import World
from server.store import accounts, jobs, settings, tickets
from server.store.accounts import AccountRow, ConnectionRow
from server.store.db import Session, inserted
from server.store.tickets import TicketRow
from server.vendors.http import VENDOR_NAMES, CallMade

TICKET_LIFE = timedelta(minutes=30)  # Kommo's code lives 20 minutes; a person logs in before that


class CannotConnect(Exception):
    """Why this connection is not made, as a sentence for whoever tried."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Progress:
    """Where a ticket stands: minted, started, returning, returned, completed, failed, expired.

    ``summary`` names the vendor's side once it is known; ``said`` is why it failed.
    """

    stage: str
    summary: Mapping[str, Any]
    said: str = ""


@dataclass(frozen=True)
class Begun:
    """``state`` goes to the vendor and back, ``browser`` into a cookie; both must meet again."""

    state: str
    browser: str


class OneToken:
    """A ``core.tokens.TokenHolder`` of a token fresh from its consent: nothing to refresh."""

    def __init__(self, vendor: str, access: str) -> None:
        self._vendor = vendor
        self._token = Token(access, 0)

    def current(self) -> Token:
        return self._token

    def refreshed(self, stale: Token) -> Token:
        raise Reconnect(self._vendor)


def pair_as_json(pair: TokenPair) -> dict[str, Any]:
    """For sealing."""
    return {**vars(pair), "expires_at": pair.expires_at.isoformat()}


def pair_from_json(inside: Mapping[str, Any]) -> TokenPair:
    return TokenPair(**{**inside, "expires_at": datetime.fromisoformat(inside["expires_at"])})


def mint(
    world: World, vendor: str, account_id: int | None = None, holder: str | None = None
) -> str:
    """A ticket; it works once and for half an hour, with a holder for that one alone."""
    now = world.clock.now()
    with world.database.write() as session:
        return tickets.mint(session, vendor, account_id, now, now + TICKET_LIFE, holder=holder)


def start_url(world: World, vendor: str, ticket: str) -> str:
    return f"{world.public_url}/oauth/{vendor}/start?ticket={ticket}"


def look(world: World, ticket: str) -> Progress:
    with world.database.read() as session:
        row = tickets.find(session, ticket)
    if row is None:
        return Progress("expired", {})
    stale = row.expires_at <= world.clock.now() and row.stage != "completed"
    summary = row.summary or {}
    said = from_json(summary.get("said", ""))
    return Progress("expired" if stale else row.stage, summary, said)


def look_own(
    world: World, ticket: str, vendor: str, account_id: int, holder: str
) -> Progress | None:
    """``look`` for a page: only at a ticket of this vendor that its holder minted."""
    with world.database.read() as session:
        row = tickets.find(session, ticket)
    if row is None or (row.vendor, row.account_id, row.holder) != (vendor, account_id, holder):
        return None
    return look(world, ticket)


def holder_of(world: World, ticket: str) -> str | None:
    """Who may spend it, by its own word."""
    with world.database.read() as session:
        row = tickets.find(session, ticket)
    return row.holder if row else None


def begin(world: World, vendor: str, ticket: str, holder: str | None) -> Begun:
    """Spend the ticket. Raises CannotConnect."""
    with world.database.write() as session:
        begun = tickets.start(session, vendor, ticket, world.clock.now(), holder=holder)
    if begun is None:
        raise CannotConnect(
            say(
                "This link has been used, has expired, or was made for another browser. "
                "Begin again where you got it."
            )
        )
    return Begun(*begun)


def come_back(world: World, vendor: str, begun: Begun) -> TicketRow:
    """Spend the state, from the browser that it was given to. Raises CannotConnect."""
    with world.database.write() as session:
        row = tickets.come_back(session, vendor, begun.state, begun.browser, world.clock.now())
    if row is None:
        raise CannotConnect(
            say(
                "This browser did not begin this connection, or it took too long. "
                "Begin again from the start link."
            )
        )
    return row


@contextmanager
def answering(world: World, row: TicketRow) -> Iterator[None]:
    """What the vendor does not grant ends the ticket with a sentence; a bug of ours ends it too,
    so that nobody waits for it. Raises CannotConnect."""
    try:
        yield
    except CannotConnect:
        raise
    except TryLater as later:
        sentence = joined([later.sentence, say("Try again in a few minutes.")])
        raise fail(world, row, sentence) from later
    except Outcome as refused:
        name = VENDOR_NAMES[row.vendor.partition(":")[0]]
        not_accepted = say(
            "%(vendor)s did not accept this consent (%(why)s). Begin again.",
            vendor=name,
            why=refused.said,
        )
        raise fail(world, row, not_accepted) from refused
    except Exception:  # a bug: the ticket says that it ended, and it is raised on
        fail(world, row, say("Something went wrong on our side; it has been noted. Begin again."))
        raise


def fail(world: World, row: TicketRow, sentence: str) -> CannotConnect:
    """Note on the ticket why it ends; returns what to raise."""
    told = {"said": to_json(sentence)}
    with world.database.write() as session:
        tickets.settle(session, row.id, "failed", summary=told, result_sealed=None)
    return CannotConnect(sentence)


def keep_consent(
    world: World, row: TicketRow, consent: Mapping[str, Any], summary: Mapping[str, Any]
) -> None:
    """The consent, sealed in its ticket until it is completed."""
    sealed = world.vault.seal(_owner(row.id), dict(consent))
    with world.database.write() as session:
        tickets.settle(session, row.id, "returned", result_sealed=sealed, summary=dict(summary))


def consent_in(world: World, row: TicketRow) -> dict[str, Any]:
    inside: dict[str, Any] = world.vault.open(_owner(row.id), row.result_sealed or "")
    return inside


def returned(session: Session, world: World, vendor: str, ticket: str) -> TicketRow:
    """The ticket whose consent waits to be completed; spends it. Raises CannotConnect."""
    row = tickets.find(session, ticket)
    if row is None or row.vendor != vendor or row.expires_at <= world.clock.now():
        raise CannotConnect(say("This connection has expired. Begin again."))
    if not tickets.advance(session, row.id, "returned", "completed"):
        raise CannotConnect(say("This connection is not ready to be completed."))
    return row


def new_connection(session: Session, **columns: Any) -> ConnectionRow:
    """Raises CannotConnect where somebody else made one of the same account at this moment."""
    row = ConnectionRow(state="connected", **columns)
    if not inserted(session, row):
        raise CannotConnect(say("Somebody else is connecting the same account now. Begin again."))
    return row


def connected(session: Session, world: World, row: ConnectionRow) -> None:
    """What waits for this connection goes on: the connection itself, and jobs parked on it."""
    row.state = "connected"
    row.down_since = None
    row.connected_at = world.clock.now()
    jobs.resume(session, row.account_id, [f"{row.vendor}:reconnect"], world.clock.now())


def revived(session: Session, world: World, row: ConnectionRow) -> None:
    """One that a person had ended begins again with its rules off: nobody remembers them."""
    if row.state == "disconnected":
        settings.all_off(session, row.account_id, world.clock.now(), "Billhook")


def named_account(session: Session, account_id: int) -> AccountRow:
    return session.get_one(AccountRow, account_id)


def account_for(
    session: Session, row: TicketRow, external_id: str, what: str
) -> tuple[AccountRow | None, ConnectionRow | None]:
    """Whose connection this consent is. Raises CannotConnect where two accounts would share one
    Kommo account or business, or one account would have two."""
    owner = accounts.connection_of(session, row.vendor, external_id)
    wanted = row.account_id
    if wanted is None and owner is not None:
        wanted = owner.account_id
    if wanted is None:
        return None, None
    account = named_account(session, wanted)
    if owner is not None and owner.account_id != account.id:
        raise CannotConnect(  # whose, is nothing that this one may know
            say("%(what)s is already connected to another account of this server.", what=what)
        )
    return account, accounts.connection(session, account.id, row.vendor)


def unrecorded(_made: CallMade) -> None:
    """Calls before an account is known are nobody's to keep."""


def _owner(ticket_id: int) -> str:
    return f"ticket:{ticket_id}"
