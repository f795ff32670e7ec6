"""How a Kommo account is connected: a person's consent, by a ticket, completed by who minted it.

The consent of a widget's installation goes another way (``welcome``) and ends in the same
``attach``. Source: reference kommo §1.
"""

import re
from dataclasses import dataclass
from typing import Any

from server.core.keys import AccountId
from server.core.messages import N_
from server.core.said import say
from server.core.settings import default_settings
from server.core.states import JobClass
from server.core.tokens import TokenPair
from server.flows import connect
from server.flows.connect import Begun, CannotConnect, OneToken, pair_as_json, pair_from_json
from server.flows.world import Recorder, World
from server.store import accounts, grants, jobs, settings, tickets
from server.store.accounts import AccountRow, ConnectionRow
from server.store.db import Session
from server.store.jobs import JobKind, NewJob
from server.vendors.http import is_loopback
from server.vendors.kommo import auth
from server.vendors.kommo.client import KommoClient

VENDOR = "kommo"
FEWER_RIGHTS = N_(
    "%(name)s is connected already, and this consent is not an administrator's. The working "
    "connection was kept; let an administrator of Kommo connect it."
)
HOOK_KINDS = ("kommo", "kommo-dp", "freshbooks")


@dataclass(frozen=True)
class Answer:
    """What Kommo's redirect carries (reference §1.3); empty where it is absent."""

    code: str
    referer: str
    error: str = ""


@dataclass(frozen=True)
class Consent:
    """Tokens, and whose they are by their own word."""

    kommo_id: int
    name: str
    subdomain: str
    host: str
    currency: str
    timezone: str
    admin: bool
    pair: TokenPair

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "pair": pair_as_json(self.pair)}

    @classmethod
    def from_json(cls, inside: dict[str, Any]) -> "Consent":
        return cls(**{**inside, "pair": pair_from_json(inside["pair"])})


def start(world: World, ticket: str, holder: str | None = None) -> tuple[str, str]:
    """Spend a ticket: (Kommo's consent page, secret for the browser). Raises CannotConnect."""
    begun = connect.begin(world, VENDOR, ticket, holder)
    side = world.kommo
    return auth.authorize_url(
        side.auth_url, side.app.client_id, begun.state, "popup"
    ), begun.browser


def take_answer(world: World, begun: Begun, answer: Answer) -> None:
    """The browser is back: exchange the code, see whose it is, seal it in the ticket.

    Raises CannotConnect with the sentence that the ticket now carries too.
    """
    row = connect.come_back(world, VENDOR, begun)
    if answer.error or not answer.code:
        raise connect.fail(world, row, say("Kommo says that access was not allowed."))
    if not auth.host_allowed(answer.referer, world.kommo.hosts):
        raise connect.fail(world, row, say("The account's address is not one of Kommo's."))
    with connect.answering(world, row):
        pair = exchange(world, answer.referer, answer.code, connect.unrecorded)
        consent = identify(world, answer.referer, pair, connect.unrecorded)
        summary = {"id": consent.kommo_id, "name": consent.name, "host": consent.host}
        connect.keep_consent(world, row, consent.as_json(), summary)


def exchange(world: World, host: str, code: str, record: Recorder) -> TokenPair:
    """The code's tokens; a code works once. ``host`` must be allowed. Raises the outcomes."""
    caller = world.caller(VENDOR, record)
    return auth.exchange(caller, host, world.kommo.app, code, insecure=is_loopback(host))


def identify(world: World, host: str, pair: TokenPair, record: Recorder) -> Consent:
    """The account that the tokens themselves name. Raises the outcomes."""
    caller = world.caller(VENDOR, record)
    holder = OneToken(VENDOR, pair.access)
    client = KommoClient(host, holder, caller, insecure=is_loopback(host))
    account = client.account()
    return Consent(
        kommo_id=account.id,
        name=account.name,
        subdomain=account.subdomain,
        host=host,
        currency=account.currency,
        timezone=account.timezone,
        admin=client.is_admin(),
        pair=pair,
    )


def complete(world: World, ticket: str) -> ConnectionRow:
    """Store what the ticket's consent brought; the one who minted it has seen both sides named.

    Raises CannotConnect.
    """
    with world.database.write() as session:
        row = connect.returned(session, world, VENDOR, ticket)
        consent = Consent.from_json(connect.consent_in(world, row))
        what = say("The Kommo account %(name)s (%(host)s)", name=consent.name, host=consent.host)
        account, before = connect.account_for(session, row, str(consent.kommo_id), what)
        if before is not None and before.external_id != str(consent.kommo_id):
            raise CannotConnect(
                say(
                    "This account is already connected to another Kommo account (%(name)s).",
                    name=before.name,
                )
            )
        connection = attach(session, world, consent, account)
        tickets.settle(
            session, row.id, "completed", result_sealed=None, account_id=connection.account_id
        )
    return connection


def attach(
    session: Session, world: World, consent: Consent, account: AccountRow | None
) -> ConnectionRow:
    """The connection of the account that the consent names, made or renewed.

    Raises CannotConnect when a working grant would be replaced by one with fewer rights: a token
    of a non-admin inherits that user's rights (reference §1.6).
    """
    now = world.clock.now()
    row = accounts.connection_of(session, VENDOR, str(consent.kommo_id))
    if row is not None and row.state == "connected" and not consent.admin:
        raise CannotConnect(say(FEWER_RIGHTS, name=consent.name))
    who = (VENDOR, world.kommo.app.client_id, str(consent.kommo_id))
    grant = grants.put(session, world.vault, who, consent.pair, now)
    told = {
        "grant_id": grant.id,
        "connected_at": now,
        "realm": consent.host,
        "name": consent.name,
        "currency": consent.currency,
        "timezone": consent.timezone,
    }
    if row is None:
        account = account or accounts.add(session, _account_name(consent), now)
        key = {"account_id": account.id, "vendor": VENDOR, "external_id": str(consent.kommo_id)}
        row = connect.new_connection(session, **key, **told)
    else:
        connect.revived(session, world, row)
        accounts.mark_connection(session, row.id, **told)
    furnish(session, world, row)
    return row


def furnish(session: Session, world: World, row: ConnectionRow) -> None:
    """What an account needs to begin: its secret URLs, settings, fields and hook at Kommo."""
    now, account_id = world.clock.now(), row.account_id
    for kind in HOOK_KINDS:
        accounts.hook_key(session, world.vault, AccountId(account_id), kind)
    if settings.current(session, account_id) is None:
        settings.save(session, account_id, default_settings().to_json(), "connect", now)
    connect.connected(session, world, row)
    new = NewJob(account_id, JobKind.ENSURE, "account", JobClass.HOOK, {})
    jobs.defer(session, new, now)


def _account_name(consent: Consent) -> str:
    """The name on the command line: the subdomain, in letters that need no quotes there."""
    return re.sub(r"[^a-z0-9-]+", "-", consent.subdomain.lower()).strip("-") or "account"
