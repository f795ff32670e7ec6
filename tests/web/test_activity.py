"""The activity page: what happened, what is left out, what needs attention, and what to do."""

import re

import pytest
import requests

from server.core.states import JobClass
from server.sandbox import Fault
from server.store import jobs
from server.store.jobs import JobKind, NewJob
from server.web.auth import Role
from tests.rig import Rig
from tests.stories.shop import CREATE, Shop
from tests.web.letting_in import let_in


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


def test_an_empty_page_says_what_will_appear(shop: Shop) -> None:
    assert "Deals appear here when they enter" in let_in(shop.rig).get("/app/activity").text


def story(page: str) -> list[str]:
    """What happened, as it stands on an entry's page: a step a line."""
    steps = page.split('<ol class="story">')[1].split("</ol>")[0].split("</li>")[:-1]
    return [" ".join(re.findall(r"<p[^>]*>(.*?)</p>", step)) for step in steps]


def test_a_billed_deal_is_in_order_and_tells_its_story_in_order_of_time(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.issue(deal)
    admin = let_in(shop.rig)
    admin.get("/app/rules")  # reads the stages' names
    page = admin.get("/app/activity?text=chairs+ann").text
    assert ">Office chairs</a>" in page
    assert f"Deal {deal.id} · Ann Lee · Invoice 0" in page
    assert "€100.00" in page
    entry = admin.get(f"/app/activity/deal:{deal.id}").text
    steps = story(entry)
    assert steps[0] == "The deal entered the stage “Issue invoice” (Sales) in Kommo."
    assert steps[1] == "The rule “Issue” bills it: an invoice marked as sent."
    assert "in FreshBooks" in steps[2]
    assert "was made in FreshBooks: €100.00." in steps[3]
    assert steps[4] == "It was marked as sent."
    assert steps[5].endswith("number, link, amount and status.")
    assert len(steps) == 6
    for told in ("In order", "POST /accounting/"):
        assert told in entry, told
    link = f"{shop.kommo.url}/leads/detail/{deal.id}"
    assert f'href="{link}"' in entry
    with requests.get(link, timeout=10) as card:
        assert "Office chairs" in card.text
    assert "ann@acme.test" not in entry


def test_a_lost_answer_is_told_with_the_next_try_and_how_it_ended(shop: Shop) -> None:
    shop.rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal("100.00")
    shop.issue(deal)
    admin, at = let_in(shop.rig), f"/app/activity/deal:{deal.id}"
    steps = story(admin.get(at).text)
    assert "no certain answer came" in steps[-2]
    assert steps[-1].startswith("Next try: ")
    shop.rig.later(seconds=121)
    found = [step for step in story(admin.get(at).text) if "found it by its reference" in step]
    assert len(found) == 1


def test_a_story_is_told_in_the_readers_language(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    steps = story(let_in(shop.rig, language="es").get(f"/app/activity/deal:{deal.id}").text)
    assert len(steps) == 4
    assert not re.search(r"\b(the|deal|invoice|Kommo looks)\b", " ".join(steps))


def test_what_is_missing_is_grouped_by_cause_and_tried_again(shop: Shop) -> None:
    for name in ("One", "Two"):
        shop.issue(shop.deal(None, name=name))
    admin = let_in(shop.rig)
    page = admin.get("/app/activity?group=needs_attention").text
    assert "The deal has no amount." in page
    assert "Try all of these again" in page
    cause = page.split('name="cause" value="')[1].split('"')[0]
    done = admin.post("/app/activity/all-again", data={"cause": cause})
    assert done.status_code == 303
    assert "They run again" in admin.get(done.location).text
    twice = admin.post("/app/activity/all-again", data={"cause": cause})
    assert "were taken up already" in admin.get(twice.location).text
    shop.rig.pump()
    assert "The deal has no amount." in admin.get("/app/activity?group=needs_attention").text


def test_trying_again_first_says_what_it_will_do(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    admin, at = let_in(shop.rig), f"/app/activity/deal:{deal.id}/again"
    assert "nothing was made so far" in admin.get(at).text
    shop.kommo.update_deal(deal.id, price=250)
    assert [admin.post(at).status_code for _click in (1, 2)] == [303, 303]
    shop.rig.pump()
    assert len(shop.invoices) == 1
    assert "are written on the deal" in admin.get(at).text


def test_what_is_ignored_no_longer_asks_for_attention(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    admin = let_in(shop.rig)
    for _click in (1, 2):
        done = admin.post(f"/app/activity/deal:{deal.id}/ignore")
        assert "It no longer asks for attention" in admin.get(done.location).text
    assert "Nothing needs attention" in admin.get("/app/activity?group=needs_attention").text
    assert "Ignored by Ann Lee" in admin.get("/app/activity?group=left_out").text


def test_a_manager_reads_and_changes_nothing(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    manager, at = let_in(shop.rig, Role.MANAGER), f"/app/activity/deal:{deal.id}"
    assert manager.get("/app/activity").status_code == 200
    page = manager.get(at).text
    assert "The deal has no amount." in page
    assert "Try again" not in page
    assert manager.post(f"{at}/again").status_code == 403
    assert manager.post(f"{at}/ignore").status_code == 403


def test_older_entries_are_a_page_further(shop: Shop) -> None:
    for n in range(51):
        shop.kommo.add_deal(
            name=f"{n}", price=1, pipeline_id=shop.pipeline.id, stage_id=shop.stage("Issue invoice")
        )
    shop.rig.pump()
    admin = let_in(shop.rig)
    first = admin.get("/app/activity").text
    assert first.count('<a href="/app/activity/deal:') == 50
    older = first.split('href="/app/activity?before=')[1].split('"')[0]
    assert admin.get(f"/app/activity?before={older}").text.count("/app/activity/deal:") == 1


def test_a_filter_that_finds_nothing_can_be_cleared(shop: Shop) -> None:
    shop.issue(shop.deal())
    admin = let_in(shop.rig)
    page = admin.get("/app/activity?since=2031-01-01").text
    assert "Nothing is found by this filter." in page
    assert 'href="/app/activity">Clear the filter' in page
    assert "done" in admin.get("/app/activity?kind=invoice_to_deal").text


def test_the_plumbing_is_tried_again_and_gone_when_it_is_done(shop: Shop) -> None:
    shop.rig.sandbox.faults.add(
        Fault("error_before", "GET /api/v4/webhooks", "kommo", times=None, status=503)
    )
    with shop.rig.database.write() as session:
        new = NewJob(shop.rig.account_id, JobKind.ENSURE, "account", JobClass.CLICK, {})
        jobs.defer(session, new, shop.rig.clock.now())
    for minutes in (0, 1, 5, 31):
        shop.rig.later(minutes=minutes)
    admin, at = let_in(shop.rig), "/app/activity/ensure:account"
    assert "Fields and webhook in Kommo" in admin.get("/app/activity").text
    shop.rig.sandbox.faults.clear()
    assert "makes what is missing" in admin.get(f"{at}/again").text
    assert "It runs again" in admin.get(admin.post(f"{at}/again").location).text
    shop.rig.pump()
    assert admin.post(f"{at}/again").status_code == 303  # a second click comes too late, unharmed
    assert "This is done" in admin.get(at).text
