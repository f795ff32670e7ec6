"""Kommo's client against the emulated account: each method over real HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.core.errors import TryLater
from server.sandbox import Fault, Sandbox
from server.vendors.http import CallMade
from server.vendors.kommo import auth
from server.vendors.kommo.client import KommoClient
from server.vendors.kommo.records import KommoTask
from tests.fixed_clock import START
from tests.vendors.kommo.conftest import APP

HOOK = "https://bill.test/hooks/kommo/key-1"


def test_the_account_tells_currency_zone_and_kommo_s_clock(
    client: KommoClient, account: Any
) -> None:
    found = client.account()
    assert (found.id, found.subdomain, found.currency) == (501, "demo", "EUR")
    assert found.timezone == "Europe/Vilnius"
    assert found.server_time == START


def test_a_deal_comes_with_its_links(client: KommoClient, account: Any) -> None:
    contact = account.add_contact("Ann Lee", email="ann@buyer.test")
    element = account.add_element(account.add_catalog("Products"), "Chair", price=120)
    deal = account.add_deal("Chairs", 240, contact=contact, products=[(element.id, 2, None)])
    found = client.deal(deal.id)
    assert found is not None
    assert found["_embedded"]["contacts"] == [
        {**found["_embedded"]["contacts"][0], "id": contact.id, "is_main": True}
    ]
    assert found["_embedded"]["catalog_elements"][0]["metadata"]["quantity"] == 2


@pytest.mark.parametrize("status", [204, 404])
def test_a_deal_that_is_not_there_is_none(
    client: KommoClient, sandbox: Sandbox, status: int
) -> None:
    sandbox.kommo.switches.unknown_lead_status = status
    assert client.deal(999_999) is None


def test_contacts_come_in_one_call_without_the_deleted(
    client: KommoClient, account: Any, calls: list[CallMade]
) -> None:
    ids = [account.add_contact(f"Person {index}").id for index in range(60)]
    account.delete_contact(ids[0])
    before = len(calls)
    found = client.contacts(ids)
    assert sorted(row["id"] for row in found) == ids[1:]
    assert len(calls) == before + 1


def test_a_company_that_is_not_there_is_none(client: KommoClient, account: Any) -> None:
    company = account.add_company("Acme")
    found = client.company(company.id)
    assert found is not None
    assert found["name"] == "Acme"
    account.delete_company(company)
    assert client.company(company.id) is None
    assert client.company(999_999) is None


def test_elements_and_lists_are_read(client: KommoClient, account: Any) -> None:
    catalog = account.add_catalog("Products")
    ids = [account.add_element(catalog, f"Chair {index}", price=index).id for index in range(3)]
    assert [row["id"] for row in client.elements(catalog.id, [*ids, 999_999])] == ids
    assert [(row["id"], row["type"]) for row in client.catalogs()] == [(catalog.id, "products")]


def test_pipelines_have_their_stages(client: KommoClient, account: Any, pipeline: Any) -> None:
    found = next(one for one in client.pipelines() if one.id == pipeline.id)
    assert found.name == "Sales"
    names = [stage.name for stage in found.stages]
    assert names[-4:-2] == ["Talk", "Issue invoice"]
    assert {142, 143} <= {stage.id for stage in found.stages}


def moved(account: Any, sandbox: Sandbox, pipeline: Any, count: int) -> list[int]:
    """Deals that entered the pipeline's last own stage, a minute apart."""
    first, last = pipeline.stages[-4].id, pipeline.stages[-3].id
    deals = []
    for index in range(count):
        deal = account.add_deal(f"Deal {index}", pipeline_id=pipeline.id, stage_id=first)
        sandbox.clock.advance(timedelta(seconds=30))
        account.move_deal(deal.id, last)
        deals.append(deal.id)
    return deals


def test_every_entering_of_a_stage_is_found_over_all_pages(
    client: KommoClient, account: Any, sandbox: Sandbox, pipeline: Any
) -> None:
    deals = moved(account, sandbox, pipeline, 120)
    events = client.stage_events(since=START)
    changes = [event for event in events if not event.is_creation]
    assert [event.deal_id for event in changes] == deals
    assert {event.stage_id for event in changes} == {pipeline.stages[-3].id}
    assert {event.old_stage_id for event in changes} == {pipeline.stages[-4].id}
    assert {event.pipeline_id for event in changes} == {pipeline.id}
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert len({event.event_id for event in events}) == 240


def test_a_creation_tells_its_stage_only_where_kommo_does(
    client: KommoClient, account: Any, sandbox: Sandbox, pipeline: Any
) -> None:
    account.add_deal("Silent", pipeline_id=pipeline.id, stage_id=pipeline.stages[-3].id)
    assert [
        (e.pipeline_id, e.stage_id, e.is_creation) for e in client.stage_events(since=START)
    ] == [(None, None, True)]
    sandbox.kommo.switches.lead_added_has_status = True
    deal = account.add_deal("Told", pipeline_id=pipeline.id, stage_id=pipeline.stages[-3].id)
    told = next(event for event in client.stage_events(since=START) if event.deal_id == deal.id)
    assert (told.pipeline_id, told.stage_id) == (pipeline.id, pipeline.stages[-3].id)


def test_events_are_asked_for_a_time_and_for_deals(
    client: KommoClient, account: Any, sandbox: Sandbox, pipeline: Any
) -> None:
    deals = moved(account, sandbox, pipeline, 25)
    some = client.stage_events(since=START, deal_ids=deals[:23])
    assert {event.deal_id for event in some} == set(deals[:23])
    early = client.stage_events(since=START, until=START + timedelta(seconds=30))
    # Both ends count: the first deal's creation and change, and the second's creation.
    assert sorted(event.deal_id for event in early) == [deals[0], deals[0], deals[1]]


def test_an_empty_time_has_no_events(client: KommoClient) -> None:
    assert client.stage_events(since=START + timedelta(days=1)) == []


def test_a_task_reaches_its_user_and_is_found_and_closed(client: KommoClient, account: Any) -> None:
    user = account.add_user("Mia Manager")
    deal = account.add_deal("Chairs", 100)
    other = account.add_deal("Tables", 100)
    due = START + timedelta(hours=1)
    task_id = client.create_task(deal.id, "No e-mail. [bh:1]", user.id, due, "r-1")
    client.create_task(other.id, "Other", None, due, "r-2")
    task = account.tasks[task_id]
    assert (task.responsible_user_id, task.complete_till) == (user.id, int(due.timestamp()))
    assert client.tasks_of(deal.id) == [KommoTask(task_id, "No e-mail. [bh:1]", False, user.id)]
    client.complete_task(task_id, "Billed")
    assert account.tasks[task_id].is_completed
    assert client.tasks_of(deal.id)[0].is_completed
    client.complete_task(999_999, "gone")


def test_a_task_for_a_user_who_left_goes_to_the_one_who_connected(
    client: KommoClient, account: Any
) -> None:
    deal = account.add_deal("Chairs", 100)
    task_id = client.create_task(deal.id, "Look", 999_999, START, "r-1")
    assert account.tasks[task_id].responsible_user_id == account.admin.id
    assert len(account.tasks) == 1


def test_a_task_on_a_deal_that_is_gone_is_refused(client: KommoClient) -> None:
    with pytest.raises(TryLater) as caught:
        client.create_task(999_999, "Look", None, START, "r-1")
    assert (caught.value.cause, caught.value.certainty) == ("kommo:refused", "refused")


def test_a_webhook_is_made_once_and_follows_its_events(client: KommoClient, account: Any) -> None:
    assert client.webhook(HOOK) is None
    hook = client.ensure_webhook(HOOK, ["status_lead", "add_lead"])
    assert client.ensure_webhook(HOOK, ["add_lead", "status_lead"]).id == hook.id
    assert client.ensure_webhook(HOOK, ["add_lead"]).settings == ("add_lead",)
    found = client.webhook(HOOK)
    assert found is not None
    assert (found.id, found.destination, found.disabled) == (hook.id, HOOK, False)
    assert len(account.hooks) == 1
    assert "key-1" not in repr(found)
    client.delete_webhook(HOOK)
    client.delete_webhook(HOOK)
    assert account.hooks == {}


@pytest.mark.parametrize("post_enables", [True, False])
def test_a_disabled_webhook_is_enabled_again_in_either_reading(
    client: KommoClient, account: Any, sandbox: Sandbox, post_enables: bool
) -> None:
    sandbox.kommo.switches.post_enables_hook = post_enables
    hook = client.ensure_webhook(HOOK, ["add_lead"])
    account.hooks[hook.id].disabled = True
    assert not client.ensure_webhook(HOOK, ["add_lead"]).disabled
    assert [one.disabled for one in account.hooks.values()] == [False]


def test_a_plan_without_webhooks_is_forbidden(client: KommoClient, sandbox: Sandbox) -> None:
    sandbox.kommo.switches.plan_has_webhooks = False
    with pytest.raises(TryLater) as caught:
        client.ensure_webhook(HOOK, ["add_lead"])
    assert (caught.value.cause, caught.value.certainty) == ("kommo:forbidden", "refused")


def test_a_one_time_token_of_the_account_is_read(account: Any, sandbox: Sandbox) -> None:
    token = account.make_one_time_token()
    read = auth.read_one_time_token(token, APP, (account.host,), sandbox.clock.now())
    assert (read.account_id, read.user_id, read.host) == (501, account.admin.id, account.host)
    assert read.is_admin is True
    assert read.expires_at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_the_account_s_disconnect_signature_is_genuine(account: Any) -> None:
    signature = account.disconnect_signature(APP.client_id)
    assert auth.disconnect_is_genuine(
        APP, account_id="501", client_id=APP.client_id, signature=signature
    )


def test_what_is_recorded_names_ids_and_no_query(
    client: KommoClient, calls: list[CallMade], sandbox: Sandbox
) -> None:
    calls.clear()
    sandbox.faults.add(Fault("throttle", "GET /api/v4/webhooks"))
    with pytest.raises(TryLater):
        client.webhook(HOOK)
    client.deal(77)
    assert [(c.method, c.path, c.status, c.outcome) for c in calls] == [
        ("GET", "/api/v4/webhooks", 429, "answered"),
        ("GET", "/api/v4/leads/77", 204, "answered"),
    ]
    assert "key-1" not in repr(calls)


def test_a_search_gives_so_many_deals_the_last_changed_first(
    client: KommoClient, account: Any, sandbox: Sandbox, calls: list[CallMade]
) -> None:
    for number in range(30):
        account.add_deal(f"Chairs {number}")
    account.add_deal("Desk")
    sandbox.clock.advance(timedelta(minutes=1))
    account.update_deal(next(iter(account.deals)), name="Chairs, more of them")
    before = len(calls)
    found = client.search_deals("chairs", 20)
    assert (len(found), found[0]["name"]) == (20, "Chairs, more of them")
    assert len(calls) == before + 1
    assert len(client.search_deals("", 40)) == 31


def test_moves_into_and_out_of_a_stage_are_told_apart_in_either_reading_of_the_filter(
    client: KommoClient, account: Any, pipeline: Any, sandbox: Sandbox
) -> None:
    talk, issue = pipeline.stage("Talk").id, pipeline.stage("Issue invoice").id
    place = (pipeline.id, issue)
    into, out = (account.add_deal(name, stage_id=talk) for name in ("A", "B"))
    account.move_deal(into.id, issue)
    account.move_deal(out.id, issue)
    account.move_deal(out.id, 142)
    for honoured in (True, False):
        sandbox.kommo.switches.event_stage_filter = honoured
        entered = [event.deal_id for event in client.moves(place, since=START)]
        left = [event.deal_id for event in client.moves(place, since=START, out=True)]
        assert (entered, left) == ([out.id, into.id], [out.id])


def test_deals_in_a_stage_are_only_the_young_the_youngest_first(
    client: KommoClient, account: Any, pipeline: Any, sandbox: Sandbox
) -> None:
    issue = pipeline.stage("Issue invoice").id
    account.add_deal("Old", stage_id=issue)
    sandbox.clock.advance(timedelta(days=1))
    young = [account.add_deal(name, stage_id=issue).id for name in ("Young", "Younger")]
    account.add_deal("Elsewhere")
    found = list(client.deals_in(pipeline.id, issue, START + timedelta(hours=1)))
    assert [row["id"] for row in found] == young[::-1]
