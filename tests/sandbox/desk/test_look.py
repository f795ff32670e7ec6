"""What a person sees: nothing too pale, too small, cut off, or moving by itself."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.sandbox.desk.conftest import Desk, running_desk
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


@pytest.fixture(scope="module")
def busy() -> Iterator[Desk]:
    """One for all that only look at it."""
    with running_desk() as desk:
        _busy(desk)
        yield desk


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """A window that is touched."""
    context = browser.new_context(has_touch=True)
    yield context.new_page()
    context.close()


def _look(page: Page, desk: Desk, width: int, height: int = 900) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(desk.url)
    expect(page.locator(".card")).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1440])
def test_all_text_is_legible(
    busy: Desk, window: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    window.emulate_media(color_scheme=scheme)
    _look(window, busy, width)
    window.get_by_role("button", name="0000001").click()
    assert window.evaluate(CONTRAST) == []
    window.get_by_role("tab", name="Fault desk").click()
    window.get_by_text("What nobody could verify").click()
    assert window.evaluate(CONTRAST) == []
    window.get_by_role("button", name="Reading lamps", exact=True).click()
    assert window.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 400, 768, 1100, 1600])
def test_nothing_is_cut_off_sideways_and_all_targets_can_be_hit(
    busy: Desk, phone: Page, width: int
) -> None:
    _look(phone, busy, width)
    phone.get_by_role("button", name="0000001").click()
    assert phone.evaluate(SMALL) == []
    phone.get_by_role("tab", name="Fault desk").click()
    phone.get_by_text("What nobody could verify").click()
    phone.get_by_role("button", name="Reading lamps", exact=True).click()
    assert phone.evaluate(SMALL) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= width


def test_a_card_is_moved_on_a_phone(desk: Desk, phone: Page) -> None:
    _look(phone, desk, 400, 800)
    phone.get_by_role("button", name="Move Office chairs to…").tap()
    phone.get_by_role("menuitemradio", name="Issue invoice").first.tap()
    there = phone.get_by_role("region", name="Issue invoice, 1 deal")
    expect(there).to_contain_text("Hook 204")
    desk.settled()
    assert len(desk.heard) == 1


def test_the_page_stands_still_while_nothing_happens(busy: Desk, window: Page) -> None:
    """Over two of its questions nothing moves by itself."""
    _look(window, busy, 1440)
    assert window.evaluate(SHIFTS) < 0.02
