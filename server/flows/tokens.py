"""The tokens of a connection: read, refreshed by one holder at a time, stored before they are used.

Both vendors' refresh tokens work once. Whoever refreshes holds a lease on the grant; all others
wait for the new pair to appear. A refusal is believed only the second time, one lease later: the
first may be the echo of a refresh that another process has made and is about to store.
"""

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from server.core.clock import Clock
from server.core.errors import Certainty, Reconnect, TryLater
from server.core.said import say
from server.core.tokens import Token, TokenPair
from server.store import accounts, grants
from server.store.accounts import ConnectionRow
from server.store.db import Database
from server.store.grants import StoredPair
from server.store.secrets import Vault

EARLY = timedelta(minutes=5)  # a job's calls must not meet the end of their token half-way
LEASE = timedelta(seconds=40)  # one vendor call (30 s at most) and the commit after it
PATIENCE = 30.0  # real seconds that one waits for another's refresh: a vendor call's deadline
_GLANCE = 0.05  # real seconds between two looks at the version

Refresh = Callable[[TokenPair], TokenPair]


class GrantTokens:
    """A ``core.tokens.TokenHolder`` over the grant of one connection.

    ``refresh`` asks the vendor; it raises Reconnect when the refresh token is refused (Kommo:
    "Token has been revoked", FreshBooks: ``invalid_grant``), TryLater when no answer came.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        connection_row: ConnectionRow,
        refresh: Refresh,
        *,
        seen: StoredPair | None = None,
        patience: float = PATIENCE,
    ) -> None:
        if connection_row.grant_id is None:
            raise Reconnect(connection_row.vendor)
        self._database = database
        self._vault = vault
        self._clock = clock
        self._connection = connection_row
        self._grant_id = connection_row.grant_id
        self._refresh = refresh
        self._patience = patience
        # For one run's calls; a 401 makes us look again.
        self._seen = seen if seen is not None and seen.live else None
        self._me = secrets.token_hex(8)

    def current(self) -> Token:
        stored = self._seen or self._read()
        if stored.pair.expires_at - self._clock.now() > EARLY:
            self._seen = stored
            return _token(stored)
        return self._newer_than(stored.version)

    def refreshed(self, stale: Token) -> Token:
        return self._newer_than(stale.version)

    def _newer_than(self, version: int) -> Token:
        """Waits for another's refresh, or makes it. A process that died with the lease is waited
        out by the clock, not by this thread."""
        self._seen = None
        give_up = monotonic() + self._patience
        while True:
            stored = self._read()
            if stored.version > version:
                return self._where_it_is(_token(stored))
            if self._take_lease():
                token = self._replace(version)
                if token is not None:
                    return self._where_it_is(token)
                continue  # refused: what the others see now is what we see
            if stored.state == "doubted" or monotonic() >= give_up:
                raise self._busy(stored)
            threading.Event().wait(_GLANCE)

    def _read(self) -> StoredPair:
        with self._database.read() as session:
            stored = grants.read(session, self._vault, self._grant_id)
        if not stored.live:
            raise Reconnect(self._connection.vendor)
        return stored

    def _take_lease(self) -> bool:
        with self._database.write() as session:
            return grants.lease(session, self._grant_id, self._me, self._clock.now(), LEASE)

    def _replace(self, version: int) -> Token | None:
        """Under the lease. None: the vendor refused, which now stands on the grant."""
        stored = self._read()
        if stored.version > version:  # another was faster, between our look and our lease
            self._release()
            return _token(stored)
        try:
            pair = self._ask(stored.pair)
        except Reconnect:
            self._refused(stored)
            return None
        except Exception:  # whatever it was: nobody waits for our lease, and it is raised on
            self._release()
            raise
        return self._store(stored.version, pair)

    def _ask(self, pair: TokenPair) -> TokenPair:
        """A lost reply is asked for once more with the same token: Kommo keeps it alive until the
        new one is used; FreshBooks refuses it if it was spent, and then only a person helps."""
        try:
            return self._refresh(pair)
        except TryLater as lost:
            if lost.certainty is not Certainty.UNCERTAIN or not self._take_lease():
                raise
        return self._refresh(pair)

    def _store(self, seen: int, pair: TokenPair) -> Token:
        with self._database.write() as session:
            swapped = grants.swap(
                session, self._vault, self._grant_id, seen, pair, self._clock.now()
            )
        if swapped:
            return Token(pair.access, seen + 1)
        return _token(self._read())  # a new consent came in between; it counts

    def _refused(self, stored: StoredPair) -> None:
        """The first time: look again one lease later. The second time: believed."""
        with self._database.write() as session:
            if stored.state != "doubted":
                until = self._clock.now() + LEASE
                grants.doubt(session, self._grant_id, stored.version, until)
            elif grants.kill(session, self._grant_id, stored.version):
                accounts.lose_grant(session, self._grant_id)

    def _busy(self, stored: StoredPair) -> TryLater:
        vendor = self._connection.vendor
        left = stored.lease_until - self._clock.now() if stored.lease_until else timedelta(0)
        return TryLater(
            f"{vendor}:refreshing",
            say("The access is being renewed."),
            after=max(left, timedelta(seconds=1)),
            burns=False,
            certainty=Certainty.NOT_SENT,
        )

    def _release(self) -> None:
        with self._database.write() as session:
            grants.release(session, self._grant_id, self._me)

    def _where_it_is(self, token: Token) -> Token:
        """A refresh, another's too, may have found that the account lives at another host now
        (Kommo); whoever holds this row calls it there."""
        with self._database.read() as session:
            self._connection.realm = session.get_one(ConnectionRow, self._connection.id).realm
        return token


def _token(stored: StoredPair) -> Token:
    return Token(stored.pair.access, stored.version)
