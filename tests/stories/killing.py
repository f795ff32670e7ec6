"""A thread that dies at a commit, as a process does that is killed there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tests.rig import Rig

MOST_COMMITS = 60


class KilledError(BaseException):
    """Nothing in the product catches it, as nothing catches a kill."""


def dies_at(rig: Rig, nth: int, *, after: bool) -> bool:
    """All that is due runs, is killed at its nth commit, and goes on in a new process until nothing
    waits; whether it came that far."""
    killed = False
    with killed_at(rig, nth, after=after):
        try:
            rig.runner.drain()
        except KilledError:
            killed = True
    rig.restart()
    for _ in range(4):
        rig.later(seconds=125)
    return killed


@contextmanager
def killed_at(rig: Rig, nth: int, *, after: bool) -> Iterator[None]:
    """The thread dies right before, or right ``after``, its nth commit."""
    seen = 0

    def count(_session: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            raise KilledError

    moment = "after_commit" if after else "before_commit"
    target = sa.orm.Session
    sa.event.listen(target, moment, count)
    try:
        yield
    finally:
        sa.event.remove(target, moment, count)
