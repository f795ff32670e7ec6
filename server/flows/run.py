"""One run of one job: its phases, each a short transaction that only the lease's holder commits.

A phase begins by renewing the lease under ``lease_owner = me``; no row updated means that somebody
else took the job over, and this run ends without another word.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from server.core.errors import Certainty, TryLater
from server.core.keys import AccountId
from server.core.said import say
from server.flows import world as outside
from server.flows.world import World
from server.store import calls, deal_names, jobs, ties
from server.store.accounts import ConnectionRow
from server.store.db import Session
from server.store.deal_names import Names
from server.store.grants import GrantRow
from server.store.jobs import JobRow
from server.store.ties import Tie
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.http import CallMade
from server.vendors.kommo.client import KommoClient

FRESH = timedelta(minutes=10)
STAGES, PRODUCT_LISTS, FIELDS = CACHES = "kommo:stages", "kommo:product-lists", "kommo:fields"


@dataclass(frozen=True)
class Known:
    """What is known of an account without asking anybody outside."""

    ties: dict[str, Tie]  # by vendor
    caches: dict[str, Any]  # of CACHES those that are FRESH


class LostLease(Exception):
    """This run was overtaken; whoever has the lease now goes on from the last commit."""


class Run:
    """The job, its account's clients (made on first use), and the phases."""

    def __init__(self, world: World, job: JobRow, owner: str) -> None:
        self.world = world
        self.job = job
        self.owner = owner
        self.memory: dict[str, Any] = dict(job.payload)
        self._calls: list[CallMade] = []
        self._names: tuple[int, Names] | None = None

    @property
    def account_id(self) -> AccountId:
        if self.job.account_id is None:
            raise RuntimeError(f"job {self.job.id} ({self.job.kind}) has no account")
        return AccountId(self.job.account_id)

    def remember(self, **facts: Any) -> None:
        """Keep on the job's row what a later story needs to know of it (ids, no persons)."""
        self.memory.update(facts)

    def now(self) -> datetime:
        return self.world.clock.now()

    @contextmanager
    def phase(self) -> Iterator[Session]:
        """A transaction under the fence; the calls made since the last one ride in its commit.

        Raises LostLease.
        """
        with self.world.database.write() as session:
            if not jobs.renew(session, self.job.id, self.owner, self.now()):
                raise LostLease
            self.note_calls(session)
            yield session

    def note_names(self, deal_id: int, names: Names) -> None:
        """Rides in the next phase's commit, as the calls do."""
        self._names = deal_id, names

    def note_calls(self, session: Session) -> None:
        """And names. Calls without an account (a code before its token) are not kept."""
        if self._names is not None:
            deal_names.note(session, self.account_id, *self._names, self.now())
            self._names = None
        made, self._calls = self._calls, []
        if made and self.job.account_id is not None:
            whose = {"account_id": self.job.account_id, "job_id": self.job.id}
            calls.note(session, [{**whose, **vars(call)} for call in made])

    def record(self, made: CallMade) -> None:
        self._calls.append(made)

    @cached_property
    def _known(self) -> Known:
        """Read at once, on first use: each session costs as much as what is read in it."""
        young = self.now() - FRESH
        with self.world.database.read() as session:
            return Known(
                ties.of_account(session, self.account_id),
                calls.caches(session, self.account_id, CACHES, young),
            )

    def cached(self, name: str) -> Any:
        """What Kommo told under this name of CACHES, None where that is too long ago."""
        return self._known.caches.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Kommo told it just now."""
        with self.phase() as session:
            calls.cache(session, self.account_id, name, value, self.now())
        self._known.caches[name] = value

    def must_still_hold(self, session: Session, vendor: str) -> None:
        """Before what cannot be undone: raises TryLater where a person changed the connection since
        this run read it; the next run has the new one."""
        now, then = ties.of_account(session, self.account_id).get(vendor), self._known.ties[vendor]
        if now is None or _holds(now) != _holds(then):
            raise TryLater(
                f"{vendor}:changed",
                say("The connection was changed while this ran."),
                after=timedelta(seconds=1),
                burns=False,
                certainty=Certainty.NOT_SENT,
            )

    def _grant(self, vendor: str) -> GrantRow | None:
        tie = self._known.ties.get(vendor)
        return tie.grant if tie else None

    def _connection(self, vendor: str) -> ConnectionRow:
        tie = self._known.ties.get(vendor)
        return outside.live(tie.connection if tie else None, vendor)

    @cached_property
    def kommo_connection(self) -> ConnectionRow:
        return self._connection("kommo")

    @cached_property
    def freshbooks_connection(self) -> ConnectionRow:
        return self._connection("freshbooks")

    @cached_property
    def kommo(self) -> KommoClient:
        row, grant = self.kommo_connection, self._grant("kommo")
        return outside.kommo_client(self.world, row, self.record, grant)

    @cached_property
    def freshbooks(self) -> FreshbooksClient:
        row, grant = self.freshbooks_connection, self._grant("freshbooks")
        return outside.freshbooks_client(self.world, row, self.record, grant)


def _holds(tie: Tie) -> tuple[str, int | None, str]:
    """What a run rests on; its tokens may be renewed meanwhile."""
    return tie.connection.external_id, tie.connection.grant_id, tie.connection.state
