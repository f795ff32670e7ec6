"""How a FreshBooks business is connected: a person's consent, and the choice of one business.

One person has one live refresh token at FreshBooks, so a new consent of somebody whose grant we
have already replaces its tokens at once, whatever becomes of the ticket: the older ones are dead.
Source: reference freshbooks §1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.core.said import say
from server.core.tokens import TokenPair
from server.flows import connect
from server.flows.connect import Begun, CannotConnect, OneToken, pair_as_json, pair_from_json
from server.flows.connect_kommo import Answer
from server.flows.world import World
from server.store import accounts, grants, tickets
from server.store.accounts import AccountRow, ConnectionRow
from server.store.db import Session
from server.vendors.freshbooks import auth
from server.vendors.freshbooks.client import FreshbooksClient

VENDOR = "freshbooks"
# Who may let us write invoices for a business (reference §1.4); an employee or a client may not.
ROLES = frozenset(
    {
        "owner",
        "admin",
        "partner",
        "manager",
        "accountant",
        "business_partner",
        "business_manager",
        "business_accountant",
    }
)


NO_BUSINESS = say(
    "This person may not write invoices in any FreshBooks business: let its owner, a partner, a "
    "manager or the accountant connect it."
)


@dataclass(frozen=True)
class Offer:
    """A business that may be connected. ``account_id`` stands in the paths of its accounting."""

    business_id: int
    account_id: str
    name: str
    timezone: str


def start(world: World, ticket: str, holder: str | None = None) -> tuple[str, str]:
    """Spend a ticket: (the consent page, secret for the browser). Raises CannotConnect."""
    begun = connect.begin(world, VENDOR, ticket, holder)
    side = world.freshbooks
    return auth.authorize_url(side.auth_url, side.app, begun.state), begun.browser


def take_answer(world: World, begun: Begun, answer: Answer) -> None:
    """The browser is back: exchange the code, see whose it is, seal it in the ticket.

    Raises CannotConnect with the sentence that the ticket now carries too.
    """
    row = connect.come_back(world, VENDOR, begun)
    if answer.error or not answer.code:
        raise connect.fail(world, row, say("FreshBooks says that access was not allowed."))
    with connect.answering(world, row):
        consent = read_consent(world, answer.code)
        if not consent["offers"]:
            raise connect.fail(world, row, NO_BUSINESS)
        offers = [_named(offer) for offer in consent["offers"]]
        summary = {"email": consent["email"], "businesses": offers}
        connect.keep_consent(world, row, consent, summary)


def complete(
    world: World, ticket: str, business_id: int | None = None, *, change: bool = False
) -> ConnectionRow:
    """Store the business that was chosen for the account that the ticket was minted for.

    ``business_id`` may be left out where there is only one. ``change``: the account has another
    business now, and a person said that this one takes its place. Raises CannotConnect.
    """
    with world.database.write() as session:
        row = connect.returned(session, world, VENDOR, ticket)
        consent = connect.consent_in(world, row)
        offer = _chosen(consent["offers"], business_id)
        what = say("The FreshBooks business %(name)s", name=offer.name)
        account, before = connect.account_for(session, row, str(offer.business_id), what)
        if account is None:
            raise CannotConnect(say("A FreshBooks business is connected to an account; name one."))
        if before is not None and before.external_id != str(offer.business_id) and not change:
            raise CannotConnect(
                say(
                    "This account writes its invoices in %(name)s. "
                    "Say that you want to change the business.",
                    name=before.name,
                )
            )
        connection = _attach(session, world, account, offer, consent)
        tickets.settle(session, row.id, "completed", result_sealed=None)
    return connection


def read_consent(world: World, code: str) -> dict[str, Any]:
    """Whose consent the code is: identity, name, email, offers, pair. Raises the outcomes."""
    side = world.freshbooks
    caller = world.caller(VENDOR, connect.unrecorded)
    pair = auth.exchange(caller, side.api_url, side.app, code)
    client = FreshbooksClient(side.api_url, "", OneToken(VENDOR, pair.access), caller)
    identity = client.me()
    offers = [
        vars(Offer(b.business_id, b.account_id, b.name, b.timezone))
        for b in identity.businesses
        if b.account_id and b.role in ROLES
    ]
    version = _replace_tokens(world, str(identity.id), pair)
    return {
        "identity": str(identity.id),
        "email": identity.email,
        "name": identity.name,
        "offers": offers,
        "version": version,
        "pair": pair_as_json(pair),
    }


def _replace_tokens(world: World, identity: str, pair: TokenPair) -> int:
    """The version of the grant that holds the pair now; 0: there is no grant of this person."""
    who = (VENDOR, world.freshbooks.app.client_id, identity)
    with world.database.write() as session:
        if grants.of_identity(session, who) is None:
            return 0
        row = grants.put(session, world.vault, who, pair, world.clock.now())
        for connection in accounts.of_grant(session, row.id):
            if connection.state == "reconnect":
                connect.connected(session, world, connection)
        return row.token_version


def _attach(
    session: Session, world: World, account: AccountRow, offer: Offer, consent: Mapping[str, Any]
) -> ConnectionRow:
    told = {
        "external_id": str(offer.business_id),
        "realm": offer.account_id,
        "name": offer.name,
        "timezone": offer.timezone,
        "grant_id": _grant(session, world, consent),
        "connected_at": world.clock.now(),
    }
    row = accounts.connection(session, account.id, VENDOR)
    if row is None:
        row = connect.new_connection(session, account_id=account.id, vendor=VENDOR, **told)
    else:
        accounts.mark_connection(session, row.id, **told)
    connect.connected(session, world, row)
    return row


def _grant(session: Session, world: World, consent: Mapping[str, Any]) -> int:
    """The person's grant. What it has is kept where the consent's tokens went into it at once, or
    where it got newer ones since."""
    who = (VENDOR, world.freshbooks.app.client_id, consent["identity"])
    there = grants.of_identity(session, who)
    pair = pair_from_json(consent["pair"])
    if there is not None and (consent["version"] or there.expires_at > pair.expires_at):
        return there.id
    return grants.put(session, world.vault, who, pair, world.clock.now()).id


def _chosen(offers: list[dict[str, Any]], business_id: int | None) -> Offer:
    if business_id is None and len(offers) > 1:
        names = ", ".join(_named(offer)["label"] for offer in offers)
        raise CannotConnect(say("There are several businesses; choose one: %(names)s", names=names))
    for offer in offers:
        if business_id in (None, offer["business_id"]):
            return Offer(**offer)
    raise CannotConnect(
        say("There is no business %(id)s among those that may be connected.", id=business_id)
    )


def _named(offer: Mapping[str, Any]) -> dict[str, Any]:
    label = f"{offer['name']} ({offer['business_id']})"
    return {"id": offer["business_id"], "name": offer["name"], "label": label}
