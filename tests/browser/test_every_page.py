"""What every page must be: no axe violation in light and dark, no sideways scrolling at any width,
quick to show and steady (LCP, CLS, INP), usable by the keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.rig import Rig
from tests.stories.shop import Shop
from tests.used import VITAL

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()
WIDTHS = (400, 800, 1400)
# Of a good page by web.dev's own limits: seconds, a score, milliseconds.
LARGEST_PAINT, LAYOUT_SHIFT, SLOWEST_ANSWER = 2.5, 0.1, 200
VIEW = {"width": 1400, "height": 900}

VITALS = """() => new Promise(resolve => {
  const told = { lcp: 0, cls: 0 };
  new PerformanceObserver(list => list.getEntries().forEach(e => told.lcp = e.startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver(list => list.getEntries().forEach(e => told.cls += e.value))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(told)));
})"""
WATCH = """() => { window.slowest = 0;
  new PerformanceObserver(list => list.getEntries().forEach(
    e => window.slowest = Math.max(window.slowest, e.duration)))
    .observe({ type: "event", durationThreshold: 16 }); }"""


class Pages:
    """The addresses of a shop's pages, with something on each of them."""

    def __init__(self, rig: Rig) -> None:
        shop = Shop(rig, mapping={"taxes": {"fixed": [{"name": "VAT", "percent": "21"}]}})
        chair = shop.product("1200.75", "Chair")
        self.deal = shop.deal("2401.50", products=[(chair, "2")], name="Forty chairs")
        shop.issue(self.deal)
        shop.issue(shop.deal(None, name="Without an amount"))

    def __iter__(self) -> Iterator[str]:
        yield "/app/"
        yield "/app/rules"
        yield "/app/rules/new"
        yield "/app/rules/issue"
        yield "/app/mapping"
        yield "/app/preview"
        yield f"/app/preview?deal={self.deal.id}"
        yield "/app/activity"
        yield f"/app/activity/deal:{self.deal.id}"
        yield "/app/history"
        yield "/app/sign-in"


@pytest.fixture
def pages(rig: Rig) -> Pages:
    return Pages(rig)


def _open(page: Page, rig: Rig, path: str) -> None:
    answer = page.goto(rig.url + path)
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(pages: Pages, rig: Rig, app_page: Page, scheme: Any) -> None:
    app_page.emulate_media(color_scheme=scheme)
    wrong = []
    for path in pages:
        _open(app_page, rig, path)
        app_page.evaluate(AXE)
        found = app_page.evaluate("axe.run()")
        assert found["passes"], path  # it has looked
        for one in found["violations"]:
            wrong += [f"{path}: {one['id']}: {node['html'][:120]}" for node in one["nodes"]]
    assert wrong == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(pages: Pages, rig: Rig, app_page: Page, width: int) -> None:
    app_page.set_viewport_size({"width": width, "height": 800})
    wide = []
    for path in pages:
        _open(app_page, rig, path)
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if app_page.evaluate(over) > 0:
            wide.append(path)
    assert wide == []


def test_every_page_shows_quickly_and_stands_still(
    pages: Pages, rig: Rig, app_page: Page, record_property: Any
) -> None:
    app_page.set_viewport_size(VIEW)  # type: ignore[arg-type]
    late = []
    for path in pages:
        _open(app_page, rig, path)
        told = app_page.evaluate(VITALS)
        record_property(f"{VITAL}LCP, s", round(told["lcp"] / 1000, 2))
        record_property(f"{VITAL}CLS", round(told["cls"], 3))
        if told["lcp"] > LARGEST_PAINT * 1000 or told["cls"] > LAYOUT_SHIFT:
            late.append((path, told))
    assert late == []


def test_a_click_is_answered_at_once(
    pages: Pages, rig: Rig, app_page: Page, record_property: Any
) -> None:
    app_page.evaluate(WATCH)
    menu = app_page.get_by_role("navigation").get_by_role("link")
    for n in range(menu.count()):
        name = menu.nth(n).inner_text()
        menu.nth(n).click()
        expect(app_page.locator("nav [aria-current=page]")).to_have_text(name)
    slowest = app_page.evaluate("window.slowest")
    record_property(f"{VITAL}INP, ms", slowest)
    assert slowest <= SLOWEST_ANSWER


def test_the_menu_is_walked_by_keyboard_and_the_focus_follows(
    pages: Pages, rig: Rig, app_page: Page
) -> None:
    app_page.keyboard.press("Tab")
    expect(app_page.locator(":focus")).to_have_text("Skip to the content")
    app_page.keyboard.press("Tab")
    app_page.keyboard.press("Tab")
    expect(app_page.locator(":focus")).to_have_text("Rules")
    app_page.keyboard.press("Enter")
    expect(app_page.get_by_role("heading", level=1)).to_have_text("Rules")
    expect(app_page.locator("#main")).to_be_focused()
