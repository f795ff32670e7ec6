"""One step of a deal's story, as a page draws it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class When(IntEnum):
    """What comes first of two steps of the same moment."""

    HEARD = 0
    DECIDED = 1
    CLIENT = 2
    MADE = 3
    SENT = 4
    WRITTEN = 5
    STOPPED = 6
    ASKED = 7
    CLOSED = 8
    AHEAD = 9


@dataclass(frozen=True)
class Step:
    """``at`` is None of what is still ahead. ``more``: sentences below; ``link``: to see it."""

    at: datetime | None
    rank: When
    words: str
    tone: str = "plain"  # good, busy, bad or plain
    more: tuple[str, ...] = ()
    link: str = ""
