"""A changed rule, tried on the deals of the past before anything is saved."""

import re

import pytest

from server.core.states import JobState
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import let_in


@pytest.fixture
def shop(rig: Rig) -> Shop:
    shop = Shop(rig, on=False)
    for price in ("100.00", "250.50", None):
        shop.move(shop.deal(price))
    rig.pump()
    return shop


def _form(shop: Shop) -> dict[str, str]:
    page = let_in(shop.rig).get("/app/rules/issue").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    place = f"{shop.pipeline.id}:{shop.stage('Issue invoice')}"
    assert f'value="{place}"' in page
    return {
        "version": version[1], "name": "Issue", "when": place, "match": "all",
        "action": "draft", "what_if": "1",
    }  # fmt: skip


def test_it_counts_sums_and_explains_and_saves_nothing(shop: Shop) -> None:
    admin = let_in(shop.rig)
    versions = admin.get("/app/history").text.count("/app/history/")
    asked = admin.post("/app/rules/issue", data=_form(shop))
    below = re.search(r'hx-get="(/app/what-if/\d+)\?live=1" hx-trigger="every 2s"', asked.text)
    assert below is not None
    shop.rig.pump()
    done = admin.get(below[1]).text
    for told in ("€350.50", "The deal has no amount.", "hx-trigger"):
        assert (told in done) is (told != "hx-trigger"), told
    assert not shop.invoices
    assert admin.get("/app/history").text.count("/app/history/") == versions


def test_without_htmx_it_is_told_on_a_page_of_its_own(shop: Shop) -> None:
    admin = let_in(shop.rig, where="app")
    asked = admin.post("/app/rules/issue", data={**_form(shop), "csrf": admin.csrf})
    assert asked.status_code == 303
    assert "would have billed" in admin.get(asked.location).text


def test_what_is_wrong_in_the_form_is_said_first(shop: Shop) -> None:
    answer = let_in(shop.rig).post("/app/rules/issue", data={**_form(shop), "name": ""})
    assert answer.status_code == 422
    assert all(job.state == JobState.DONE for job in shop.rig.jobs() if job.kind == "what_if")


@pytest.mark.parametrize("asked", ["1", "0", "9" * 30])
def test_what_nobody_asked_is_not_there(shop: Shop, asked: str) -> None:
    assert let_in(shop.rig).get(f"/app/what-if/{asked}").status_code == 404
