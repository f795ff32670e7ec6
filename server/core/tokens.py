"""What a vendor client needs to know of a grant; who keeps it is not the vendor's business."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """An access token as it is used for calls. ``version`` counts the grant's refreshes."""

    access: str
    version: int


@dataclass(frozen=True)
class TokenPair:
    """What a token endpoint hands out. ``expires_at`` is aware UTC."""

    access: str
    refresh: str
    expires_at: datetime
    scope: str = ""

    def __repr__(self) -> str:  # tokens never reach a log
        return f"TokenPair(expires_at={self.expires_at.isoformat()})"


class TokenHolder(Protocol):
    def current(self) -> Token:
        """A token that has not expired, refreshed first where needed.

        Raises Reconnect when the grant is dead, TryLater when the vendor does not answer.
        """

    def refreshed(self, stale: Token) -> Token:
        """A newer token than ``stale``, which the vendor just answered 401. Raises likewise."""
