"""The two buckets of 60 seconds and the headers that every reply carries (reference §7.1)."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.sandbox.freshbooks.state import Env

WINDOW = timedelta(seconds=60)


@dataclass
class Bucket:
    resets_at: datetime
    used: int = 0


@dataclass(frozen=True)
class Standing:
    """How a caller stands after this call."""

    limit: int
    remaining: int
    resets_at: datetime
    retry_after: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """Retry-After is sent on every reply, also on a 200: only a 429 means it."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(int(self.resets_at.timestamp())),
            "Retry-After": str(self.retry_after),
            "X-API-Version": "2023-02-20",
        }


class RateLimits:
    """Buckets by caller (its token) and kind of call; time is the sandbox's."""

    def __init__(self, env: Env) -> None:
        self.env = env
        self._buckets: dict[tuple[str, bool], Bucket] = {}

    def count(self, caller: str, method: str, path: str) -> Standing:
        """Count one call: 250 a minute for POST to accounting, 600 for all else."""
        posts = method == "POST" and path.startswith("/accounting/")
        switches, now = self.env.switches, self.env.clock.now()
        limit = switches.rate_limit_posts if posts else switches.rate_limit
        bucket = self._buckets.get((caller, posts))
        if bucket is None or bucket.resets_at <= now or bucket.resets_at > now + WINDOW:
            bucket = self._buckets[caller, posts] = Bucket(now + WINDOW)
        bucket.used += 1
        exceeded = switches.rate_limits and bucket.used > limit
        wait = math.ceil((bucket.resets_at - now).total_seconds())
        return Standing(limit, max(0, limit - bucket.used), bucket.resets_at, wait, exceeded)
