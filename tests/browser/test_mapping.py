"""The mapping as an admin uses it: in the frame, on its own page, by keyboard, without script."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from server.flows import change_settings
from server.flows.change_settings import newest
from tests.browser.conftest import FramePage
from tests.rig import Rig
from tests.stories.shop import Shop

pytestmark = pytest.mark.browser

MAPPING = {
    "notes": {"text": "Order {deal.name}\nThank you!"},
    "taxes": {"fixed": [{"name": "VAT", "percent": "21"}], "table": {"None": []}},
}


def mapping_of(rig: Rig) -> Any:
    return newest(rig.world, rig.account_id)[0].to_json()["mapping"]


def mapped(rig: Rig) -> None:
    rig.kommo.add_field("leads", "text", "Order number")
    rig.settings({"rules": [], "mapping": MAPPING})


def test_a_field_is_found_checked_and_saved(rig: Rig, app_page: Page) -> None:
    mapped(rig)
    app_page.goto(f"{rig.url}/app/mapping")
    app_page.get_by_label("PO number: from").select_option("Field")
    field = app_page.get_by_label("PO number: field", exact=True)
    field.fill("Deal: Ordr number")
    field.press("Tab")
    expect(app_page.get_by_text("Did you mean “Deal: Order number”?")).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(
        "There is no field “Deal: Ordr number”. Did you mean “Deal: Order number”?"
    )
    assert app_page.evaluate("document.activeElement.tagName") == "SUMMARY"  # focus went on
    field.fill("Deal: Order number")
    field.press("Tab")
    expect(app_page.get_by_text("Did you mean")).to_be_hidden()
    expect(field).not_to_have_attribute("aria-invalid", "true")
    app_page.get_by_role("button", name="Save", exact=True).click()
    expect(app_page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert mapping_of(rig)["po_number"]["field"].startswith("deal.cf.")
    assert mapping_of(rig)["notes"] == MAPPING["notes"]


def test_a_field_is_put_into_a_text(rig: Rig, app_page: Page) -> None:
    mapped(rig)
    app_page.goto(f"{rig.url}/app/mapping")
    text = app_page.get_by_label("Notes: text")
    text.fill("For ")
    app_page.get_by_label("Notes: field to put into the text").fill("Contact: Name")
    app_page.get_by_role("button", name="Insert").locator("visible=true").first.click()
    expect(text).to_have_value("For {Contact: Name}")
    expect(text).to_be_focused()
    text.press("Tab")
    app_page.get_by_role("link", name="Client", exact=True).press("Enter")
    app_page.keyboard.press("Tab")
    expect(app_page.get_by_label("Is the same client when it has the same")).to_be_focused()
    app_page.get_by_role("button", name="Save", exact=True).click()
    expect(app_page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert mapping_of(rig)["notes"] == {"text": "For {contact.name}"}


def test_a_row_is_added_where_one_types_on(rig: Rig, app_page: Page) -> None:
    mapped(rig)
    app_page.goto(f"{rig.url}/app/mapping")
    terms = app_page.get_by_label("Terms: from")
    terms.select_option("Text")
    app_page.get_by_label("Terms: text").fill("kept")
    app_page.get_by_role("button", name="Another value").press("Enter")
    expect(app_page.locator("#taxes-table-2-value")).to_be_focused()
    app_page.keyboard.type("Reduced")
    app_page.keyboard.press("Tab")
    app_page.keyboard.type("VAT")
    app_page.keyboard.press("Tab")
    app_page.keyboard.type("9,5")
    expect(app_page.get_by_label("Terms: text").first).to_have_value("kept")
    app_page.keyboard.press("Enter")  # saves; it does not press the first other button
    expect(app_page.get_by_text("Saved.", exact=True)).to_be_visible()
    table = {"None": [], "Reduced": [{"name": "VAT", "percent": "9.5"}]}
    assert mapping_of(rig)["taxes"]["table"] == table
    assert mapping_of(rig)["terms"] == {"text": "kept"}


def test_the_choices_of_a_field_become_rows_and_one_goes_on_in_the_first(
    rig: Rig, app_page: Page
) -> None:
    mapped(rig)
    products = rig.kommo.add_catalog("Products")
    rig.kommo.add_field("catalogs", "select", "Kind", enums=["A", "B"], catalog_id=products.id)
    app_page.goto(f"{rig.url}/app/mapping")
    button = app_page.get_by_role("button", name="A row for each choice of the field")
    button.press("Enter")
    field = app_page.locator("#taxes-field")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("Choose the field first.")
    field.fill("Product: Kind")
    field.press("Tab")
    expect(app_page.get_by_text("Choose the field first.")).to_be_hidden()
    button.press("Enter")
    first = app_page.locator("#taxes-table-1-value")
    expect(first).to_be_focused()
    expect(first).to_have_value("A")
    expect(first).to_have_accessible_description(re.compile("2 rows were added"))
    expect(first).to_be_in_viewport()
    button.press("Enter")
    expect(app_page.get_by_text("Each choice of the field has its row.")).to_be_visible()
    expect(button).to_be_focused()


def test_a_refused_form_leads_to_what_is_wrong(rig: Rig, app_page: Page) -> None:
    mapped(rig)
    app_page.goto(f"{rig.url}/app/mapping")
    app_page.get_by_label("Percent").first.fill("a lot")
    app_page.get_by_label("Notes: text").fill("{oops")
    app_page.get_by_role("button", name="Save", exact=True).click()
    expect(app_page.get_by_role("heading", name="2 things are not right yet")).to_be_visible()
    expect(app_page.get_by_label("Notes: text")).to_be_focused()
    expect(app_page.get_by_label("Notes: text")).to_have_value("{oops")
    expect(app_page.get_by_label("Percent").first).to_have_value("a lot")
    expect(app_page).to_have_url(f"{rig.url}/app/mapping")


def test_two_admins_at_once(rig: Rig, app_page: Page) -> None:
    mapped(rig)
    app_page.goto(f"{rig.url}/app/mapping")
    document = newest(rig.world, rig.account_id)[0].to_json()
    document["mapping"]["notes"] = {"text": "Bob's"}
    document["mapping"]["terms"] = {"text": "Bob's terms"}
    change_settings.save(rig.world, rig.account_id, document, "Bob")
    app_page.get_by_label("Notes: text").fill("mine")
    app_page.get_by_role("button", name="Save", exact=True).click()
    expect(app_page.get_by_text("Bob, ")).to_be_visible()
    expect(app_page.get_by_text("Saved meanwhile: Bob's")).to_be_visible()
    expect(app_page.get_by_label("Notes: text")).to_have_value("mine")
    expect(app_page.get_by_label("Terms: text").first).to_have_value("Bob's terms")
    app_page.get_by_role("button", name="Save", exact=True).click()
    expect(app_page.get_by_text("Saved.", exact=True)).to_be_visible()
    assert mapping_of(rig)["notes"] == {"text": "mine"}
    assert mapping_of(rig)["terms"] == {"text": "Bob's terms"}


def test_the_fields_are_made_while_one_looks_on(rig: Rig, app_page: Page) -> None:
    codes = {"link": "MY_LINK", "number": None, "amount": None, "status": None}
    app_page.goto(f"{rig.url}/app/mapping")
    rig.settings({"rules": [], "mapping": {"write_back": codes}})
    app_page.goto(f"{rig.url}/app/mapping")
    expect(app_page.get_by_text("not in Kommo yet")).to_be_visible()
    app_page.get_by_role("button", name="Create them in Kommo").click()
    expect(app_page.get_by_text("Being created")).to_be_visible()
    rig.pump()
    expect(app_page.get_by_text("Done: what is saved here is in Kommo.")).to_be_visible()
    expect(app_page.get_by_text("not in Kommo yet")).to_be_hidden()
    expect(app_page.get_by_role("button", name="Save", exact=True)).to_be_visible()


def test_a_deals_invoice_follows_what_is_typed(rig: Rig, app_page: Page) -> None:
    shop = Shop(rig, mapping=MAPPING)
    shop.deal("90.00", name="Two desks")
    shop.deal("120.50", name="Forty chairs")
    app_page.goto(f"{rig.url}/app/mapping")
    app_page.get_by_role("button", name="Find").click()
    app_page.get_by_role("radio", name="Forty chairs").check()
    preview = app_page.get_by_role("region", name="Preview", exact=True)
    expect(preview.get_by_role("article", name="The invoice")).to_contain_text("€145.81")
    app_page.get_by_label("Percent").first.fill("10")
    app_page.get_by_label("Percent").first.press("Tab")
    expect(preview.get_by_role("article", name="The invoice")).to_contain_text("€132.55")
    app_page.get_by_role("button", name="Another rate").click()  # the page comes anew
    expect(app_page.locator("#taxes-fixed-2-name")).to_be_focused()
    expect(preview.get_by_role("article", name="The invoice")).to_contain_text("€132.55")
    expect(app_page.get_by_role("radio", name="Forty chairs")).to_be_checked()
    app_page.get_by_label("Percent").first.fill("x")
    app_page.get_by_label("Percent").first.press("Tab")
    expect(preview.get_by_text("Must be a number")).to_be_visible()
    expect(preview.get_by_role("article", name="The invoice")).to_contain_text("€132.55")
    preview.get_by_role("link", name="Rates").click()
    expect(app_page.locator("#taxes-fixed-0-percent")).to_be_focused()
    assert app_page.url == f"{rig.url}/app/mapping"
    app_page.get_by_label("Percent").first.fill("9")
    app_page.keyboard.press("Tab")
    expect(preview.get_by_text("Must be a number")).to_be_hidden()
    expect(preview.get_by_role("article", name="The invoice")).to_contain_text("€131.35")
    assert mapping_of(rig)["taxes"]["fixed"] == [{"name": "VAT", "percent": "21"}]
    assert shop.invoices == []


def test_an_answer_whose_asker_has_gone_with_its_page_is_dropped(rig: Rig, app_page: Page) -> None:
    shop = Shop(rig, mapping=MAPPING)
    shop.deal("100.00", name="Forty chairs")
    app_page.goto(f"{rig.url}/app/mapping")
    app_page.get_by_role("button", name="Find").click()
    invoice = app_page.get_by_role("article", name="The invoice")
    expect(invoice).to_contain_text("€121.00")
    held: list[Route] = []
    app_page.route("**/preview/live", lambda route: held.append(route), times=1)
    app_page.get_by_label("Percent").first.fill("50")
    with app_page.expect_request("**/preview/live"):
        app_page.get_by_label("Percent").first.press("Tab")
    with app_page.expect_response("**/preview/live"):
        app_page.get_by_role("link", name="Undo changes").click()
        app_page.get_by_role("button", name="Leave without saving").click()  # the page comes anew
    expect(app_page.get_by_label("Percent").first).to_have_value("21")
    with app_page.expect_response("**/preview/live"):
        held[0].continue_()
    app_page.locator("#q").fill("nobody")
    app_page.get_by_role("button", name="Find").click()  # answered after that
    expect(app_page.get_by_text("Kommo finds no deal for “nobody”.")).to_be_visible()
    expect(invoice).to_contain_text("€121.00")
    app_page.get_by_role("link", name="Rules", exact=True).click()  # asks nothing: all is saved
    expect(app_page.get_by_role("heading", level=1, name="Rules")).to_be_visible()


def test_within_kommo_it_is_the_same_page(frame_page: FramePage) -> None:
    rig = frame_page.rig
    mapped(rig)
    inside = frame_page.open("/app/mapping")
    inside.get_by_label("Notes: text").fill("from the frame")
    inside.get_by_label("Percent").first.fill("x")
    inside.get_by_label("Percent").first.press("Tab")
    expect(inside.get_by_text("Must be a number, like 21 or 5.5.")).to_be_visible()
    inside.get_by_label("Percent").first.fill("22")
    inside.get_by_role("button", name="Another rate").click()
    expect(inside.locator("#taxes-fixed-2-name")).to_be_focused()
    inside.get_by_role("button", name="Save", exact=True).click()
    expect(inside.get_by_text("Saved.", exact=True)).to_be_visible()
    assert mapping_of(rig)["notes"] == {"text": "from the frame"}
    assert mapping_of(rig)["taxes"]["fixed"] == [{"name": "VAT", "percent": "22"}]


def test_without_script_everything_can_be_typed_and_saved(
    rig: Rig, app_page_without_js: Page
) -> None:
    mapped(rig)
    page = app_page_without_js
    page.goto(f"{rig.url}/app/mapping")
    page.get_by_label("Terms: from").select_option("Text")
    page.get_by_label("Terms: text").fill("14 days")
    page.get_by_role("button", name="Another value").click()
    page.locator("#taxes-table-2-value").fill("Reduced")
    page.get_by_role("button", name="remove the value None").click()
    page.get_by_role("combobox", name="Discount", exact=True).select_option(
        "A percent of the whole"
    )
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="One thing is not right yet")).to_be_visible()
    page.get_by_role("link", name="How much").click()
    page.get_by_label("How much: from").select_option("Text")
    page.get_by_label("How much: text").fill("10")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    mapping = mapping_of(rig)
    assert mapping["terms"] == {"text": "14 days"}
    assert mapping["taxes"]["table"] == {"Reduced": []}
    assert mapping["discount"]["value"] == {"text": "10"}
    assert mapping["notes"] == MAPPING["notes"]


@pytest.mark.parametrize("width", [400, 820, 1400])
def test_nothing_is_cut_off_or_wider_than_the_page(rig: Rig, app_page: Page, width: int) -> None:
    mapped(rig)
    rig.kommo.add_field("leads", "text", "A name " + "of a field that never ends " * 8)
    app_page.set_viewport_size({"width": width, "height": 900})
    app_page.goto(f"{rig.url}/app/mapping")
    app_page.get_by_role("button", name="Read again").click()
    expect(app_page.get_by_role("heading", name="Mapping")).to_be_visible()
    assert app_page.evaluate("document.documentElement.scrollWidth") <= width
