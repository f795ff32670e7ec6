"""A client that nobody here wrote drives the emulated Kommo: aioamocrm, by its ``base_url``."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from aioamocrm import (
    AmoCRMClient,
    AuthError,
    Contact,
    Embedded,
    Lead,
    LongLivedToken,
    NotFoundError,
    OAuth2,
    RateLimitError,
    RetryPolicy,
    TokenSet,
    ValidationError,
    parse_webhook,
)

from server.sandbox.kommo.book.records import WON
from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo

T = TypeVar("T")


def drive(kommo: Kommo, story: Callable[[AmoCRMClient], Awaitable[T]], auth: Any = None) -> T:
    """Run ``story`` with a client of the account; without ``auth`` by a plain bearer token."""

    async def run() -> T:
        async with AmoCRMClient(
            base_url=kommo.account.url,
            auth=auth or LongLivedToken(kommo.token),
            rate_limit=None,
            retry=RetryPolicy(max_attempts=1),
        ) as client:
            return await story(client)

    # In a thread of its own: browser tests leave Playwright's event loop running in the main one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(run())).result()


def oauth(kommo: Kommo) -> OAuth2:
    now = kommo.sandbox.clock
    return OAuth2(
        client_id=CLIENT_ID,
        client_secret=SECRET,
        redirect_uri=REDIRECT,
        clock=lambda: now.now().timestamp(),
    )


def test_it_reads_the_account(kommo: Kommo) -> None:
    account = drive(kommo, lambda amo: amo.account.get(with_=["task_types"]))
    assert (account.id, account.subdomain) == (kommo.account.account_id, "demo")
    assert account.currency == "EUR"


def test_it_trades_a_code_and_rotates_its_tokens(kommo: Kommo) -> None:
    auth = oauth(kommo)

    async def story(amo: AmoCRMClient) -> tuple[TokenSet, TokenSet, int]:
        first = await amo.exchange_code(kommo.account.make_code(CLIENT_ID))
        kommo.sandbox.clock.advance(timedelta(hours=25))
        account = await amo.account.get()
        stored = await auth.storage.load()
        assert stored is not None
        return first, stored, account.id

    first, second, account_id = drive(kommo, story, auth)
    assert account_id == kommo.account.account_id
    assert first.refresh_token != second.refresh_token
    assert second.expires_at - first.expires_at == 25 * 3600


def test_it_renews_a_token_that_was_refused(kommo: Kommo) -> None:
    kommo.sandbox.kommo.switches.refresh_rule = "at_once"
    auth = oauth(kommo)

    async def story(amo: AmoCRMClient) -> int:
        tokens = await amo.exchange_code(kommo.account.make_code(CLIENT_ID))
        stolen = kommo.refresh(tokens.refresh_token)
        assert stolen.status_code == 200
        with pytest.raises(AuthError):
            await amo.account.get()
        await amo.exchange_code(kommo.account.make_code(CLIENT_ID))
        return (await amo.account.get()).id

    assert drive(kommo, story, auth) == kommo.account.account_id


def test_it_reads_a_deal_with_contacts_products_and_exact_fields(kommo: Kommo) -> None:
    account = kommo.account
    account.add_field("leads", "text", "PO number", "PO_NUMBER")
    element = account.add_element(account.products_catalog, "Chair", price="12.50")
    contact = account.add_contact("Ann Lee", email="ann@x.example")
    deal = account.add_deal(
        "Desk", 1200, contact=contact, products=[(element, "2.5")], fields={"PO_NUMBER": "P-1"}
    )

    async def story(amo: AmoCRMClient) -> tuple[Lead, Contact, Any]:
        lead = await amo.leads.get(deal.id, with_=["contacts", "catalog_elements"])
        assert lead.embedded is not None
        person = await amo.contacts.get(lead.embedded.contacts[0].id or 0)
        return lead, person, await amo.leads.links(deal.id)

    lead, person, links = drive(kommo, story)
    assert (lead.price, lead.field_value("PO_NUMBER")) == (1200, "P-1")
    assert person.field_value("EMAIL") == "ann@x.example"
    assert [link.to_entity_type for link in links] == ["catalog_elements", "contacts"]
    assert links[0].metadata == {"quantity": 2.5, "catalog_id": element.catalog_id}


def test_it_walks_all_pages_and_an_empty_list(kommo: Kommo) -> None:
    for number in range(7):
        kommo.account.add_deal(f"Deal {number}")

    async def story(amo: AmoCRMClient) -> tuple[list[str | None], int]:
        names = [lead.name async for lead in amo.leads.iterate(limit=3)]
        return names, len((await amo.tasks.get_page()).items)

    names, tasks = drive(kommo, story)
    assert names == [f"Deal {number}" for number in range(7)]
    assert tasks == 0


def test_it_creates_moves_and_closes_in_batches(kommo: Kommo) -> None:
    pipeline = kommo.account.main_pipeline

    async def story(amo: AmoCRMClient) -> list[int]:
        made = await amo.leads.create([Lead(name=f"Deal {n}") for n in range(5)], batch_size=2)
        ids = [ref.id for ref in made if ref.id is not None]
        await amo.leads.update(
            [Lead(id=one, status_id=WON, pipeline_id=pipeline.id) for one in ids]
        )
        return ids

    ids = drive(kommo, story)
    assert [kommo.account.deals[one].status_id for one in ids] == [WON] * 5
    posts = [call for call in kommo.sandbox.kommo.calls if call[:2] == ("POST", "/api/v4/leads")]
    assert len(posts) == 3


def test_it_makes_a_deal_with_its_contact(kommo: Kommo) -> None:
    async def story(amo: AmoCRMClient) -> Any:
        contact = Contact(first_name="Ann")
        contact.set_field("EMAIL", "ann@x.example", enum_code="WORK")
        lead = Lead(name="Form", embedded=Embedded(contacts=[contact]))
        (result,) = await amo.leads.create_complex([lead])
        return result

    result = drive(kommo, story)
    assert kommo.account.deals[result.id].main_contact_id == result.contact_id
    assert result.merged is False


def test_it_links_and_unlinks(kommo: Kommo) -> None:
    account = kommo.account
    element = account.add_element(account.products_catalog, "Chair")
    deal = account.add_deal("Desk")
    metadata = {"catalog_id": element.catalog_id, "quantity": 3}

    async def story(amo: AmoCRMClient) -> None:
        await amo.leads.link(deal.id, "catalog_elements", element.id, metadata=metadata)
        assert deal.products[0].quantity == 3
        await amo.leads.unlink(deal.id, "catalog_elements", element.id, metadata=metadata)

    drive(kommo, story)
    assert deal.products == []


def test_it_reads_pipelines_fields_and_users(kommo: Kommo) -> None:
    for number in range(55):
        kommo.account.add_field("leads", "text", f"F{number}", f"F{number}")

    async def story(amo: AmoCRMClient) -> tuple[Any, Any, Any, Any]:
        pipelines = await amo.pipelines.list()
        stages = await amo.pipelines.statuses(pipelines[0].id or 0)
        fields = [one.code async for one in amo.leads.custom_fields.iterate(limit=250)]
        return pipelines, stages, fields, (await amo.users.get_page()).items

    pipelines, stages, fields, users = drive(kommo, story)
    assert [one.name for one in pipelines] == ["Sales", "Service"]
    assert pipelines[0].status(WON).name == "Closed - won"
    assert len(stages) == len(kommo.account.main_pipeline.stages)
    assert fields == [f"F{number}" for number in range(55)]
    assert [user.name for user in users] == ["Olivia Stone"]


def test_it_makes_and_completes_tasks_and_notes(kommo: Kommo) -> None:
    deal = kommo.account.add_deal("Desk")

    async def story(amo: AmoCRMClient) -> int:
        row = {"text": "Call", "complete_till": 1, "entity_id": deal.id, "entity_type": "leads"}
        (task,) = await amo.tasks.create([row])
        await amo.tasks.complete(task.id or 0, result="Done")
        note = {"entity_id": deal.id, "note_type": "common", "params": {"text": "Hi"}}
        await amo.leads.notes.create([note])
        return task.id or 0

    task_id = drive(kommo, story)
    assert kommo.account.tasks[task_id].result == "Done"
    assert [note.params for note in kommo.account.notes.values()] == [{"text": "Hi"}]


def test_it_understands_the_refusals(kommo: Kommo) -> None:
    async def story(amo: AmoCRMClient) -> str:
        with pytest.raises(NotFoundError):
            await amo.leads.get(1)
        with pytest.raises(NotFoundError):
            await amo.contacts.get(1)
        with pytest.raises(ValidationError) as refused:
            await amo.leads.create([Lead(name="A", status_id=5)])
        kommo.sandbox.kommo.switches.requests_per_second = 1
        await amo.account.get()
        with pytest.raises(RateLimitError):
            await amo.account.get()
        return str(refused.value)

    assert "status_id" in drive(kommo, story)


def test_it_reads_the_hooks(kommo: Kommo) -> None:
    kommo.account.add_field("leads", "text", "PO number", "PO_NUMBER")
    kommo.account.subscribe("http://127.0.0.1:1/hook", ["add_lead", "status_lead"])
    deals = [kommo.account.add_deal(f"Deal {n}", fields={"PO_NUMBER": f"P{n}"}) for n in range(2)]
    with kommo.account.batch():
        for deal in deals:
            kommo.account.move_deal(deal.id, WON)
    *_, batch = (parse_webhook(body) for body in kommo.hook_bodies())
    assert (batch.account_id, batch.subdomain) == (kommo.account.account_id, "demo")
    assert [event.id for event in batch.events] == [deal.id for deal in deals]
    assert [event.field_value("PO_NUMBER") for event in batch.events] == ["P0", "P1"]
