"""An admin's first hour, from the checklist to an invoice and to mending what went wrong: the same
walk inside Kommo and on Billhook's own page, by what is to be seen there alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from server.flows import change_settings
from tests.rig import Rig
from tests.stories.shop import Shop

pytestmark = pytest.mark.browser


@dataclass
class Walk:
    """``inside`` is what the admin looks at: the frame's content, or the page itself."""

    shop: Shop
    inside: FrameLocator | Page

    @property
    def rig(self) -> Rig:
        return self.shop.rig

    def turn_to(self, name: str) -> None:
        self.inside.get_by_role("navigation").get_by_role("link", name=name).first.click()
        expect(self.inside.get_by_role("heading", level=1)).to_contain_text(name)

    def press(self, name: str) -> None:
        self.inside.get_by_role("button", name=name, exact=True).last.click()

    def says(self, text: str) -> None:
        expect(self.inside.get_by_role("status").first).to_contain_text(text)


@pytest.fixture
def shop(rig: Rig) -> Shop:
    """Before its first rule."""
    shop = Shop(rig, on=False)
    rig.settings({"rules": [], "mapping": {}})
    return shop


@pytest.fixture(params=["inside Kommo", "on its own"])
def walk(request: pytest.FixtureRequest, shop: Shop) -> Iterator[Walk]:
    if request.param == "inside Kommo":
        yield Walk(shop, request.getfixturevalue("frame_page").inside)
    else:
        yield Walk(shop, request.getfixturevalue("app_page"))


def test_from_the_checklist_to_an_invoice_and_back(walk: Walk) -> None:
    shop = walk.shop
    chairs = shop.deal("120.50", name="Forty chairs")
    makes_a_rule(walk)
    maps_the_fields(walk)
    tries_it(walk, chairs)
    asks_what_it_would_have_billed(walk)
    switches_it_on(walk)
    shop.issue(chairs)
    sees_what_was_made(walk)
    mends_what_is_missing(walk, shop.deal(None, name="Showroom visit"))
    goes_back_in_history(walk)


def makes_a_rule(walk: Walk) -> None:
    inside = walk.inside
    inside.get_by_role("main").get_by_role("link", name="Rules", exact=True).click()
    inside.get_by_role("link", name="New rule").click()
    inside.get_by_label("Name").fill("Bill the sale")
    inside.get_by_label("Issue invoice").check()
    inside.get_by_text("Make the invoice and mark it as sent").click()
    walk.press("Save")
    expect(inside.get_by_role("heading", name="Bill the sale")).to_be_visible()


def maps_the_fields(walk: Walk) -> None:
    inside = walk.inside
    walk.turn_to("Set-up")
    inside.get_by_role("main").get_by_role("link", name="Mapping", exact=True).click()
    inside.get_by_label("Notes: from").select_option("Text")
    inside.get_by_label("Notes: text").fill("Thank you for {Deal: Name}")
    walk.press("Save")
    expect(inside.get_by_text("Saved.", exact=True)).to_be_visible()


def tries_it(walk: Walk, deal: Any) -> None:
    inside = walk.inside
    walk.turn_to("Preview")
    search = inside.get_by_role("searchbox")
    search.fill(f"https://{walk.rig.kommo.host}/leads/detail/{deal.id}")
    search.press("Enter")
    invoice = inside.get_by_role("article", name="The invoice")
    expect(invoice).to_contain_text("€120.50")
    expect(invoice).to_contain_text("Thank you for Forty chairs")
    expect(inside.get_by_role("region", name="What the rules decide")).to_contain_text(
        "Bill the sale"
    )
    expect(inside.get_by_role("region", name="Client in FreshBooks")).to_contain_text("created")
    assert walk.rig.books.invoices == {}


def asks_what_it_would_have_billed(walk: Walk) -> None:
    inside, shop = walk.inside, walk.shop
    shop.move(shop.deal("75.00", name="Last week's desk"))
    shop.rig.later(hours=1)
    walk.turn_to("Rules")
    inside.get_by_role("link", name="Bill the sale", exact=True).click()
    walk.press("What would it have billed?")
    expect(
        inside.get_by_text("Last week's desk").or_(inside.get_by_role("progressbar"))
    ).to_be_visible()
    shop.rig.pump()
    expect(inside.get_by_role("link", name="Last week's desk")).to_be_visible()
    assert shop.invoices == []


def switches_it_on(walk: Walk) -> None:
    walk.turn_to("Rules")
    walk.inside.get_by_role("switch", name="Bill the sale").click()
    walk.says("The rule is on.")
    walk.turn_to("Set-up")
    expect(walk.inside.get_by_text("Everything is set up")).to_be_visible()


def sees_what_was_made(walk: Walk) -> None:
    inside = walk.inside
    walk.turn_to("Activity")
    entry = inside.get_by_role("listitem").filter(has_text="Forty chairs")
    expect(entry).to_contain_text("In order")
    expect(entry).to_contain_text("€120.50")
    entry.get_by_role("link").first.click()
    expect(inside.get_by_role("heading", level=1)).to_contain_text("Forty chairs")
    expect(inside.get_by_text("Bill the sale").first).to_be_visible()


def mends_what_is_missing(walk: Walk, deal: Any) -> None:
    inside, shop = walk.inside, walk.shop
    shop.issue(deal)
    walk.turn_to("Activity")
    inside.get_by_role("link", name="Needs attention").first.click()
    entry = inside.get_by_role("listitem").filter(has_text="Showroom visit")
    expect(entry).to_contain_text("no amount")
    entry.get_by_role("link").first.click()
    shop.kommo.update_deal(deal.id, price=90)
    inside.get_by_role("link", name="Try again …").click()
    walk.press("Try again")
    shop.rig.pump()
    expect(inside.get_by_text("In order")).to_be_visible()
    assert shop.shown(deal) == "Sent"


def goes_back_in_history(walk: Walk) -> None:
    inside = walk.inside
    walk.turn_to("History")
    expect(inside.get_by_text("Rule “Bill the sale” was switched on")).to_be_visible()
    inside.get_by_role("link", name="Version 4").click()  # with the rule, before the notes
    walk.press("Restore version 4")
    walk.says("Restored as a new version.")
    now, _version = change_settings.newest(walk.rig.world, walk.rig.account_id)
    assert [rule.name for rule in now.rules] == ["Bill the sale"]
    assert now.mapping.notes is None
