"""What a person sees: nothing too pale, too small, cut off, or moving by itself."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.desk.conftest import Desk
from tests.sandbox.desk.small_seed import write_invoice

pytestmark = pytest.mark.browser

# WCAG 2.2: contrast (minimum) of text, AA.
CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim()) continue;
    if (!node.checkVisibility({ visibilityProperty: true })) continue;
    if (node.closest("script, .said, .sr")) continue;
    const [one, other] = [light(parts(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) pale.push(`${walker.currentNode.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return pale;
}"""

# WCAG 2.2: target size (minimum), AA: 24 by 24 CSS pixels.
SMALL = """() => [...document.querySelectorAll("button, a, input, select, summary")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".skip"))
  .map((one) => [one.textContent || one.name, one.closest("label") || one])
  .map(([name, one]) => [name, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""

SHIFTS = """() => new Promise((tell) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((one) => { sum += one.value; }))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => tell(sum), 2500);
})"""


def _busy(desk: Desk) -> None:
    """All that can stand on the page at once: an invoice, a task, a fault, hooks, a mail."""
    deal = desk.deal("Office chairs")
    desk.do(f"deals/{deal.id}/move", **desk.place("Offer"))
    link = "http://127.0.0.1:1/#/link/x"
    write_invoice(
        desk.account, deal.id, number="0000001", status="Viewed", amount="1457.08", link=link
    )
    row = {"text": "No e-mail. [BH2]", "complete_till": desk.account.now() + 60}
    row |= {"entity_id": desk.deal("Reading lamps").id, "entity_type": "leads"}
    desk.account.make_task(row, desk.account.owner())
    business = desk.sandbox.freshbooks.businesses[0]
    client = business.add_client(organization="Hill & Partners", email="kim@hill.example")
    business.email_invoice(business.add_invoice(client["id"], [{"name": "Chair"}])["id"])
    desk.do("faults", put="lose_reply")
    desk.settled()


def _pages(desk: Desk, browser: Browser, **context: Any) -> Page:
    page = browser.new_context(**context).new_page()
    page.goto(desk.url)
    expect(page.locator(".card")).to_have_count(3)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1440])
def test_all_text_is_legible(desk: Desk, browser: Browser, scheme: str, width: int) -> None:
    _busy(desk)
    size = {"width": width, "height": 900}
    page = _pages(desk, browser, viewport=size, color_scheme=scheme)
    page.get_by_role("button", name="0000001").click()
    assert page.evaluate(CONTRAST) == []
    page.get_by_role("tab", name="Fault desk").click()
    page.get_by_text("What nobody could verify").click()
    assert page.evaluate(CONTRAST) == []
    page.get_by_role("button", name="Reading lamps", exact=True).click()
    assert page.evaluate(CONTRAST) == []
    page.context.close()


@pytest.mark.parametrize("width", [320, 400, 768, 1100, 1600])
def test_nothing_is_cut_off_sideways_and_all_targets_can_be_hit(
    desk: Desk, browser: Browser, width: int
) -> None:
    _busy(desk)
    page = _pages(desk, browser, viewport={"width": width, "height": 900}, has_touch=True)
    page.get_by_role("button", name="0000001").click()
    assert page.evaluate(SMALL) == []
    page.get_by_role("tab", name="Fault desk").click()
    page.get_by_text("What nobody could verify").click()
    page.get_by_role("button", name="Reading lamps", exact=True).click()
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_a_card_is_moved_on_a_phone(desk: Desk, browser: Browser) -> None:
    page = _pages(desk, browser, viewport={"width": 400, "height": 800}, has_touch=True)
    page.get_by_role("button", name="Move Office chairs to…").tap()
    page.get_by_role("menuitemradio", name="Issue invoice").first.tap()
    there = page.get_by_role("region", name="Issue invoice, 1 deal")
    expect(there).to_contain_text("Hook 204")
    desk.settled()
    assert len(desk.heard) == 1
    page.context.close()


def test_the_page_stands_still_while_nothing_happens(desk: Desk, browser: Browser) -> None:
    """Over two of its questions nothing moves by itself."""
    _busy(desk)
    page = _pages(desk, browser, viewport={"width": 1440, "height": 900})
    assert page.evaluate(SHIFTS) < 0.02
    page.context.close()
