"""A widget was installed in Kommo: its server calls us with a code, without state or cookie.

Nothing is believed but the code itself: the job exchanges it, and touches only the Kommo connection
of the account that the token names. No rule is switched on by it. Source: reference kommo §1.4.
"""

from datetime import timedelta
from typing import Any

from server.core.errors import NotOurs, Outcome, TryLater
from server.core.said import say, to_json
from server.core.states import JobClass
from server.core.tokens import TokenPair
from server.flows import connect_kommo
from server.flows.connect import CannotConnect, pair_as_json, pair_from_json
from server.flows.connect_kommo import Answer, Consent
from server.flows.run import Run
from server.flows.world import World
from server.store import jobs, tickets
from server.store.jobs import JobKind, NewJob
from server.vendors.kommo import auth

CODE_LIFE = timedelta(minutes=20)
TOKENS_WAIT = timedelta(days=1)  # for a Kommo that gave them and then fell silent
MOST_WAITING = 200  # anybody may call this URL; a row for each caller may not fill the disk
STAGE = "widget"


def leave(world: World, answer: Answer) -> bool:
    """Keep the code for the job: Kommo waits 3 seconds and never calls again.

    False: too many wait already. Raises CannotConnect for a host that is not Kommo's.
    """
    if not answer.code or not auth.host_allowed(answer.referer, world.kommo.hosts):
        raise CannotConnect(say("The account's address is not one of Kommo's."))
    now = world.clock.now()
    with world.database.write() as session:
        if tickets.standing(session, STAGE, now) >= MOST_WAITING:
            return False
        ticket_id = tickets.leave(session, "kommo", STAGE, now, now + CODE_LIFE)
        inside = {"code": answer.code, "host": answer.referer}
        sealed = world.vault.seal(_owner(ticket_id), inside)
        tickets.settle(session, ticket_id, STAGE, result_sealed=sealed)
        new = NewJob(None, JobKind.WELCOME, _owner(ticket_id), JobClass.HOOK, {})
        jobs.defer(session, new, now)
    return True


def welcome(run: Run) -> str:
    """Exchange the code and connect the account that it is of."""
    ticket_id = int(run.job.subject.removeprefix("ticket:"))
    inside = _inside(run, ticket_id)
    try:
        pair = _tokens(run, ticket_id, inside)
        consent = connect_kommo.identify(run.world, inside["host"], pair, run.record)
    except TryLater:
        raise
    except Outcome as refused:
        raise _ended(run, ticket_id, refused.said) from refused
    return _attach(run, ticket_id, consent)


def _tokens(run: Run, ticket_id: int, inside: dict[str, Any]) -> TokenPair:
    """The code's, kept before anything else is asked: it works once, and no other will come."""
    if "pair" in inside:
        return pair_from_json(inside["pair"])
    pair = connect_kommo.exchange(run.world, inside["host"], inside["code"], run.record)
    sealed = run.world.vault.seal(
        _owner(ticket_id), {"host": inside["host"], "pair": pair_as_json(pair)}
    )
    with run.phase() as session:
        until = run.now() + TOKENS_WAIT
        tickets.settle(session, ticket_id, STAGE, result_sealed=sealed, expires_at=until)
    return pair


def _inside(run: Run, ticket_id: int) -> dict[str, Any]:
    with run.world.database.read() as session:
        row = tickets.get(session, ticket_id)
    if row is None or row.stage != STAGE or row.expires_at <= run.now():
        raise NotOurs(say("The installation's code has been used or has expired."))
    inside: dict[str, Any] = run.world.vault.open(_owner(ticket_id), row.result_sealed or "")
    return inside


def _attach(run: Run, ticket_id: int, consent: Consent) -> str:
    try:
        with run.phase() as session:
            row = connect_kommo.attach(session, run.world, consent, None)
            tickets.settle(
                session, ticket_id, "completed", result_sealed=None, account_id=row.account_id
            )
    except CannotConnect as refused:
        raise _ended(run, ticket_id, refused.sentence) from refused
    return f"connected {consent.host}"


def _ended(run: Run, ticket_id: int, sentence: str) -> NotOurs:
    told = {"said": to_json(sentence)}
    with run.phase() as session:
        tickets.settle(session, ticket_id, "failed", result_sealed=None, summary=told)
    return NotOurs(sentence)


def _owner(ticket_id: int) -> str:
    return f"ticket:{ticket_id}"
