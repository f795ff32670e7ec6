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


def test_what_a_person_did_in_vain_is_said_until_something_they_do_works(
    app_page: Page, rig: Rig
) -> None:
    shop = Shop(rig)
    shop.issue(shop.deal(contact=shop.contact(None)))
    app_page.clock.install()
    app_page.goto(f"{rig.url}/app/activity?group=needs_attention")
    app_page.route("**/all-again", lambda route: route.fulfill(status=503, body="<p>Not now.</p>"))
    app_page.get_by_role("button", name="Try all of these again").click()
    notice = app_page.locator("#notice")
    expect(notice).to_have_text("Not now.")
    app_page.get_by_label("Deal, client or invoice").focus()  # a part under one's hands is not read
    for _poll in range(2):  # by the second the first one's answer has done what it does
        with app_page.expect_response("**/*live=1*"):
            app_page.clock.fast_forward(10_000)
    expect(notice).to_have_text("Not now.")
    app_page.unroute("**/all-again")
    app_page.get_by_role("button", name="Try all of these again").click()
    expect(app_page.get_by_role("status").first).to_be_visible()
    expect(notice).to_be_empty()


def test_a_part_that_nobody_sees_gathers_nothing_while_it_waits(app_page: Page, rig: Rig) -> None:
    app_page.clock.install()
    app_page.goto(f"{rig.url}/app/activity")
    app_page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    app_page.clock.run_for(60_000)
    devtools = app_page.context.new_cdp_session(app_page)
    found = devtools.send(
        "Runtime.evaluate", {"expression": "document.querySelector('[hx-trigger]')"}
    )
    asked = {"objectId": found["result"]["objectId"]}
    listeners = devtools.send("DOMDebugger.getEventListeners", asked)["listeners"]
    assert len([one for one in listeners if one["type"] == "htmx:beforeOnLoad"]) == 1
