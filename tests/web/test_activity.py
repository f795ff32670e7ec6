"""The activity page: what happened, what is left out, what needs attention, and what to do."""

import pytest

from server.web.auth import Role
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import let_in


@pytest.fixture
def shop(rig: Rig) -> Shop:
    return Shop(rig)


def test_an_empty_page_says_what_will_appear(shop: Shop) -> None:
    assert "Deals appear here when they enter" in let_in(shop.rig).get("/app/activity").text


def test_a_billed_deal_is_in_order_with_its_steps_and_calls(shop: Shop) -> None:
    deal = shop.deal("100.00")
    shop.issue(deal)
    admin = let_in(shop.rig)
    page = admin.get("/app/activity").text
    assert f"Deal {deal.id}" in page
    assert "€100.00" in page
    entry = admin.get(f"/app/activity/deal:{deal.id}").text
    for told in ("In order", "made", "POST /accounting/", "Invoice 0"):
        assert told in entry, told
    assert "ann@acme.test" not in entry


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
    assert "Under way" in admin.get(done.location).text
    shop.rig.pump()
    assert "The deal has no amount." in admin.get("/app/activity?group=needs_attention").text


def test_trying_again_first_says_what_it_will_do(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    admin, at = let_in(shop.rig), f"/app/activity/deal:{deal.id}/again"
    assert "nothing was made so far" in admin.get(at).text
    shop.kommo.update_deal(deal.id, price=250)
    assert admin.post(at).status_code == 303
    shop.rig.pump()
    assert len(shop.invoices) == 1
    assert "are written on the deal" in admin.get(at).text


def test_what_is_ignored_no_longer_asks_for_attention(shop: Shop) -> None:
    deal = shop.deal(None)
    shop.issue(deal)
    admin = let_in(shop.rig)
    assert admin.post(f"/app/activity/deal:{deal.id}/ignore").status_code == 303
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


@pytest.mark.parametrize(
    "query", ["deal=x", "since=yesterday", "until=9999-12-31", "group=nonsense", "deal=" + "9" * 30]
)
def test_a_filter_that_makes_no_sense_is_a_sentence_or_nothing(shop: Shop, query: str) -> None:
    assert let_in(shop.rig).get(f"/app/activity?{query}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/app/activity/deal:1",
        "/app/activity/event:1",
        "/app/activity/" + "x" * 300,
        "/app/activity?before=x",
        "/app/activity?before=2026-01-01_1_1",
        "/app/activity/deal:1/again",
    ],
)
def test_what_is_not_there_is_not_there(shop: Shop, path: str) -> None:
    assert let_in(shop.rig).get(path).status_code == 404
