"""Kommo says that our integration was switched off in an account: a hint, which is looked into.

The hook's signature never changes for an account, so whoever once saw the URL can repeat it; only a
401 to a call of ours says that it is true. Source: reference kommo §2.
"""

from dataclasses import dataclass

from server.core.errors import Reconnect
from server.core.states import JobClass
from server.flows import world as outside
from server.flows.connect import OneToken
from server.flows.run import Run
from server.flows.world import World
from server.store import accounts, grants, jobs
from server.store.jobs import JobKind, NewJob
from server.vendors.http import is_loopback
from server.vendors.kommo import auth
from server.vendors.kommo.client import KommoClient


@dataclass(frozen=True)
class Notice:
    """The hook's query (reference §2); ``client`` is client_uuid, in one place named client_id."""

    account_id: str
    client: str
    signature: str


def hear(world: World, notice: Notice) -> bool:
    """Whether it is signed; the account, if it is one of ours, will be looked at."""
    if not auth.disconnect_is_genuine(
        world.kommo.app,
        account_id=notice.account_id,
        client_id=notice.client,
        signature=notice.signature,
    ):
        return False
    now = world.clock.now()
    with world.database.write() as session:
        row = accounts.connection_of(session, "kommo", str(int(notice.account_id)))
        if row is not None and row.state != "disconnected":
            new = NewJob(row.account_id, JobKind.FAREWELL, "kommo", JobClass.HOOK, {})
            jobs.defer(session, new, now)
    return True


def farewell(run: Run) -> str:
    """One call: does our access still stand?"""
    row = run.kommo_connection
    holder = outside.tokens_of(run.world, row, run.record)
    try:
        token = holder.current()
        caller = run.world.caller("kommo", run.record)
        KommoClient(
            row.realm,
            OneToken("kommo", token.access),
            caller,
            insecure=is_loopback(row.realm),
        ).account()
    except Reconnect:
        _disconnect(run, row.id)
        return "disconnected in Kommo"
    return "still connected"


def _disconnect(run: Run, connection_id: int) -> None:
    with run.phase() as session:
        row = session.get_one(accounts.ConnectionRow, connection_id)
        if row.grant_id is not None:
            grants.end(session, row.grant_id)
        accounts.mark_connection(session, connection_id, state="disconnected")
