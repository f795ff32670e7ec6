"""The order of an account's stages, as Kommo has it; cached, for it seldom changes."""

from datetime import timedelta

from server.core.rules import StageOrder
from server.flows.run import Run
from server.store import calls
from server.vendors.kommo.read import stage_order as order_of

FRESH = timedelta(minutes=10)
CACHE = "kommo:stages"


def stage_order(run: Run) -> StageOrder:
    with run.world.database.read() as session:
        known = calls.cached(session, run.account_id, CACHE, run.now() - FRESH)
    if known is None:
        known = {str(p): list(s) for p, s in run.kommo.pipelines().items()}
        with run.phase() as session:
            calls.cache(session, run.account_id, CACHE, known, run.now())
    return order_of({int(pipeline): stages for pipeline, stages in known.items()})
