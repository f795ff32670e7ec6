"""Billhook inside Kommo's page of settings: another site, no cookie, a session handed over."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FramePage

pytestmark = pytest.mark.browser


def test_the_checklist_is_shown_in_the_frame_without_any_cookie(frame_page: FramePage) -> None:
    inside = frame_page.inside
    expect(inside.get_by_role("heading", name="Connect FreshBooks")).to_be_visible()
    assert frame_page.page.context.cookies() == []
