"""Billhook on its own: in by FreshBooks' consent, out again, with scripts and without."""

import pytest
from playwright.sync_api import Browser, Page, expect

from server.web import sessions
from tests.browser.conftest import silent
from tests.rig import Rig

pytestmark = pytest.mark.browser


def sign_in(rig: Rig, page: Page) -> None:
    page.goto(f"{rig.url}/app/")
    expect(page).to_have_url(f"{rig.url}/app/sign-in")
    page.get_by_role("link", name="Sign in with FreshBooks").click()
    page.get_by_role("button", name="Allow").click()
    expect(page).to_have_url(f"{rig.url}/app/")
    expect(page.get_by_role("heading", level=1, name="Set-up")).to_be_visible()


def connect_freshbooks_again(rig: Rig, page: Page) -> None:
    """All of it by links and forms; the vendor's page in a window of its own."""
    page.get_by_role("button", name="Connect again").last.click()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Continue at FreshBooks").click()
    window = opened.value
    window.get_by_role("button", name="Allow").click()
    expect(window.get_by_text("Go back to where you began")).to_be_visible()
    window.close()


def test_one_signs_in_changes_something_and_signs_out(rig: Rig, page: Page) -> None:
    with silent(page):
        sign_in(rig, page)
        connect_freshbooks_again(rig, page)
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.get_by_text("Connected.")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page).to_have_url(f"{rig.url}/app/sign-in")
        page.goto(f"{rig.url}/app/")
        expect(page).to_have_url(f"{rig.url}/app/sign-in")
        assert [c for c in page.context.cookies(rig.url) if "billhook" in c["name"]] == []


def test_all_of_it_works_without_scripts(rig: Rig, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(rig, page)
    connect_freshbooks_again(rig, page)
    page.reload()
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(page.get_by_text("Connected.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{rig.url}/app/sign-in")
    page.goto(f"{rig.url}/app/")
    expect(page).to_have_url(f"{rig.url}/app/sign-in")
    context.close()


def test_the_account_is_chosen_by_keyboard(rig: Rig, page: Page) -> None:
    rig.sandbox.kommo.add_account("second", name="Second")
    other = rig.sandbox.freshbooks.add_business(rig.ona, "Ona's Bakery")
    row = rig.connect_kommo(account="second")
    rig.connect_freshbooks(row.account_id, other.business_id)
    with silent(page):
        page.goto(f"{rig.url}/app/sign-in")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Sign in with FreshBooks")).to_be_focused()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Allow").press("Enter")
        expect(page.get_by_role("heading", level=1, name="Which account?")).to_be_visible()
        expect(page.get_by_role("radio")).to_have_count(2)
        page.get_by_role("radio", name="Ona's Studio").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{rig.url}/app/")
        expect(page.get_by_role("main")).to_contain_text("Ona's Studio")


def test_who_keeps_no_connected_business_is_told_so(rig: Rig, page: Page) -> None:
    stranger = rig.sandbox.freshbooks.add_identity("sam@example.test", "Sam Stranger")
    rig.sandbox.freshbooks.add_business(stranger, "Sam's Shop")
    page.goto(f"{rig.url}/app/sign-in/start")
    page.get_by_label("Signed in as").select_option(str(stranger.id))
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("alert")).to_contain_text("Sam Stranger keeps no business")
    expect(page.get_by_role("link", name="Sign in as somebody else")).to_be_visible()


def test_an_ended_session_is_said_beside_what_stands_there(rig: Rig, app_page: Page) -> None:
    rig.clock.advance(sessions.LONGEST)
    app_page.get_by_role("button", name="Connect again").first.click()
    expect(app_page.get_by_role("alert")).to_contain_text("sign in again")
    expect(app_page.get_by_role("heading", level=1, name="Set-up")).to_be_visible()
