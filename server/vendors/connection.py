"""Connections that know the deadline of the call they carry, and whether a byte of it went out.

``requests`` bounds each read of the socket, not the whole reply: a server that drips one byte a
second would hold a call for hours. And it does not say whether a failed call had begun to leave.
Both are facts of the connection, so they are taken there and nowhere else.
"""

import http.client
import io
import threading
from contextvars import ContextVar
from socket import SocketIO, socket
from time import monotonic
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool

# A server that closes an idle connection races with our next request, and a POST lost in that race
# is uncertain. Five seconds is the shortest idle time among servers in wide use (Node's default).
IDLE_AT_MOST = 4.0


class Call:
    """One call's time budget in real seconds, and whether anything of it was sent."""

    def __init__(self, deadline: float) -> None:
        self._ends = monotonic() + deadline
        self.sending = False

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when none is."""
        left = self._ends - monotonic()
        if left <= 0:
            raise TimeoutError("the call's total deadline has passed")
        return left


CURRENT: ContextVar[Call] = ContextVar("call")


class _ClockedReader(io.RawIOBase):
    """Reads a socket; each read may take what is left of the call, not a new time-out."""

    def __init__(self, raw: SocketIO, sock: socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(CURRENT.get().left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _ClockedSocket:
    """What http.client needs of a socket to read a reply from: ``makefile``."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        raw = self._sock.makefile("rb", buffering=0)
        return io.BufferedReader(_ClockedReader(raw, self._sock))


class _ClockedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_ClockedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Clocked(HTTPConnection):
    """The connection's half that http and https share."""

    response_class = _ClockedResponse
    _used_at = 0.0

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        call = CURRENT.get()
        call.left()  # a slow DNS answer or handshake may have eaten it: then nothing is sent
        call.sending = True
        self._used_at = monotonic()
        super().send(data)

    @property
    def is_connected(self) -> bool:
        """False also for one that idled too long; the pool then opens a new one."""
        return monotonic() - self._used_at < IDLE_AT_MOST and super().is_connected


class _PlainConnection(_Clocked):
    pass


class _TlsConnection(_Clocked, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: dict[str, type[ConnectionPool]] = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """No retries (requests' default is none), our connections directly and through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(_POOLS)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = dict(_POOLS)
        return manager


class Connections:
    """An adapter with kept-alive connections for each thread; ``close`` closes them all.

    An adapter sends one request and nothing else. A ``requests.Session`` around it would follow
    redirects, keep cookies and read ~/.netrc, all of which a call with a token must never do.
    """

    def __init__(self) -> None:
        self._here = threading.local()
        self._lock = threading.Lock()
        # Weakly: with its thread an adapter ends, and closes its connections.
        self._open: WeakSet[HTTPAdapter] = WeakSet()

    def adapter(self) -> HTTPAdapter:
        adapter: HTTPAdapter | None = getattr(self._here, "adapter", None)
        if adapter is None:
            adapter = self._here.adapter = _Adapter()
            with self._lock:
                self._open.add(adapter)
        return adapter

    def close(self) -> None:
        with self._lock:
            closing, self._open = list(self._open), WeakSet()
        self._here = threading.local()
        for adapter in closing:
            adapter.close()


SHARED = Connections()  # callers come and go with each job; their connections stay
