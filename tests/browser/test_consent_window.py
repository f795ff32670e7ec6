"""The window of a consent that was begun in Kommo's frame: it is the frame that gives it a ticket,
and no other page."""

import pytest
from playwright.sync_api import Page, expect

from server.flows import connect
from tests.browser.conftest import FramePage, silent
from tests.rig import Rig

pytestmark = pytest.mark.browser


def test_freshbooks_is_connected_again_from_inside_kommo(frame_page: FramePage) -> None:
    inside = frame_page.inside
    inside.get_by_role("button", name="Connect again").last.click()
    with frame_page.page.expect_popup() as opened:
        inside.get_by_role("link", name="Continue at FreshBooks").click()
    with silent(opened.value) as window:
        window.get_by_role("button", name="Allow").click()
        expect(window.get_by_text("Go back to where you began")).to_be_visible()
    window.close()
    inside.get_by_role("button", name="Connect", exact=True).click()
    expect(inside.get_by_text("Connected.")).to_be_visible()
    assert [c for c in frame_page.page.context.cookies() if "session" in c["name"]] == []


def test_a_strangers_page_cannot_give_it_a_ticket(rig: Rig, page: Page) -> None:
    ticket = connect.mint(rig.world, "freshbooks", rig.account_id, "the stranger")
    ours = f"{rig.url}/oauth/freshbooks/window"
    page.goto(ours)  # nobody opened it
    expect(page.get_by_role("status")).to_contain_text("do not answer. Close this window")
    page.goto(f"{rig.kommo.url}/settings-frame")
    with page.expect_popup() as opened:
        page.evaluate("url => { window.theirs = open(url); }", ours)
    window = opened.value
    expect(window.get_by_role("status")).to_have_text("One moment; FreshBooks opens here.")
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.evaluate("() => { window.heard = new Promise((done) => { onmessage = done; }); }")
    page.evaluate("ticket => theirs.postMessage({ type: 'billhook:ticket', ticket }, '*')", ticket)
    window.evaluate("() => window.heard.then(() => true)")
    expect(window.get_by_role("status")).to_have_text("One moment; FreshBooks opens here.")
    assert asked == []
    assert connect.look(rig.world, ticket).stage == "minted"
