"""One look at the invoice that a deal would become."""

from typing import Any

from server.core.settings import validate
from server.flows.preview import preview
from server.flows.previewed import Preview
from tests.stories.shop import Shop


def look(shop: Shop, deal: Any, mapping: dict[str, Any] | None = None, **more: Any) -> Preview:
    document = validate(shop.document("mark_sent", mapping or {}))
    return preview(shop.rig.world, shop.rig.account_id, deal.id, document, **more)
