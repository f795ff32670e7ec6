"""The desk in a real browser: by mouse, by keyboard, on a phone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

from tests.sandbox.desk.conftest import Desk
from tests.sandbox.desk.small_seed import write_invoice

pytestmark = pytest.mark.browser


@pytest.fixture
def board(desk: Desk, window: Page) -> Iterator[Page]:
    """The page, which says nothing in the console from the first to the last.

    Chromium itself writes a line for the 422 of an act that is refused.
    """
    said: list[str] = []

    def hear(message: ConsoleMessage | Error) -> None:
        if "(UNPROCESSABLE" not in str(message):
            said.append(str(message))

    for event in ("console", "pageerror"):
        window.on(event, hear)
    window.set_viewport_size({"width": 1440, "height": 900})
    window.goto(desk.url)
    expect(window.locator(".card")).to_have_count(3)
    yield window
    window.mouse.move(0, 0)
    window.goto("about:blank")
    for event in ("console", "pageerror"):
        window.remove_listener(event, hear)
    assert said == []


def card(board: Page, name: str) -> Locator:
    return board.locator(".card", has=board.get_by_role("button", name=name, exact=True))


def column(board: Page, name: str) -> Locator:
    return board.get_by_role("region", name=re.compile(f"^{name},"))


def moved(desk: Desk, board: Page, name: str, stage: str) -> None:
    """The card goes ahead of the sandbox; what it says comes after the move, hooks later still."""
    expect(board.get_by_role("status")).to_have_text(f"{name}: moved to {stage}.")
    desk.settled()


def open_panel(board: Page, name: str) -> Locator:
    board.get_by_role("button", name=name, exact=True).click()
    return board.get_by_role("dialog", name=name)


def test_dragging_a_card_moves_the_deal_and_tells_it_once(desk: Desk, board: Page) -> None:
    deal, place = desk.deal("Office chairs"), desk.place("Issue invoice")
    card(board, "Office chairs").drag_to(column(board, "Issue invoice"))
    there = column(board, "Issue invoice").locator(".card")
    expect(there).to_contain_text("Hook 204")
    assert (deal.pipeline_id, deal.status_id) == (place["pipeline"], place["stage"])
    [hook] = desk.heard
    assert hook["leads[status][0][id]"] == str(deal.id)
    assert hook["leads[status][0][status_id]"] == str(place["stage"])


def test_the_menu_moves_a_card_by_keyboard_into_another_pipeline(desk: Desk, board: Page) -> None:
    board.get_by_role("button", name="Move Reading lamps to…").press("Enter")
    here = board.get_by_role("menuitemradio", name="New", exact=True)
    expect(here).to_be_focused()
    expect(here).to_have_attribute("aria-checked", "true")
    board.keyboard.press("End")
    board.keyboard.press("ArrowUp")
    board.keyboard.press("ArrowUp")
    expect(board.get_by_role("menuitemradio", name="Running")).to_be_focused()
    board.keyboard.press("Enter")
    expect(card(board, "Reading lamps")).to_have_count(0)
    board.get_by_role("button", name="Service contracts").click()
    expect(column(board, "Running")).to_contain_text("Reading lamps")
    moved(desk, board, "Reading lamps", "Running")
    assert desk.heard[0]["leads[status][0][id]"] == str(desk.deal("Reading lamps").id)


def test_escape_leaves_the_menu_where_it_was_opened(desk: Desk, board: Page) -> None:
    opener = board.get_by_role("button", name="Move Reading lamps to…")
    opener.press("Enter")
    board.keyboard.press("Escape")
    expect(board.get_by_role("menu")).to_be_hidden()
    expect(opener).to_be_focused()
    assert desk.heard == []


def test_shift_and_an_arrow_move_a_card_and_keep_the_focus(desk: Desk, board: Page) -> None:
    name = board.get_by_role("button", name="Office chairs", exact=True)
    name.press("Shift+ArrowRight")
    expect(column(board, "Offer")).to_contain_text("Office chairs")
    moved(desk, board, "Office chairs", "Offer")
    expect(name).to_be_focused()
    name.press("Shift+ArrowRight")
    expect(column(board, "Issue invoice")).to_contain_text("Office chairs")
    moved(desk, board, "Office chairs", "Issue invoice")
    assert [hook["leads[status][0][id]"] for hook in desk.heard] == [
        str(desk.deal("Office chairs").id)
    ] * 2


def test_what_billhook_writes_appears_by_itself_and_is_said(desk: Desk, board: Page) -> None:
    deal = desk.deal("Office chairs")
    write_invoice(
        desk.account, deal.id, number="0000007", status="Draft", amount="1204.20",
        link="http://127.0.0.1:1/#/invoice/a-7",
    )  # fmt: skip
    shown = card(board, "Office chairs").locator(".invoice")
    expect(shown).to_contain_text("0000007")
    expect(shown.locator(".pill")).to_have_text("Draft")
    expect(shown.get_by_role("link")).to_have_text("Draft, for your team only")
    expect(board.get_by_role("status")).to_have_text("Office chairs: invoice 0000007, Draft.")
    write_invoice(desk.account, deal.id, status="Paid")
    expect(shown.locator(".pill.green")).to_have_text("Paid")
    expect(shown.get_by_role("link")).to_have_text("Client’s page")


def test_the_hint_names_the_deal_to_start_with_and_ticks_what_is_done(
    desk: Desk, board: Page
) -> None:
    hint = board.get_by_role("region", name="What to try first")
    expect(hint.locator(".now")).to_contain_text("Drag Office chairs to Issue invoice")
    desk.do(f"deals/{desk.deal('Office chairs').id}/move", **desk.place("Issue invoice"))
    expect(hint.locator(".now")).to_contain_text("Watch the card")
    write_invoice(desk.account, desk.deal("Office chairs").id, number="1", status="Sent")
    expect(hint.locator(".now")).to_contain_text("Order a fault")
    hint.get_by_role("button", name="Close the hint").click()
    board.reload()
    expect(board.locator(".card")).to_have_count(3)
    expect(hint).to_be_hidden()


def test_the_panel_mends_a_deal_and_keeps_what_is_being_typed(desk: Desk, board: Page) -> None:
    panel = open_panel(board, "Reading lamps")
    expect(panel.get_by_role("heading", name="Reading lamps")).to_be_focused()
    mail = panel.get_by_label("Contact’s e-mail")
    mail.fill("leo@brandt.example")
    panel.get_by_label("Amount").fill("1300.75")
    desk.account.update_deal(desk.deal("Reading lamps").id, fields={"ORDER": "PO-7"})
    expect(panel.get_by_label("Order number")).to_have_value("PO-7")
    expect(mail).to_have_value("leo@brandt.example")
    panel.get_by_role("button", name="Save").click()
    expect(card(board, "Reading lamps")).to_contain_text("1,300.75 USD")
    assert desk.card("Reading lamps")["contact"]["email"] == "leo@brandt.example"
    assert desk.card("Reading lamps")["chips"] == [{"name": "Order number", "value": "PO-7"}]


def test_the_panel_shows_products_and_hooks_and_closes_with_escape(desk: Desk, board: Page) -> None:
    desk.do(f"deals/{desk.deal('Office chairs').id}/move", **desk.place("Offer"))
    panel = open_panel(board, "Office chairs")
    expect(panel.get_by_role("row", name="Office chair 6 × 189.90 1,139.40")).to_be_visible()
    expect(panel).to_contain_text("answered 204")
    board.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(board.get_by_role("button", name="Office chairs", exact=True)).to_be_focused()


def test_a_refusal_is_said_and_nothing_stays_changed(desk: Desk, board: Page) -> None:
    panel = open_panel(board, "Office chairs")
    panel.get_by_label("Amount").fill("a lot")
    panel.get_by_role("button", name="Save").click()
    expect(board.get_by_role("status")).to_have_text("That is not a number")
    expect(card(board, "Office chairs")).to_contain_text("1,204.20 EUR")


def test_a_deal_is_added(desk: Desk, board: Page) -> None:
    board.get_by_role("button", name="New deal").click()
    dialog = board.get_by_role("dialog", name="New deal")
    dialog.get_by_label("Name", exact=True).fill("Bar stools")
    dialog.get_by_label("Amount").fill("340")
    dialog.get_by_role("combobox", name="Contact", exact=True).select_option("Kim Hill")
    expect(dialog.get_by_label("Company")).to_be_hidden()
    dialog.get_by_role("button", name="Add deal").click()
    expect(dialog).to_be_hidden()
    expect(card(board, "Bar stools")).to_contain_text("Hill & Partners · Kim Hill")


def test_faults_go_on_and_off_on_their_buttons(desk: Desk, board: Page) -> None:
    board.get_by_role("tab", name="Fault desk").click()
    lose = board.get_by_role("button", name="Lose FreshBooks’ next reply")
    lose.click()
    expect(lose).to_have_attribute("aria-pressed", "true")
    expect(lose).to_contain_text("waits for its moment")
    board.get_by_role("button", name="429 for a minute").click()
    expect(board.get_by_role("tab", name="Fault desk 2 on")).to_be_visible()
    assert [fault.kind for fault in desk.sandbox.faults.list()] == ["lose_reply", "throttle"]
    lose.click()
    expect(lose).to_have_attribute("aria-pressed", "false")
    board.get_by_role("button", name="Clear all").click()
    expect(board.locator("#faults-said")).to_have_text("Everything works.")
    assert desk.sandbox.faults.list() == []


def test_a_switch_is_turned_on_the_page(desk: Desk, board: Page) -> None:
    board.get_by_role("tab", name="Fault desk").click()
    board.get_by_text("What nobody could verify").click()
    board.get_by_label("Halves are rounded").select_option("even")
    expect(board.get_by_role("status")).to_have_text("Halves are rounded: even")
    assert desk.sandbox.freshbooks.switches.rounding_half == "even"


def test_the_clock_is_moved_on(desk: Desk, board: Page) -> None:
    expect(board.locator("#now")).to_contain_text("12:00:00")
    board.get_by_role("button", name="30 minutes later").click()
    expect(board.locator("#now")).to_contain_text("12:30:00")


def test_freshbooks_side_shows_an_invoice_and_takes_a_payment(desk: Desk, board: Page) -> None:
    business = desk.sandbox.freshbooks.businesses[0]
    client = business.add_client(organization="Hill & Partners")
    line = {"name": "Chair", "qty": "6", "unit_cost": {"amount": "189.90", "code": "EUR"}}
    invoice = business.add_invoice(client["id"], [line])
    business.mark_sent(invoice["id"])
    head = board.get_by_role("button", name=re.compile("^0000001 Sent"))
    expect(head).to_contain_text("1,139.40 EUR")
    head.click()
    expect(board.get_by_role("row", name="Chair 6 × 189.90 1,139.40")).to_be_visible()
    board.get_by_label("Amount to pay in EUR").fill("139.40")
    board.get_by_role("button", name="Pay", exact=True).click()
    expect(board.get_by_role("button", name=re.compile("^0000001 Partly paid"))).to_be_visible()
    expect(board.get_by_text("139.40 EUR paid on")).to_be_visible()
    board.get_by_role("button", name="Delete", exact=True).click()
    expect(board.get_by_role("button", name=re.compile("^0000001 Deleted"))).to_be_visible()
