"""The order of an account's stages, as Kommo has it; cached, for it seldom changes."""

from server.core.rules import StageOrder
from server.core.sale import Place
from server.flows.run import STAGES, Run
from server.vendors.kommo.read import LOST, WON

CACHE = STAGES


def stage_order(run: Run, place: Place) -> StageOrder:
    """The order that lists ``place``: a stage made since the last look makes us look again."""
    known = run.cached(CACHE)
    if known is not None and (order := _order(known)).lists(place):
        return order
    pipelines = {str(p.id): [stage.id for stage in p.stages] for p in run.kommo.pipelines()}
    run.keep(CACHE, pipelines)
    return _order(pipelines)


def _order(known: dict[str, list[int]]) -> StageOrder:
    return StageOrder(
        {int(pipeline): stages for pipeline, stages in known.items()},
        won=frozenset({WON}),
        lost=frozenset({LOST}),
    )
