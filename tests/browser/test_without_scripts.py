"""Billhook's own pages where JavaScript is off: the pages whose other tests have none of it."""

import pytest
from playwright.sync_api import Page, expect

from tests.rig import Rig
from tests.stories.shop import Shop

pytestmark = pytest.mark.browser


def test_a_deal_is_previewed_tried_again_and_ignored(rig: Rig, app_page_without_js: Page) -> None:
    page, shop = app_page_without_js, Shop(rig)
    shop.deal("120.50", name="Forty chairs")
    shop.issue(shop.deal(None, name="Showroom visit"))

    page.get_by_role("navigation").get_by_role("link", name="Preview").click()
    page.get_by_role("searchbox").fill("Forty")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("article", name="The invoice")).to_contain_text("€120.50")

    page.get_by_role("navigation").get_by_role("link", name="Activity").click()
    page.get_by_role("link", name="Needs attention").click()
    page.get_by_role("link", name="Showroom visit").click()
    page.get_by_role("link", name="Try again …").click()
    page.get_by_role("button", name="Try again").click()
    rig.pump()
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("The deal has no amount.")
    page.get_by_role("button", name="Ignore").click()
    expect(page.get_by_role("status")).to_be_visible()
    page.get_by_role("link", name="Left out").click()
    expect(page.get_by_role("link", name="Showroom visit")).to_be_visible()


def test_freshbooks_is_connected_again(rig: Rig, app_page_without_js: Page) -> None:
    page = app_page_without_js
    page.get_by_role("button", name="Connect again").last.click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Continue at FreshBooks").click()
    opened.value.get_by_role("button", name="Allow").click()
    expect(opened.value.get_by_text("Go back to where you began")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Connected.")).to_be_visible()
