"""The order of an account's stages, as Kommo has it; cached, for it seldom changes."""

from datetime import timedelta

from server.core.rules import StageOrder
from server.core.sale import Place
from server.flows.run import Run
from server.store import calls
from server.vendors.kommo.read import LOST, WON

FRESH = timedelta(minutes=10)
CACHE = "kommo:stages"


def stage_order(run: Run, place: Place) -> StageOrder:
    """The order that lists ``place``: a stage made since the last look makes us look again."""
    with run.world.database.read() as session:
        known = calls.cached(session, run.account_id, CACHE, run.now() - FRESH)
    if known is not None and (order := _order(known)).lists(place):
        return order
    pipelines = {str(p.id): [stage.id for stage in p.stages] for p in run.kommo.pipelines()}
    with run.phase() as session:
        calls.cache(session, run.account_id, CACHE, pipelines, run.now())
    return _order(pipelines)


def _order(known: dict[str, list[int]]) -> StageOrder:
    return StageOrder(
        {int(pipeline): stages for pipeline, stages in known.items()},
        won=frozenset({WON}),
        lost=frozenset({LOST}),
    )
