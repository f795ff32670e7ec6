"""Rules in a browser: made, changed, put in order and switched on, with and without JavaScript."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from server.flows import change_settings
from tests.browser.conftest import FramePage
from tests.rig import Rig

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()
WON = 142


@pytest.fixture
def bare_rig(bare_rig: Rig) -> Rig:
    """Its Kommo has two more fields."""
    bare_rig.kommo.add_field("leads", "select", "Currency", enums=["EUR", "USD"])
    bare_rig.kommo.add_field("leads", "date", "Delivery date")
    return bare_rig


def rules_of(rig: Rig) -> Any:
    return change_settings.newest(rig.world, rig.account_id)[0].rules


def save(rig: Rig, *names: str, author: str = "Bob Stone") -> None:
    pipeline = next(iter(rig.kommo.pipelines))
    when = [{"pipeline_id": pipeline, "stage_id": WON}]
    rules = [{"slug": name.lower(), "name": name, "when": when} for name in names]
    document = {"rules": rules, "mapping": {}}
    change_settings.save(rig.world, rig.account_id, document, author)


def on(rig: Rig) -> list[str]:
    return list(change_settings.on_since(rig.world, rig.account_id))


def fill_in(page: Page | FrameLocator) -> None:
    page.get_by_label("Name").fill("Big deals")
    page.get_by_label("Issue invoice").check()
    page.get_by_text("Make the invoice and e-mail it").click()


def test_in_kommo_an_admin_makes_a_rule_by_the_keyboard_and_switches_it_on(
    frame_page: FramePage,
) -> None:
    inside, keyboard = frame_page.open("/app/rules"), frame_page.page.keyboard
    inside.get_by_role("link", name="New rule").press("Enter")
    fill_in(inside)
    inside.get_by_role("button", name="Add a condition").press("Enter")
    field = inside.get_by_label("Field")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    expect(inside.get_by_label("Name")).to_have_value("Big deals")
    keyboard.type("Deal: Currency")
    keyboard.press("Tab")
    value = inside.get_by_label("Value", exact=True)
    expect(value.get_by_role("option", name="USD")).to_be_attached()
    expect(inside.get_by_label("Comparison")).to_be_focused()
    for test in ("not", "in"):
        keyboard.press("ArrowDown")
        expect(inside.locator(f"option[value={test}][selected]")).to_be_attached()
        expect(inside.get_by_label("Comparison")).to_be_focused()
    for _number in range(2):
        keyboard.press("Tab")
    keyboard.press("Space")
    expect(inside.get_by_label("USD")).to_be_checked()
    inside.get_by_role("link", name="Activity").press("Enter")
    expect(inside.get_by_role("button", name="Stay here")).to_be_focused()
    keyboard.press("Enter")  # what was typed is not lost by a click elsewhere
    expect(inside.get_by_role("dialog")).to_have_count(0)
    frame_page.page.evaluate("history.back()")
    expect(inside.get_by_role("button", name="Stay here")).to_be_focused()
    keyboard.press("Enter")  # nor by Back, and the address is again that of what is shown
    frame_page.page.frames[1].wait_for_url("**#/app/rules/new", timeout=5000)
    inside.get_by_role("button", name="Save").last.press("Enter")
    expect(inside.get_by_text("Deal: Currency is one of “USD”")).to_be_visible()
    switch = inside.get_by_role("switch", name="Big deals")
    expect(switch).not_to_be_checked()
    switch.press("Space")
    expect(inside.get_by_role("status")).to_contain_text("The rule is on.")
    expect(inside.get_by_role("switch", name="Big deals")).to_be_checked()
    expect(inside.get_by_role("switch", name="Big deals")).to_be_focused()
    assert on(frame_page.rig) == ["big-deals"]


def test_in_kommo_what_a_typed_rule_would_have_billed_stands_below_it(
    frame_page: FramePage,
) -> None:
    frame_page.page.clock.install()
    save(frame_page.rig, "Won")
    inside = frame_page.open("/app/rules/won")
    inside.get_by_label("Name").fill("Mine")
    inside.get_by_role("button", name="What would it have billed?").click()
    expect(inside.get_by_role("status")).to_have_text("It begins in a moment.")
    frame_page.rig.pump()
    frame_page.page.clock.fast_forward(2_000)  # it asks again by itself
    expect(inside.get_by_text("No deal entered these stages and met")).to_be_visible()
    expect(inside.get_by_text("It begins in a moment.")).to_have_count(0)
    expect(inside.get_by_label("Name")).to_have_value("Mine")
    assert [rule.name for rule in rules_of(frame_page.rig)] == ["Won"]


def test_without_javascript_the_same_is_done_by_buttons(
    rig: Rig, app_page_without_js: Page
) -> None:
    page = app_page_without_js
    page.goto(f"{rig.url}/app/rules/new")
    fill_in(page)
    for _number in range(2):
        page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Field").first.fill("Deal: Currency")
    page.get_by_role("button", name="Show the field's choices").first.click()
    page.get_by_label("Value", exact=True).first.select_option("EUR")
    page.get_by_role("button", name="Remove condition 2").click()
    expect(page.get_by_label("Field")).to_have_count(1)
    page.get_by_label("Name").press("Enter")  # saves, and removes nothing
    expect(page.get_by_text("Deal: Currency is “EUR”")).to_be_visible()
    page.get_by_role("switch", name="Big deals").click()
    expect(page.get_by_role("switch", name="Big deals")).to_be_checked()
    page.get_by_role("link", name="Remove “Big deals”").click()
    page.get_by_role("button", name="Remove the rule").click()
    expect(page.get_by_text("There is no rule yet.")).to_be_visible()
    assert (rules_of(rig), on(rig)) == ((), [])


def test_an_error_comes_on_leaving_a_control_and_moves_nothing(rig: Rig, app_page: Page) -> None:
    app_page.goto(f"{rig.url}/app/rules/new")
    name, stages = app_page.get_by_label("Name"), app_page.get_by_role("heading", level=2).first
    before = stages.bounding_box()
    name.focus()
    name.press("Tab")
    expect(app_page.get_by_text("Give the rule a name.")).to_be_visible()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(app_page.locator(":focus")).to_have_text("Read again from Kommo")
    assert stages.bounding_box() == before
    name.fill("Won")
    name.press("Tab")
    expect(app_page.get_by_text("Give the rule a name.")).to_have_count(0)
    expect(name).not_to_have_attribute("aria-invalid", "true")


def test_what_has_the_focus_is_in_sight_and_not_behind_the_bar(rig: Rig, app_page: Page) -> None:
    app_page.set_viewport_size({"width": 800, "height": 500})
    app_page.goto(f"{rig.url}/app/rules/new")
    for _number in range(3):
        app_page.get_by_role("button", name="Add a condition").click()
        expect(app_page.get_by_label("Field").last).to_be_focused()
        _in_sight(app_page)
    for _number in range(12):
        app_page.keyboard.press("Shift+Tab")
        _in_sight(app_page)
    for _number in range(12):
        app_page.keyboard.press("Tab")
        _in_sight(app_page)


def _in_sight(page: Page) -> None:
    """The point in the middle of what has the focus is its own, not that of something above it."""
    seen = """() => { const one = document.activeElement, box = one.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return top === one || one.contains(top) || one.closest("label")?.contains(top)
        || one.outerHTML; }"""
    assert page.evaluate(seen) is True


def test_an_unknown_field_is_said_with_a_near_one_and_unsaved_work_is_asked_about(
    rig: Rig, app_page: Page
) -> None:
    app_page.goto(f"{rig.url}/app/rules/new")
    app_page.get_by_role("link", name="Cancel").click()  # nothing was typed: nothing is asked
    app_page.get_by_role("link", name="New rule").press("Enter")
    app_page.get_by_role("button", name="Add a condition").press("Enter")
    expect(app_page.get_by_label("Field")).to_be_focused()
    app_page.keyboard.type("Curency")
    app_page.keyboard.press("Tab")
    expect(app_page.get_by_text("Did you mean “Deal: Currency”?")).to_be_visible()
    expect(app_page.get_by_label("Field")).to_have_attribute("aria-invalid", "true")
    app_page.get_by_label("Value", exact=True).fill("soon")
    app_page.get_by_label("Field").fill("Deal: Delivery date")
    app_page.keyboard.press("Tab")
    value = app_page.get_by_label("Value", exact=True)
    expect(value).to_have_attribute("type", "date")
    expect(value).to_have_value("")  # a word fits no date
    expect(app_page.get_by_text("Did you mean")).to_have_count(0)
    app_page.get_by_label("Comparison").select_option("is before")
    with app_page.expect_event("dialog") as asked:
        app_page.evaluate("() => { setTimeout(() => location.reload()); }")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    app_page.get_by_role("link", name="Cancel").press("Enter")
    app_page.get_by_role("button", name="Leave without saving").press("Enter")
    expect(app_page.get_by_text("There is no rule yet.")).to_be_visible()


def test_what_is_wrong_is_focused_after_saving(rig: Rig, app_page: Page) -> None:
    app_page.goto(f"{rig.url}/app/rules/new")
    app_page.get_by_label("Name").fill("Won")
    app_page.get_by_role("button", name="Save").last.click()
    expect(app_page.get_by_role("alert").first).to_contain_text("Nothing was saved yet")
    expect(app_page.get_by_label("Talks")).to_be_focused()
    expect(app_page.get_by_text("Choose at least one stage.")).to_be_visible()
    expect(app_page.get_by_label("Name")).to_have_value("Won")


def put_in_order(rig: Rig, page: Page | FrameLocator) -> None:
    """By the keyboard, where the focus stays; then by dragging."""
    _document, version = change_settings.newest(rig.world, rig.account_id)
    names, rows = page.get_by_role("heading", level=2), page.locator(".rule")
    page.get_by_role("button", name="Move “Late” up").press("Enter")
    expect(names).to_have_text(["Won", "Late", "Paid"])
    up, down = (page.get_by_role("button", name=f"Move “Late” {way}") for way in ("up", "down"))
    expect(up).to_be_focused()
    up.press("Enter")
    expect(names).to_have_text(["Late", "Won", "Paid"])
    expect(down).to_be_focused()
    rows.nth(2).drag_to(rows.nth(0), target_position={"x": 300, "y": 4})
    expect(names).to_have_text(["Paid", "Late", "Won"])
    expect(page.locator("#order [name=version]")).to_have_value(str(version + 3))
    assert [rule.slug for rule in rules_of(rig)] == ["paid", "late", "won"]


def test_rules_are_ordered_by_keyboard_and_by_dragging(rig: Rig, app_page: Page) -> None:
    save(rig, "Won", "Paid", "Late")
    app_page.goto(f"{rig.url}/app/rules")
    put_in_order(rig, app_page)


def test_in_kommo_they_are_ordered_likewise(frame_page: FramePage) -> None:
    save(frame_page.rig, "Won", "Paid", "Late")
    put_in_order(frame_page.rig, frame_page.open("/app/rules"))


def test_two_admins_at_once_the_second_is_told_and_loses_nothing(
    frame_page: FramePage,
) -> None:
    rig = frame_page.rig
    save(rig, "Won")
    inside = frame_page.open("/app/rules/won")
    inside.get_by_label("Name").fill("Mine")
    save(rig, "Won", "Second")
    inside.get_by_role("button", name="Save").last.click()
    expect(inside.get_by_role("alert").first).to_contain_text("Bob Stone")
    expect(inside.get_by_text("The rule “Second” was added.")).to_be_visible()
    expect(inside.get_by_label("Name")).to_have_value("Mine")
    inside.get_by_role("button", name="Save").last.click()
    expect(inside.get_by_role("heading", level=2)).to_have_text(["Mine", "Second"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_a_form_with_errors(rig: Rig, app_page: Page, scheme: Any) -> None:
    save(rig, "Won", "Paid")
    app_page.emulate_media(color_scheme=scheme)
    app_page.goto(f"{rig.url}/app/rules/won")
    for number, (name, value) in enumerate((("Currency", "is one of"), ("Nonsense", "is")), 1):
        app_page.get_by_role("button", name="Add a condition").click()
        expect(app_page.get_by_label("Field")).to_have_count(number)
        app_page.get_by_label("Field").last.fill(name)
        app_page.get_by_label("Comparison").last.select_option(value)
        expect(app_page.get_by_role("group", name="Values")).to_be_visible()
    app_page.get_by_label("Closed - won").uncheck()
    app_page.get_by_role("button", name="Save").last.click()
    expect(app_page.get_by_text("Choose a value.")).to_be_visible()
    assert violations(app_page) == []
    app_page.goto(f"{rig.url}/app/rules/won/remove")
    assert violations(app_page) == []


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    assert found["passes"]  # it has looked
    return [f"{one['id']}: {n['html'][:150]}" for one in found["violations"] for n in one["nodes"]]
