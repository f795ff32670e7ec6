"""How accounts are connected: the whole dance of redirects, by real HTTP."""

from datetime import timedelta

import pytest

from server.core.errors import Reconnect
from server.core.keys import AccountId
from server.flows import change_settings, connect, connect_freshbooks, connect_kommo
from server.flows import world as outside
from server.flows.connect import CannotConnect, unrecorded
from server.sandbox import Fault
from server.sandbox.browser import Browser
from server.sandbox.freshbooks.oauth import INVOICER
from server.store import accounts, grants, jobs, settings
from server.store.grants import GrantRow
from server.store.jobs import JobKind
from tests.rig import FRESHBOOKS_ID, FRESHBOOKS_SECRET, Rig

A_TOKEN_S_LIFE = timedelta(hours=12)
RULE = {
    "rules": [{"slug": "won", "name": "Won", "when": [{"pipeline_id": 1, "stage_id": 142}]}],
    "mapping": {},
}


def live_grant(rig: Rig, vendor: str) -> tuple[int, str, int]:
    """(id, state, version) of the connection's grant."""
    row = rig.connection(vendor)
    grant = rig.in_database(lambda session: session.get_one(GrantRow, row.grant_id))
    return grant.id, grant.state, grant.token_version


def test_both_vendors_are_connected_by_their_consent_pages(bare_rig: Rig) -> None:
    rig = bare_rig.connect()
    kommo, books = rig.connection("kommo"), rig.connection("freshbooks")
    assert (kommo.external_id, kommo.realm) == (str(rig.kommo.account_id), rig.kommo.host)
    assert (kommo.currency, kommo.timezone) == ("EUR", "Europe/Vilnius")
    assert (books.external_id, books.realm) == (str(rig.books.business_id), rig.books.account_id)
    assert kommo.account_id == books.account_id
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [rig.hook_url()]
    assert rig.sandbox.kommo.unknown_calls == rig.sandbox.freshbooks.unknown_calls == []


def test_nothing_is_stored_for_an_account_before_its_ticket_is_completed(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    told = connect.look(bare_rig.world, ticket)
    assert told.stage == "returned"
    assert told.summary == {
        "id": bare_rig.kommo.account_id,
        "name": "Demo",
        "host": bare_rig.kommo.host,
    }
    assert bare_rig.in_database(accounts.everyone) == []
    connect_kommo.complete(bare_rig.world, ticket)
    assert [row.name for row in bare_rig.in_database(accounts.everyone)] == ["demo"]


def test_a_consent_is_completed_once(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    connect_kommo.complete(bare_rig.world, ticket)
    with pytest.raises(CannotConnect, match="not ready"):
        connect_kommo.complete(bare_rig.world, ticket)
    with pytest.raises(CannotConnect, match="expired"):
        connect_freshbooks.complete(bare_rig.world, ticket)


def test_a_consent_that_nobody_completes_expires_and_is_forgotten(bare_rig: Rig) -> None:
    ticket = bare_rig.consent("kommo")
    bare_rig.later(minutes=31)
    assert connect.look(bare_rig.world, ticket).stage == "expired"
    with pytest.raises(CannotConnect):
        connect_kommo.complete(bare_rig.world, ticket)


def test_a_kommo_account_is_never_shared_by_two_accounts(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    ticket = rig.consent("kommo", second, account="demo")
    with pytest.raises(CannotConnect, match="already connected to another account of this"):
        connect_kommo.complete(rig.world, ticket)


def test_an_account_keeps_its_kommo_account(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    ticket = rig.consent("kommo", rig.account_id, account="second")
    with pytest.raises(CannotConnect, match="another Kommo account"):
        connect_kommo.complete(rig.world, ticket)


def test_a_business_is_never_shared_by_two_accounts(rig: Rig) -> None:
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    with pytest.raises(CannotConnect, match="to another account of this server") as refused:
        rig.connect_freshbooks(second)
    assert "demo" not in refused.value.sentence  # whose it is, is nothing for others


def test_a_refused_second_consent_leaves_the_first_connection_working(rig: Rig) -> None:
    """FreshBooks kills the older refresh token with the consent, so the newer one is kept."""
    first = rig.account_id
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    with pytest.raises(CannotConnect):
        rig.connect_freshbooks(second)
    rig.account_id = first
    rig.clock.advance(A_TOKEN_S_LIFE)
    client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
    assert client.me().id == rig.ona.id


def test_one_person_may_connect_two_businesses_to_two_accounts(rig: Rig) -> None:
    first = rig.account_id
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    rig.connect_freshbooks(second, other.business_id)
    assert rig.connection("freshbooks").realm == other.account_id
    one = rig.connection("freshbooks").grant_id
    rig.account_id = first
    assert rig.connection("freshbooks").grant_id == one
    rig.clock.advance(A_TOKEN_S_LIFE)
    client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
    assert client.me().id == rig.ona.id


def test_several_businesses_are_a_choice(bare_rig: Rig) -> None:
    rig = bare_rig
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    account_id = rig.connect_kommo().account_id
    ticket = rig.consent("freshbooks", account_id)
    offered = connect.look(rig.world, ticket).summary["businesses"]
    assert [one["name"] for one in offered] == ["Ona's Studio", "Ona's Bakery"]
    with pytest.raises(CannotConnect, match="choose one: Ona's Studio"):
        connect_freshbooks.complete(rig.world, ticket)
    with pytest.raises(CannotConnect, match="no business 1 "):
        connect_freshbooks.complete(rig.world, ticket, 1)
    row = connect_freshbooks.complete(rig.world, ticket, other.business_id)
    assert (row.name, row.realm) == ("Ona's Bakery", other.account_id)


@pytest.mark.parametrize(
    ("role", "account_role", "offered"),
    [
        ("business_partner", "admin", True),
        ("business_manager", "admin", True),
        ("business_accountant", "admin", True),
        ("business_employee", "admin", False),
        ("client", "client", False),
    ],
)
def test_who_may_not_write_invoices_is_not_offered_the_business(
    bare_rig: Rig, role: str, account_role: str, offered: bool
) -> None:
    rig = bare_rig
    person = rig.sandbox.freshbooks.add_identity("eve@example.test", "Eve")
    rig.sandbox.freshbooks.add_member(rig.books, person, role, account_role)
    account_id = rig.connect_kommo().account_id
    ticket = connect.mint(rig.world, "freshbooks", account_id)
    browse(rig, "freshbooks", ticket, identity_id=str(person.id))
    told = connect.look(rig.world, ticket)
    assert told.stage == ("returned" if offered else "failed")
    assert offered or "may not write invoices" in told.said


def browse(rig: Rig, vendor: str, ticket: str, **chosen: str) -> int:
    """There and back; the last page's status."""
    with Browser() as browser:
        page = browser.get(connect.start_url(rig.world, vendor, ticket))
        return browser.decide(page, **chosen).status_code


def test_changing_the_business_is_said_in_so_many_words(rig: Rig) -> None:
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    ticket = rig.consent("freshbooks", rig.account_id)
    with pytest.raises(CannotConnect, match="writes its invoices in Ona's Studio"):
        connect_freshbooks.complete(rig.world, ticket, other.business_id)
    connect_freshbooks.complete(rig.world, ticket, other.business_id, change=True)
    assert rig.connection("freshbooks").name == "Ona's Bakery"


@pytest.mark.parametrize("vendor", ["kommo", "freshbooks"])
def test_a_person_who_says_no_connects_nothing(bare_rig: Rig, vendor: str) -> None:
    ticket = connect.mint(bare_rig.world, vendor)
    assert browse(bare_rig, vendor, ticket, decision="deny") == 400
    told = connect.look(bare_rig.world, ticket)
    assert (told.stage, "not allowed" in told.said) == ("failed", True)


@pytest.mark.parametrize("vendor", ["kommo", "freshbooks"])
def test_a_vendor_that_is_down_at_the_consent_says_so(bare_rig: Rig, vendor: str) -> None:
    ticket = connect.mint(bare_rig.world, vendor)
    bare_rig.sandbox.faults.add(
        Fault("error_before", match="POST *token*", vendor=vendor, status=503)
    )
    assert browse(bare_rig, vendor, ticket) == 400
    told = connect.look(bare_rig.world, ticket)
    assert (told.stage, "Try again" in told.said) == ("failed", True)


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


def test_installing_the_widget_connects_the_account_that_its_token_names(bare_rig: Rig) -> None:
    rig = bare_rig
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    (account,) = rig.in_database(accounts.everyone)
    rig.account_id = account.id
    assert rig.connection("kommo").external_id == str(rig.kommo.account_id)
    assert rig.in_database(lambda s: settings.switched_on(s, account.id)) == {}
    assert [hook.destination for hook in rig.kommo.hooks.values()] == [rig.hook_url()]


def test_a_widget_s_code_is_exchanged_while_kommo_is_slow_to_come_back(bare_rig: Rig) -> None:
    rig = bare_rig
    rig.sandbox.faults.add(Fault("error_before", match="POST *token*", vendor="kommo"))
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    assert rig.in_database(accounts.everyone) == []
    rig.later(minutes=1)
    assert [row.name for row in rig.in_database(accounts.everyone)] == ["demo"]


def test_a_widget_s_tokens_are_kept_when_kommo_falls_silent_after_giving_them(
    bare_rig: Rig,
) -> None:
    rig = bare_rig
    rig.sandbox.faults.add(Fault("error_before", match="GET /api/v4/account", times=3))
    rig.kommo.install_widget(rig.world.kommo.app.client_id)
    rig.pump()
    for minutes in (1, 5, 30):
        assert rig.in_database(accounts.everyone) == []
        rig.later(minutes=minutes)
    assert [row.name for row in rig.in_database(accounts.everyone)] == ["demo"]


def test_an_older_consent_completed_late_does_not_undo_a_newer_one(bare_rig: Rig) -> None:
    rig = bare_rig
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    first = rig.connect_kommo().account_id
    rig.sandbox.kommo.add_account("second")
    second = rig.connect_kommo(account="second").account_id
    older = rig.consent("freshbooks", first)
    rig.clock.advance(timedelta(minutes=1))
    newer = rig.consent("freshbooks", second)
    connect_freshbooks.complete(rig.world, newer, other.business_id)
    connect_freshbooks.complete(rig.world, older, rig.books.business_id)
    rig.clock.advance(A_TOKEN_S_LIFE)
    for rig.account_id in (AccountId(first), AccountId(second)):
        client = outside.freshbooks_client(rig.world, rig.connection("freshbooks"), unrecorded)
        assert client.me().id == rig.ona.id


def test_a_made_up_widget_code_connects_nothing(bare_rig: Rig) -> None:
    rig = bare_rig
    query = f"from_widget=1&code=made-up&referer={rig.kommo.host}"
    rig.sandbox.deliveries.queue("kommo", f"{rig.url}/oauth/kommo/callback?{query}")
    rig.pump()
    assert rig.in_database(accounts.everyone) == []
    (job,) = rig.in_database(lambda s: list(s.query(jobs.JobRow)))
    assert (job.kind, job.state) == ("welcome", "left_out")


def test_a_narrow_scope_is_kept_as_it_was_given(bare_rig: Rig) -> None:
    rig = bare_rig
    redirect = f"{rig.url}/oauth/freshbooks/callback"
    rig.sandbox.freshbooks.register_app(FRESHBOOKS_ID, FRESHBOOKS_SECRET, redirect, INVOICER)
    rig.connect()
    row = rig.connection("freshbooks")
    stored = rig.in_database(lambda s: grants.read(s, rig.world.vault, row.grant_id))
    assert "user:invoices:write" in stored.pair.scope.split()


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


def test_a_plan_without_webhooks_connects_as_well(bare_rig: Rig) -> None:
    bare_rig.sandbox.kommo.switches.plan_has_webhooks = False
    bare_rig.connect()
    grant_id, _, version = live_grant(bare_rig, "kommo")
    bare_rig.connect_kommo()
    assert live_grant(bare_rig, "kommo") == (grant_id, "live", version + 1)
