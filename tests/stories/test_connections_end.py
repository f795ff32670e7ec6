"""A connection ends: nothing is lost at FreshBooks, nothing begins by itself at Kommo."""

from datetime import timedelta

import requests

from server.core.states import JobState
from server.flows.replay import Wanted, replay
from server.sandbox import Fault
from server.sandbox.kommo.book.records import Deal
from server.store import settings
from tests.rig import FRESHBOOKS_ID, KOMMO_ID, Rig
from tests.stories.shop import CREATE, RULE, Shop

LEASE = timedelta(seconds=45)  # a refusal of tokens is believed when it was repeated


def revoke_at_freshbooks(rig: Rig) -> None:
    """The owner removes our app: both tokens of the pair are dead."""
    authority = rig.sandbox.freshbooks.authority
    for grant in list(authority.grants):
        authority.revoke(authority.apps[FRESHBOOKS_ID], grant.access_token)


def issue(shop: Shop, email: str) -> Deal:
    deal = shop.deal(contact=shop.contact(email))
    shop.issue(deal)
    return deal


def waits(shop: Shop, deal: Deal, vendor: str) -> bool:
    job = shop.job_of(deal)
    return (job.state, job.cause) == (JobState.PARKED, f"{vendor}:reconnect")


def rules_on(rig: Rig) -> set[str]:
    return set(rig.in_database(lambda session: settings.switched_on(session, rig.account_id)))


def test_deals_wait_for_a_new_consent_at_freshbooks_and_are_then_billed_once(
    shop: Shop, rig: Rig
) -> None:
    revoke_at_freshbooks(rig)
    deals = [issue(shop, f"p{n}@acme.test") for n in range(2)]
    rig.later(seconds=LEASE.total_seconds())
    deals.append(issue(shop, "late@acme.test"))
    for _ in range(4):
        rig.later(hours=1)
    assert [waits(shop, deal, "freshbooks") for deal in deals] == [True] * 3
    assert rig.connection("freshbooks").state == "reconnect"
    assert shop.invoices == []

    calls = rig.sandbox.freshbooks.calls
    calls.clear()
    rig.later(hours=1)
    assert calls == []  # a dead grant is not knocked at

    rig.connect_freshbooks()
    rig.pump()
    assert rig.connection("freshbooks").state == "connected"
    assert [shop.shown(deal) for deal in deals] == ["Sent"] * 3
    assert len(shop.invoices) == 3
    for _ in range(2):
        rig.later(hours=1)
    assert len(shop.invoices) == 3


def test_revoked_while_an_invoice_waits_to_be_looked_for_it_is_adopted_afterwards(
    shop: Shop, rig: Rig
) -> None:
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = issue(shop, "ann@acme.test")
    revoke_at_freshbooks(rig)
    rig.later(seconds=121)
    rig.later(seconds=LEASE.total_seconds())
    assert waits(shop, deal, "freshbooks")
    rig.connect_freshbooks()
    rig.pump()
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_revoked_between_create_and_sending_it_is_sent_afterwards(shop: Shop, rig: Rig) -> None:
    sending = "PUT /accounting/*/invoices/invoices/*"
    rig.sandbox.faults.add(Fault("error_before", sending, "freshbooks"))
    rig.sandbox.kommo.switches.own_writes_fire_hooks = False
    deal = issue(shop, "ann@acme.test")
    assert shop.shown(deal) == "Draft"
    revoke_at_freshbooks(rig)
    rig.later(minutes=1)
    rig.later(seconds=LEASE.total_seconds())
    assert waits(shop, deal, "freshbooks")
    rig.connect_freshbooks()
    rig.pump()
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_the_integration_disabled_in_kommo_disconnects(shop: Shop, rig: Rig) -> None:
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    assert rig.connection("kommo").state == "disconnected"
    assert rig.connection("freshbooks").state == "connected"
    calls = rig.sandbox.kommo.calls
    calls.clear()
    deal = issue(shop, "ann@acme.test")
    rig.sweep()
    assert calls == []
    assert shop.invoices == []
    assert shop.tasks(deal) == []


def test_after_a_reinstall_rules_are_off_and_older_deals_stay_untouched(
    shop: Shop, rig: Rig
) -> None:
    before = issue(shop, "before@acme.test")
    account = rig.account_id
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    while_out = issue(shop, "out@acme.test")
    rig.clock.advance(timedelta(hours=2))

    rig.kommo.install_widget(KOMMO_ID)
    rig.pump()
    assert rig.connection("kommo").state == "connected"
    assert rig.connection("kommo").account_id == account
    assert rules_on(rig) == set()
    off = issue(shop, "off@acme.test")
    rig.sweep()
    assert len(shop.invoices) == 1

    rig.clock.advance(timedelta(minutes=5))
    rig.rule_on(RULE)
    rig.sweep()
    rig.kommo.update_deal(while_out.id, name="Named anew")
    rig.later(minutes=1)
    assert [i["id"] for i in shop.invoices] == [int(shop.document_of(before).upstream_id or 0)]
    assert [shop.shown(while_out), shop.shown(off)] == [None, None]

    after = issue(shop, "after@acme.test")
    assert shop.shown(after) == "Sent"
    assert len(shop.invoices) == 2


def test_a_reinstall_finds_its_own_earlier_invoice_and_makes_no_second(
    shop: Shop, rig: Rig
) -> None:
    deal = issue(shop, "ann@acme.test")
    rig.kommo.disable_integration(KOMMO_ID)
    rig.pump()
    rig.kommo.install_widget(KOMMO_ID)
    rig.pump()
    rig.clock.advance(timedelta(minutes=5))
    rig.rule_on(RULE)
    shop.move(deal, "Offer")
    rig.pump()
    shop.issue(deal)
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert len(shop.invoices) == 1


def test_a_deal_that_waited_when_kommo_was_disabled_is_left_out_until_a_person_replays(
    shop: Shop, rig: Rig
) -> None:
    fault = rig.sandbox.faults.add(Fault("error_before", "*", "freshbooks", None, status=503))
    deal = issue(shop, "ann@acme.test")
    rig.kommo.disable_integration(KOMMO_ID)
    for minutes in (0, 1, 5, 30, 5):
        rig.later(minutes=minutes)
    assert waits(shop, deal, "kommo")
    rig.sandbox.faults.remove(fault.id)
    rig.kommo.install_widget(KOMMO_ID)
    rig.pump()
    rig.later(minutes=5)
    assert shop.job_of(deal).state == JobState.LEFT_OUT
    assert shop.invoices == []
    rig.rule_on(RULE)
    replay(rig.world, Wanted(rig.account_id))
    rig.pump()
    assert len(shop.invoices) == 1
    assert shop.shown(deal) == "Sent"


def test_a_forged_goodbye_changes_nothing(shop: Shop, rig: Rig) -> None:
    """The signature never changes, so whoever once saw the URL can call it: Kommo is asked."""
    query = {
        "account_id": rig.kommo.account_id,
        "client_uuid": KOMMO_ID,
        "signature": rig.kommo.disconnect_signature(KOMMO_ID),
    }
    with requests.get(f"{rig.url}/oauth/kommo/revoked", params=query, timeout=10) as reply:
        assert reply.status_code < 300
    rig.pump()
    assert rig.connection("kommo").state == "connected"
    assert rules_on(rig) == {RULE}
    assert shop.shown(issue(shop, "ann@acme.test")) == "Sent"
