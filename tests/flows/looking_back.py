"""What a rule that is off would have billed: begun, run to its end, and looked at."""

from typing import Any

from server.core.settings import SettingsDocument, validate
from server.flows.what_if import WhatIf, begin, look
from tests.stories.shop import RULE, Shop


def document(shop: Shop, mapping: dict[str, Any] | None = None, **rule: Any) -> SettingsDocument:
    return validate(shop.document("draft", mapping or {}, **rule))


def asked(shop: Shop, settings: SettingsDocument | None = None) -> WhatIf:
    """Begun, run to its end, looked at."""
    rig = shop.rig
    run_id = begin(rig.world, rig.account_id, settings or document(shop), RULE)
    rig.runner.drain()
    found = look(rig.world, rig.account_id, run_id)
    assert found is not None
    return found
