"""Rules that name a stage each, a deal that enters it again, and the hooks that told of it."""

from datetime import timedelta
from typing import Any

from server.flows import replay
from server.flows.replay import Wanted
from tests.rig import Rig
from tests.stories.shop import RULE, Shop

WHILE = timedelta(minutes=30)


def rule(shop: Shop, slug: str, stage: str, **more: Any) -> dict[str, Any]:
    when = [{"pipeline_id": shop.pipeline.id, "stage_id": shop.stage(stage)}]
    return {"slug": slug, "name": slug.title(), "when": when, "action": "mark_sent", **more}


def save(shop: Shop, *rules: dict[str, Any], **mapping: Any) -> None:
    shop.rig.settings({"rules": list(rules), "mapping": mapping})


def again(rig: Rig, **more: Any) -> Shop:
    """One rule, which bills each time that a deal enters "Issue invoice"."""
    shop = Shop(rig)
    save(shop, rule(shop, RULE, "Issue invoice", again=True, **more))
    rig.later(minutes=5)
    return shop


def enters_again(shop: Shop, deal: Any) -> None:
    shop.rig.clock.advance(WHILE)
    shop.move(deal, "Talks")
    shop.rig.pump()
    shop.rig.clock.advance(WHILE)
    shop.issue(deal)


def told_of(rig: Rig, stage_id: int) -> str:
    """The body of the last hook that told of a move into this stage."""
    hooks = [d for d in rig.sandbox.deliveries.history if d.label == "leads[status]"]
    return next(d.body.decode() for d in reversed(hooks) if str(stage_id) in d.body.decode())


def replayed(rig: Rig) -> None:
    replay.replay(rig.world, Wanted(rig.account_id))
    rig.pump()
