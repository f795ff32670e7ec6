"""Since when a rule is on: by Kommo's clock, and no longer than it stands in the settings."""

import pytest

from server.flows import change_settings
from server.store import settings
from tests.rig import Rig

RULE = {
    "rules": [{"slug": "won", "name": "Won", "when": [{"pipeline_id": 1, "stage_id": 142}]}],
    "mapping": {},
}


def test_a_rule_is_switched_on_by_kommo_s_clock(rig: Rig) -> None:
    rig.settings(RULE)
    assert rig.rule_on("won")
    assert not rig.rule_on("won")
    since = rig.in_database(lambda s: settings.switched_on(s, rig.account_id))
    assert abs((since["won"] - rig.clock.now()).total_seconds()) <= 1
    with pytest.raises(change_settings.NoSuchRule, match="won"):
        rig.rule_on("lost")
    assert rig.rule_off("won")
    assert not rig.rule_off("won")


def test_a_rule_that_is_gone_from_the_settings_is_off(rig: Rig) -> None:
    rig.settings(RULE)
    rig.rule_on("won")
    rig.settings({"rules": [], "mapping": {}})
    assert rig.in_database(lambda s: settings.switched_on(s, rig.account_id)) == {}
