"""Billhook as its own process, as an operator runs it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, Queue
from time import monotonic
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[1]
PATIENCE = 40.0  # seconds, on a busy machine


class Process:
    """A running ``billhook`` command; what it prints is read line by line."""

    def __init__(self, environ: Mapping[str, str], *words: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server.cli", *words],
            cwd=ROOT,
            env={**kept, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed: list[str] = []
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def line_with(self, text: str) -> str:
        """The next line that holds ``text``."""
        until = monotonic() + PATIENCE
        while True:
            try:
                line = self._lines.get(timeout=max(until - monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"no line with {text!r} in:\n{self.said()}") from None
            if text in line:
                return line

    def answer(self, text: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()

    def said(self) -> str:
        return "\n".join(self.printed)

    def ended(self) -> int:
        """Wait for its end: the exit status."""
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self._process.send_signal(how)
        return self.ended()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.stop()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))


def eventually(is_so: Callable[[], object]) -> None:
    """Look again until it is so; for what another process does in its own time."""
    until = monotonic() + PATIENCE
    while not is_so():
        assert monotonic() < until, "it did not come about"
        threading.Event().wait(0.05)
