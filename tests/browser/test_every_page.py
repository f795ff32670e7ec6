"""What every page must be: no axe violation in light and dark, no sideways scrolling at any width,
quick to show and steady (LCP, CLS, INP), usable by the keyboard.

The pages are walked once; each test asks another thing of what was seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import sign_in, silent
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.used import VITAL

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()
WIDTHS = (1400, 800, 400)
# Of a good page by web.dev's own limits: seconds, a score, milliseconds.
LARGEST_PAINT, LAYOUT_SHIFT, SLOWEST_ANSWER = 2.5, 0.1, 200

VITALS = """() => new Promise(resolve => {
  const told = { lcp: 0, cls: 0 };
  new PerformanceObserver(list => list.getEntries().forEach(e => told.lcp = e.startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver(list => list.getEntries().forEach(e => told.cls += e.value))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(told)));
})"""
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WATCH = """() => { window.slowest = 0;
  new PerformanceObserver(list => list.getEntries().forEach(
    e => window.slowest = Math.max(window.slowest, e.duration)))
    .observe({ type: "event", durationThreshold: 16 }); }"""


@dataclass
class Seen:
    """One page: its vitals (milliseconds, a score), the pixels by which it is too wide at each
    width, and what axe finds wrong and right in each colour scheme."""

    lcp: float
    cls: float
    over: dict[int, float] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)


def addresses(rig: Rig) -> Iterator[str]:
    """Of a shop's pages, with something on each of them."""
    shop = Shop(rig, mapping={"taxes": {"fixed": [{"name": "VAT", "percent": "21"}]}})
    chair = shop.product("1200.75", "Chair")
    deal = shop.deal("2401.50", products=[(chair, "2")], name="Forty chairs")
    shop.issue(deal)
    shop.issue(shop.deal(None, name="Without an amount"))
    yield "/app/"
    yield "/app/rules"
    yield "/app/rules/new"
    yield "/app/rules/issue"
    yield "/app/mapping"
    yield "/app/preview"
    yield f"/app/preview?deal={deal.id}"
    yield "/app/activity"
    yield f"/app/activity/deal:{deal.id}"
    yield f"/app/activity/deal:{deal.id}/again"
    yield "/app/history"


def look(page: Page, url: str) -> Seen:
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    answer = page.goto(url)
    assert answer is not None
    assert answer.ok, f"{url}: {answer.status}"
    seen = Seen(**page.evaluate(VITALS))
    page.evaluate(AXE)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate("axe.run()")
        seen.passed[scheme] = len(found["passes"])
        seen.wrong[scheme] = [
            f"{one['id']}: {node['html'][:120]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        seen.over[width] = page.evaluate(OVER)
    return seen


@pytest.fixture(scope="module")
def shop_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("every_page")) as rig:
        yield rig.connect()


@pytest.fixture(scope="module")
def signed_in(shop_rig: Rig, browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    sign_in(shop_rig, context)
    with silent(context.new_page()) as page:
        yield page
    context.close()


@pytest.fixture(scope="module")
def pages(shop_rig: Rig, signed_in: Page) -> dict[str, Seen]:
    seen = {path: look(signed_in, shop_rig.url + path) for path in addresses(shop_rig)}
    context = signed_in.context
    context.clear_cookies()  # who is signed in is led on from there
    seen["/app/sign-in"] = look(signed_in, f"{shop_rig.url}/app/sign-in")
    sign_in(shop_rig, context)
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(pages: dict[str, Seen], scheme: str) -> None:
    assert all(seen.passed[scheme] for seen in pages.values())  # it has looked
    wrong = {path: seen.wrong[scheme] for path, seen in pages.items() if seen.wrong[scheme]}
    assert wrong == {}


def test_no_page_scrolls_sideways_at_any_width(pages: dict[str, Seen]) -> None:
    wide = {path: seen.over for path, seen in pages.items() if max(seen.over.values()) > 0}
    assert wide == {}


def test_every_page_shows_quickly_and_stands_still(
    pages: dict[str, Seen], record_property: Any
) -> None:
    for seen in pages.values():
        record_property(f"{VITAL}LCP, s", round(seen.lcp / 1000, 2))
        record_property(f"{VITAL}CLS", round(seen.cls, 3))
    late = {
        path: seen
        for path, seen in pages.items()
        if seen.lcp > LARGEST_PAINT * 1000 or seen.cls > LAYOUT_SHIFT
    }
    assert late == {}


def test_a_click_is_answered_at_once(
    pages: dict[str, Seen], shop_rig: Rig, signed_in: Page, record_property: Any
) -> None:
    signed_in.set_viewport_size({"width": WIDTHS[0], "height": 900})
    signed_in.goto(f"{shop_rig.url}/app/")
    signed_in.evaluate(WATCH)
    menu = signed_in.get_by_role("navigation").get_by_role("link")
    for n in range(menu.count()):
        name = menu.nth(n).inner_text()
        menu.nth(n).click()
        expect(signed_in.locator("nav [aria-current=page]")).to_have_text(name)
    slowest = signed_in.evaluate("window.slowest")
    record_property(f"{VITAL}INP, ms", slowest)
    assert slowest <= SLOWEST_ANSWER


def test_the_menu_is_walked_by_keyboard_and_the_focus_follows(
    shop_rig: Rig, signed_in: Page
) -> None:
    signed_in.goto(f"{shop_rig.url}/app/")
    signed_in.keyboard.press("Tab")
    expect(signed_in.locator(":focus")).to_have_text("Skip to the content")
    signed_in.keyboard.press("Tab")
    signed_in.keyboard.press("Tab")
    expect(signed_in.locator(":focus")).to_have_text("Rules")
    signed_in.keyboard.press("Enter")
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Rules")
    expect(signed_in.locator("#main")).to_be_focused()


def test_the_last_click_counts_though_the_page_before_it_came_meanwhile(
    shop_rig: Rig, signed_in: Page
) -> None:
    signed_in.goto(f"{shop_rig.url}/app/")
    held: list[Route] = []
    signed_in.route("**/app/preview", lambda route: held.append(route))
    main = signed_in.get_by_role("main")
    with signed_in.expect_request("**/app/preview"):
        main.get_by_role("link", name="Preview", exact=True).click()
    signed_in.get_by_role("navigation").get_by_role("link", name="Rules").click()
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Rules")
    held[0].continue_()
    expect(signed_in.get_by_role("heading", level=1)).to_have_text("Preview")
    signed_in.unroute("**/app/preview")
