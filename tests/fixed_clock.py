"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, office hours in Europe


class FixedClock:
    """A ``core.clock.Clock``. Moves forwards only, as time does."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | None = None, **parts: float) -> datetime:
        """By a timedelta or by its parts: ``clock.advance(minutes=5)``. Returns the new present."""
        step = by if by is not None else timedelta(**parts)
        if step < timedelta(0):
            raise ValueError("time does not go back")
        self._now += step
        return self._now
