"""A connection made anew, or ended by Kommo: what is kept, what is replaced, and whose word
counts."""

import pytest

from server.core.errors import Reconnect
from server.flows import connect_kommo
from server.flows import world as outside
from server.flows.connect import CannotConnect
from server.store import accounts, settings
from server.store.grants import GrantRow
from server.store.jobs import JobKind
from tests.rig import Rig

RULE = {
    "rules": [{"slug": "won", "name": "Won", "when": [{"pipeline_id": 1, "stage_id": 142}]}],
    "mapping": {},
}


def live_grant(rig: Rig, vendor: str) -> tuple[int, str, int]:
    """(id, state, version) of the connection's grant."""
    row = rig.connection(vendor)
    grant = rig.in_database(lambda session: session.get_one(GrantRow, row.grant_id))
    return grant.id, grant.state, grant.token_version


def test_a_consent_without_an_administrator_does_not_replace_a_working_one(rig: Rig) -> None:
    clerk = rig.kommo.add_user("Carl Clerk")
    before = live_grant(rig, "kommo")
    ticket = rig.consent("kommo", user=str(clerk.id))
    with pytest.raises(CannotConnect, match="not an administrator"):
        connect_kommo.complete(rig.world, ticket)
    assert live_grant(rig, "kommo") == before


def test_an_administrator_s_consent_replaces_the_tokens(rig: Rig) -> None:
    grant_id, _, version = live_grant(rig, "kommo")
    rig.connect_kommo()
    assert live_grant(rig, "kommo") == (grant_id, "live", version + 1)


def test_a_plan_without_webhooks_connects_as_well(bare_rig: Rig) -> None:
    bare_rig.sandbox.kommo.switches.plan_has_webhooks = False
    bare_rig.connect()
    grant_id, _, version = live_grant(bare_rig, "kommo")
    bare_rig.connect_kommo()
    assert live_grant(bare_rig, "kommo") == (grant_id, "live", version + 1)


def test_reconnecting_keeps_hook_keys_settings_and_rules(rig: Rig) -> None:
    rig.settings(RULE)
    rig.rule_on("won")
    url = rig.hook_url()
    with rig.database.write() as session:
        accounts.lose_grant(session, rig.connection("kommo").grant_id or 0)
    with pytest.raises(Reconnect):
        outside.connection_of(rig.world, rig.account_id, "kommo")
    rig.connect_kommo()
    rig.pump()
    assert rig.hook_url() == url
    assert rig.in_database(lambda s: list(settings.switched_on(s, rig.account_id))) == ["won"]
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [url]


def test_the_disconnect_hook_is_believed_when_kommo_confirms_it(rig: Rig) -> None:
    rig.settings(RULE)
    rig.rule_on("won")
    rig.kommo.disable_integration(rig.world.kommo.app.client_id)
    rig.pump()
    assert rig.connection("kommo").state == "disconnected"
    assert live_grant(rig, "kommo")[1] == "dead"


def test_a_repeated_disconnect_hook_does_nothing_to_a_working_connection(rig: Rig) -> None:
    rig.kommo.installed.add(rig.world.kommo.app.client_id)
    rig.sandbox.deliveries.queue(
        "kommo",
        f"{rig.url}/oauth/kommo/revoked?account_id={rig.kommo.account_id}"
        f"&client_id={rig.world.kommo.app.client_id}"
        f"&signature={rig.kommo.disconnect_signature(rig.world.kommo.app.client_id)}",
        label="replayed",
    )
    rig.pump()
    assert rig.sandbox.deliveries.history[-1].status == 204
    assert [job.said for job in rig.jobs(JobKind.FAREWELL)] == ["still connected"]
    assert rig.connection("kommo").state == "connected"


def test_a_reinstalled_account_is_found_again_with_its_rules_off(rig: Rig) -> None:
    rig.settings(RULE)
    rig.rule_on("won")
    rig.kommo.disable_integration(rig.world.kommo.app.client_id)
    rig.pump()
    before = rig.account_id
    rig.connect_kommo()
    rig.pump()
    assert rig.account_id == before
    assert rig.connection("kommo").state == "connected"
    assert rig.in_database(lambda s: settings.switched_on(s, before)) == {}
