"""A server that answers with bytes, one script a connection: what no well-behaved server sends."""

import contextlib
import socket
import threading
from collections.abc import Callable

Script = Callable[["Line"], None]


class Line:
    """One accepted connection: read a request, write what you like."""

    def __init__(self, sock: socket.socket, stopping: threading.Event) -> None:
        self.sock = sock
        self.stopping = stopping

    def request(self) -> bytes:
        """The next request, head and body; empty when the client has gone."""
        got = b""
        while b"\r\n\r\n" not in got:
            part = self.sock.recv(65536)
            if not part:
                return b""
            got += part
        head, _, body = got.partition(b"\r\n\r\n")
        wanted = 0
        for row in head.lower().split(b"\r\n"):
            if row.startswith(b"content-length:"):
                wanted = int(row.split(b":")[1])
        while len(body) < wanted:
            body += self.sock.recv(65536)
        return head + b"\r\n\r\n" + body

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.03) -> None:
        for index in range(len(data)):
            if self.stopping.wait(every):
                return
            self.write(data[index : index + 1])


class ByteServer:
    """Runs ``script`` for each connection, in threads. Use as a context manager."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self._accepted: list[socket.socket] = []
        self.hung_up = threading.Semaphore(0)  # counts the connections that the server closed
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "ByteServer":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for sock in self._accepted:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._accepted.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(5)
        with sock, contextlib.suppress(OSError):
            self._script(Line(sock, self._stopping))
        self.hung_up.release()


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole, well-formed reply."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def once(data: bytes) -> Script:
    def script(line: Line) -> None:
        line.request()
        line.write(data)

    return script


def always(data: bytes) -> Script:
    def script(line: Line) -> None:
        while line.request():
            line.write(data)

    return script
