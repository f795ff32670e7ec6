"""What the activity page's addresses answer: parts that it asks for itself, filters without sense,
and what is not there."""

import pytest

from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import let_in


@pytest.fixture(scope="module")
def shop(shared_rig: Rig) -> Shop:
    """One for all: nothing has happened in it."""
    return Shop(shared_rig)


def test_a_page_never_lands_in_a_part_of_another(shop: Shop) -> None:
    answer = let_in(shop.rig).get("/app/activity")
    assert answer.headers["HX-Retarget"] == "#page"


def test_what_is_under_way_is_asked_for_apart_from_its_links(rig: Rig) -> None:
    """What polls has no children: they would inherit where its answer goes."""
    shop = Shop(rig)
    rig.sandbox.faults.add(Fault("error_before", vendor="freshbooks", times=None, status=503))
    deal = shop.deal("100.00")
    shop.issue(deal)
    for path in ("/app/activity", f"/app/activity/deal:{deal.id}"):
        page = let_in(shop.rig).get(path).text
        asking = page.split('hx-trigger="every')[1]
        assert asking.partition(">")[2].startswith("</span>"), path
        assert 'hx-get="/app/activity' in page, path


@pytest.mark.parametrize(
    "query",
    ["since=0001-01-01", "until=9999-12-31"],
)
def test_a_day_beyond_all_days_is_a_sentence(shop: Shop, query: str) -> None:
    page = let_in(shop.rig).get(f"/app/activity?{query}")
    assert page.status_code == 200
    assert "A day is written like" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/app/activity?before=0001-01-01T00:00:00%2B14:00_0_1",
        "/app/activity?before=9999-12-31T23:59:59-14:00_0_1",
        "/app/activity/deal%3A1%00",
        "/app/what-if/99999999999",
    ],
)
def test_what_no_database_takes_is_not_there(shop: Shop, path: str) -> None:
    assert let_in(shop.rig).get(path).status_code == 404


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=9999-12-31", "group=nonsense", "kind=probe", "text=%27%25"]
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
