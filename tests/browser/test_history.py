"""The history of settings in a browser: back to a version by the keyboard, files out and in, inside
Kommo's frame and without JavaScript."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Frame, FrameLocator, Page, expect

from server.core import settings_file
from server.flows import change_settings
from tests.browser.conftest import FramePage
from tests.rig import Rig

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()


def document(*slugs: str, **mapping: Any) -> dict[str, Any]:
    when = [{"pipeline_id": 1, "stage_id": 2}]
    rules = [{"slug": slug, "name": f"{slug} deals", "when": when} for slug in slugs]
    return {"rules": rules, "mapping": mapping}


@pytest.fixture
def changed(rig: Rig) -> Rig:
    """Two changes by Ann: version 2 has the rule "won", version 3 has "paid"."""
    for slug in ("won", "paid"):
        change_settings.save(rig.world, rig.account_id, document(slug), "Ann Lee")
        rig.clock.advance(timedelta(minutes=1))
    return rig


def rules_now(rig: Rig) -> list[str]:
    found, _number = change_settings.newest(rig.world, rig.account_id)
    return [rule.slug for rule in found.rules]


def a_file(settings: Any) -> dict[str, Any]:
    raw = json.dumps(settings).encode()
    return {"name": "settings.json", "mimeType": "application/json", "buffer": raw}


def imported(where: Page | FrameLocator, settings: Any) -> None:
    """From the history to the question and through it."""
    where.get_by_role("link", name="Import a file").click()
    where.get_by_label("File").set_input_files([a_file(settings)])
    where.get_by_role("button", name="Compare").click()
    expect(where.get_by_role("heading", name="What the file would change")).to_be_visible()
    where.get_by_role("button", name="Import it").click()
    expect(where.get_by_role("status")).to_have_text("Saved.")


def test_the_way_back_is_walked_by_the_keyboard(changed: Rig, app_page: Page) -> None:
    app_page.goto(f"{changed.url}/app/history")
    app_page.get_by_role("link", name="Version 2").focus()
    app_page.keyboard.press("Enter")
    expect(app_page.get_by_role("heading", level=1)).to_have_text("Version 2")
    expect(app_page.locator("#main")).to_be_focused()
    button = app_page.get_by_role("button", name="Restore version 2")
    for _ in range(10):
        app_page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            break
    app_page.keyboard.press("Enter")
    expect(app_page.get_by_role("status")).to_have_text("Restored as a new version.")
    assert rules_now(changed) == ["won"]


def test_files_go_out_and_come_in_inside_kommo(changed: Rig, frame_page: FramePage) -> None:
    inside = frame_page.open("/app/history")
    with frame_page.page.expect_download() as download:
        inside.get_by_role("button", name="Download as a file").click()
    assert download.value.suggested_filename == "billhook-demo-v3.json"
    got = settings_file.read(Path(download.value.path()).read_bytes())
    assert [rule.slug for rule in got.rules] == ["paid"]
    expect(inside.get_by_role("heading", level=1)).to_have_text("History of settings")
    imported(inside, document("won", "paid"))
    assert rules_now(changed) == ["won", "paid"]


def test_all_of_it_works_without_javascript(changed: Rig, app_page_without_js: Page) -> None:
    page = app_page_without_js
    page.goto(f"{changed.url}/app/history")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as a file").click()
    assert download.value.suggested_filename == "billhook-demo-v3.json"
    imported(page, document("sent"))
    assert rules_now(changed) == ["sent"]
    page.get_by_role("link", name="Version 3").click()
    page.get_by_role("button", name="Restore version 3").click()
    expect(page.get_by_role("status")).to_have_text("Restored as a new version.")
    assert rules_now(changed) == ["paid"]


@pytest.mark.parametrize("where", ["app", "kommo"])
def test_a_broken_file_is_told_beside_its_field_and_another_can_be_chosen(
    changed: Rig, where: str, request: pytest.FixtureRequest
) -> None:
    place: Page | FrameLocator
    if where == "app":
        place = request.getfixturevalue("app_page")
        place.goto(f"{changed.url}/app/history")
    else:
        place = request.getfixturevalue("frame_page").open("/app/history")
    place.get_by_role("link", name="Import a file").click()
    file = place.get_by_label("File")
    file.set_input_files([a_file({"rules": [{}], "mapping": {}})])
    place.get_by_role("button", name="Compare").click()
    expect(place.get_by_role("alert").filter(has_text="rules.0.slug")).to_be_visible()
    expect(file).to_be_focused()
    file.set_input_files([a_file(document("won"))])
    place.get_by_role("button", name="Compare").click()
    expect(place.get_by_text("What the file would change")).to_be_visible()


def test_a_file_that_is_far_too_large_is_a_sentence(
    changed: Rig, app_page_without_js: Page
) -> None:
    page = app_page_without_js
    page.goto(f"{changed.url}/app/history/import")
    large = {"name": "l.json", "mimeType": "application/json", "buffer": b" " * 8_000_000}
    page.get_by_label("File").set_input_files([large])
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("The file is larger than 1 MB.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_behind_the_list(
    changed: Rig, app_page: Page, scheme: Any
) -> None:
    app_page.emulate_media(color_scheme=scheme)
    app_page.goto(f"{changed.url}/app/history/2")
    wrong = found(app_page)
    app_page.goto(f"{changed.url}/app/history/import")
    wrong += found(app_page)
    for settings, told in (
        ({"rules": [{}]}, "Nothing was stored."),
        (document("lost"), "This Kommo account does not have everything"),
    ):
        app_page.get_by_label("File").set_input_files([a_file(settings)])
        app_page.get_by_role("button", name="Compare").click()
        expect(app_page.get_by_text(told)).to_be_visible()
        wrong += found(app_page)
    assert wrong == []


def found(page: Page | Frame) -> list[str]:
    page.evaluate(AXE)
    result = page.evaluate("axe.run()")
    assert result["passes"]  # it has looked
    return [
        f"{one['id']} {node['html'][:120]}" for one in result["violations"] for node in one["nodes"]
    ]
