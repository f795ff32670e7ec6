"""Real HTTP on the loopback for a WSGI app, started and stopped without leaving sockets behind."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """No line a request, no delay for small packets, and the socket within the app's reach."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without this machine's Date: the sandbox's time stands in the app's own header."""
        self.send_response_only(code, message)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: tests and the demo make thousands of calls."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: what fails is in the reply, and a lost peer is part of the play."""


@dataclass
class Served:
    """A running server; ``stop`` returns when its port is closed."""

    port: int
    _server: BaseWSGIServer
    _thread: threading.Thread

    @property
    def host(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self) -> None:
        stopping = threading.Thread(target=self._server.shutdown)
        stopping.start()
        # The loop looks at the order only when it wakes: a connection wakes it at once.
        with suppress(OSError):
            socket.create_connection((HOST, self.port), timeout=1).close()
        stopping.join(timeout=5)
        self._server.server_close()
        self._thread.join(timeout=5)


def serve(app: "WSGIApplication", port: int = 0) -> Served:
    """Serve ``app`` on 127.0.0.1 in daemon threads; port 0 takes a free one. Raises OSError."""
    if port:  # werkzeug would print a paragraph of its own and end the process
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
    server = make_server(HOST, port, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    return Served(server.server_port, server, thread)


class Cut(ConnectionAbortedError):
    """The connection was cut on purpose; the server takes it for a lost peer and stays quiet."""


def cut(environ: dict[str, Any]) -> Cut:
    """Close the caller's connection at once; raise what is returned to leave the app."""
    peer = environ.get("werkzeug.socket")
    if isinstance(peer, socket.socket):
        peer.shutdown(socket.SHUT_RDWR)
    return Cut("cut by the sandbox")
