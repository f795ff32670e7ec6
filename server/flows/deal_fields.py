"""The deal fields that Billhook writes: found by code, made by code when missing, cached."""

from datetime import timedelta

from server.flows.run import Run
from server.store import calls

FRESH = timedelta(minutes=10)
CACHE = "kommo:fields"


def ensure(run: Run, codes: list[str]) -> dict[str, int]:
    """Field id of every code. Raises the outcomes."""
    with run.world.database.read() as session:
        known: dict[str, int] = (
            calls.cached(session, run.account_id, CACHE, run.now() - FRESH) or {}
        )
    if not all(code in known for code in codes):
        known = run.kommo.ensure_deal_fields(codes)
        with run.phase() as session:
            calls.cache(session, run.account_id, CACHE, known, run.now())
    return known


def forget(run: Run) -> None:
    """A write was refused for a field that is gone: the next run looks again."""
    with run.phase() as session:
        calls.drop_cache(session, run.account_id, CACHE)
