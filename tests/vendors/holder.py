"""A holder of tokens for tests: hands out what it is given, one after another, and counts."""

from collections.abc import Callable

from server.core.errors import Reconnect
from server.core.tokens import Token, TokenPair


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


class LiveTokens:
    """Renews at the vendor, as the store's holder does, without a store."""

    def __init__(self, pair: TokenPair, renew: Callable[[TokenPair], TokenPair]) -> None:
        self.pair = pair
        self._renew = renew
        self.version = 0

    def current(self) -> Token:
        return Token(self.pair.access, self.version)

    def refreshed(self, stale: Token) -> Token:
        if stale.version == self.version:
            self.pair = self._renew(self.pair)
            self.version += 1
        return self.current()
