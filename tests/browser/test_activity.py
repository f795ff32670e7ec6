"""The activity page's live parts in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE, Shop

pytestmark = pytest.mark.browser


def test_while_it_cannot_be_refreshed_the_page_stays_says_so_and_goes_on_asking(
    app_page: Page, rig: Rig
) -> None:
    shop = Shop(rig)
    rig.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal = shop.deal()
    shop.issue(deal)
    app_page.goto(f"{rig.url}/app/activity/deal:{deal.id}")
    note = app_page.locator(".stale")
    expect(note).to_be_hidden()
    app_page.route("**/*live=1*", lambda route: route.fulfill(status=503, body="<p>Down.</p>"))
    expect(note).to_have_text(re.compile("^Not refreshed since .*2:00"))
    expect(note).to_be_visible()
    expect(app_page.locator("#notice")).to_be_empty()
    expect(app_page.get_by_text("Next try:")).to_be_visible()
    app_page.unroute("**/*live=1*")
    rig.later(seconds=121)
    expect(app_page.get_by_text("In order")).to_be_visible()
    expect(note).to_have_count(0)
