"""A holder of tokens for tests: hands out what it is given, one after another, and counts."""

from server.core.errors import Reconnect
from server.core.tokens import Token


class Tokens:
    """``current`` is the first; each refresh of the current one moves to the next."""

    def __init__(self, *access: str) -> None:
        self._access = access or ("token-0", "token-1")
        self.version = 0

    def current(self) -> Token:
        return Token(self._access[self.version], self.version)

    def refreshed(self, stale: Token) -> Token:
        if stale.version == self.version:
            if self.version + 1 == len(self._access):
                raise Reconnect("test", "no more tokens")
            self.version += 1
        return self.current()
