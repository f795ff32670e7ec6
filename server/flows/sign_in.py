"""Who signs in on Billhook's own pages: whoever keeps the books of a connected business.

FreshBooks says who somebody is, by the same consent as for a connection. Such a ticket is of a
kind of its own: it connects nothing, and no other ticket signs anybody in. FreshBooks may have
ended the identity's older tokens by this consent, so the new ones take their place at once.
"""

from dataclasses import dataclass
from datetime import timedelta

from server.core.keys import AccountId
from server.core.said import say
from server.flows import connect, connect_freshbooks
from server.flows.connect import Begun
from server.flows.connect_kommo import Answer
from server.flows.world import World
from server.store import accounts, tickets
from server.store.accounts import ConnectionRow
from server.store.db import Session
from server.store.secrets import hash_of
from server.store.tickets import TicketRow
from server.vendors.freshbooks import auth

VENDOR = "freshbooks:sign-in"  # in the ticket
LIFE = timedelta(minutes=15)
# A stranger may begin: neither may the rows fill the disk, nor may one keep all others out.
MOST_OF_ONE, MOST, WITHIN = 20, 600, timedelta(minutes=1)
PRESSED_TWICE = timedelta(seconds=10)


class TooMany(Exception):
    """So many people sign in at this moment that this one has to wait."""


@dataclass(frozen=True)
class Room:
    """An account that may be entered; the names are the vendors'."""

    account_id: AccountId
    business: str
    kommo: str


@dataclass(frozen=True)
class Person:
    """Whom FreshBooks named, and where they may go."""

    identity: str
    name: str
    email: str
    rooms: tuple[Room, ...]

    def room(self, account_id: int) -> Room | None:
        return next((room for room in self.rooms if room.account_id == account_id), None)


def start(world: World, whence: str) -> tuple[str, str]:
    """(FreshBooks' page, secret for the browser). ``whence``: what tells apart those who begin,
    the network address. Raises TooMany."""
    now, side, holder = world.clock.now(), world.freshbooks, hash_of(f"from:{whence}")
    with world.database.write() as session:
        if (
            tickets.minted_since(session, VENDOR, now - WITHIN, holder) >= MOST_OF_ONE
            or tickets.minted_since(session, VENDOR, now - WITHIN) >= MOST
        ):
            raise TooMany
        ticket = tickets.mint(session, VENDOR, None, now, now + LIFE, holder=holder)
        begun = tickets.start(session, VENDOR, ticket, now, holder=holder)
    assert begun is not None  # of the same transaction
    state, browser = begun
    # The same scopes as for a connection: the tokens may become the connection's.
    return auth.authorize_url(side.auth_url, side.app, state), browser


def is_ours(world: World, state: str) -> bool:
    """Whether a consent that comes back is somebody's who signs in."""
    with world.database.read() as session:
        return tickets.has_state(session, VENDOR, state)


def take_answer(world: World, begun: Begun, answer: Answer) -> None:
    """The browser is back: see whose the code is. Raises CannotConnect."""
    row = connect.come_back(world, VENDOR, begun)
    if answer.error or not answer.code:
        raise connect.fail(world, row, say("FreshBooks says that access was not allowed."))
    with connect.answering(world, row):
        consent = connect_freshbooks.read_consent(world, answer.code)
        told = {
            "identity": consent["identity"],
            "name": consent["name"],
            "email": consent["email"],
            "businesses": [str(offer["business_id"]) for offer in consent["offers"]],
        }
        connect.keep_consent(world, row, told, {})


def who(world: World, browser: str) -> Person | None:
    """Who came back in this browser and waits to be let in."""
    with world.database.read() as session:
        row = _returned(session, world, browser)
        return _person(session, world, row) if row else None


def enter(world: World, browser: str, account_id: int) -> Person | None:
    """Let them in, once (a choice works for some seconds: its button may be pressed twice, and a
    browser then drops the first answer). None where nobody waits in this browser or the account is
    not theirs."""
    with world.database.write() as session:
        row = _returned(session, world, browser)
        person = _person(session, world, row) if row else None
        if row is None or person is None or person.room(account_id) is None:
            return None
        if len(person.rooms) > 1:
            until = min(row.expires_at, world.clock.now() + PRESSED_TWICE)
            tickets.settle(session, row.id, "returned", expires_at=until)
            return person
        done = tickets.advance(session, row.id, "returned", "completed", result_sealed=None)
        return person if done else None


def _returned(session: Session, world: World, browser: str) -> TicketRow | None:
    if not browser:
        return None
    return tickets.in_browser(session, VENDOR, browser, "returned", world.clock.now())


def _person(session: Session, world: World, row: TicketRow) -> Person:
    told = connect.consent_in(world, row)
    kept = accounts.of_businesses(session, "freshbooks", told["businesses"])
    rooms = tuple(_room(session, connection) for connection in kept)
    return Person(told["identity"], told["name"], told["email"], rooms)


def _room(session: Session, connection: ConnectionRow) -> Room:
    kommo = accounts.connection(session, connection.account_id, "kommo")
    whose = AccountId(connection.account_id)
    return Room(whose, connection.name, kommo.name if kommo else "")
