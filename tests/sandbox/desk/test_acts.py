"""What a person does at the desk, and what the emulated vendors make of it."""

from decimal import Decimal

import pytest
import requests

from server.sandbox.desk.mischief import ORDERS
from server.sandbox.desk.switchboard import WORDS, switches
from tests.sandbox.desk.conftest import Desk


def test_a_move_emits_one_form_encoded_hook(desk: Desk) -> None:
    deal, place = desk.deal("Office chairs"), desk.place("Issue invoice")
    old = deal.status_id
    assert desk.do(f"deals/{deal.id}/move", **place) == "Office chairs: moved to Issue invoice."
    desk.settled()
    [hook] = desk.heard
    assert hook["account[subdomain]"] == "demo"
    assert hook["leads[status][0][id]"] == str(deal.id)
    assert hook["leads[status][0][status_id]"] == str(place["stage"])
    assert hook["leads[status][0][old_status_id]"] == str(old)


def test_the_deal_knows_its_hooks_and_their_answers(desk: Desk) -> None:
    deal = desk.deal("Office chairs")
    desk.do(f"deals/{deal.id}/move", **desk.place("Offer"))
    desk.settled()
    [hook] = desk.card("Office chairs")["hooks"]
    assert (hook["text"], hook["state"], hook["answer"]) == ("Stage changed", "taken", "204")
    assert desk.card("Reading lamps")["hooks"] == []


def test_a_dropped_hook_is_seen_as_lost(desk: Desk) -> None:
    desk.do("faults", put="drop")
    desk.do(f"deals/{desk.deal('Office chairs').id}/move", **desk.place("Offer"))
    desk.settled()
    assert desk.heard == []
    assert desk.card("Office chairs")["hooks"][0]["state"] == "dropped"
    assert desk.state()["faults"] == []


def test_what_was_moved_last_stands_on_top(desk: Desk) -> None:
    desk.do(f"deals/{desk.deal('Office chairs').id}/move", **desk.place("Offer"))
    assert desk.state()["board"]["deals"][0]["name"] == "Office chairs"


def test_a_stage_of_nobody_is_refused(desk: Desk) -> None:
    deal = desk.deal("Office chairs")
    wrong = {"pipeline": deal.pipeline_id, "stage": 999}
    assert "Kommo does not take this" in desk.refused(f"deals/{deal.id}/move", **wrong)
    assert deal.status_id != 999


def test_a_parked_deal_can_be_mended(desk: Desk) -> None:
    deal = desk.deal("Reading lamps")
    order = desk.account.field("leads", "ORDER")
    changed = {"price": "1,290.50", "email": "leo@brandt.example", "fields": {order.id: "PO-9"}}
    desk.do(f"deals/{deal.id}", **changed)
    card = desk.card("Reading lamps")
    assert (card["price"], card["contact"]["email"]) == ("1290.5", "leo@brandt.example")
    assert card["chips"] == [{"name": "Order number", "value": "PO-9"}]


def test_an_emptied_field_is_empty(desk: Desk) -> None:
    deal, order = desk.deal("Office chairs"), desk.account.field("leads", "ORDER")
    desk.do(f"deals/{deal.id}", price="", email="", fields={order.id: ""})
    card = desk.card("Office chairs")
    assert (card["price"], card["contact"]["email"], card["chips"]) == (None, "", [])


def test_an_amount_that_is_none_is_refused_in_words(desk: Desk) -> None:
    deal = desk.deal("Office chairs")
    assert desk.refused(f"deals/{deal.id}", price="a lot") == "that is not a number"
    assert deal.price == Decimal("1204.20")


def test_a_field_that_integrations_fill_stays_theirs(desk: Desk) -> None:
    number = desk.account.field("leads", "BILLHOOK_NUMBER")
    said = desk.refused(f"deals/{desk.deal('Office chairs').id}", fields={number.id: "1"})
    assert "integration" in said


def test_a_deal_is_added_with_its_people_and_product(desk: Desk) -> None:
    lamp = next(one for one in desk.account.elements.values() if one.name == "Desk lamp")
    desk.do(
        "deals", name="Two lamps", price="129", contact_name="Mia Roth", email="mia@roth.example",
        company="Roth GmbH", product=lamp.id, quantity="2", **desk.place("Offer"),
    )  # fmt: skip
    card = desk.card("Two lamps")
    assert (card["contact"]["email"], card["company"]["name"]) == ("mia@roth.example", "Roth GmbH")
    assert card["products"][0]["total"] == "129"
    assert card["stage"] == desk.place("Offer")["stage"]


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("340,50", "340.50"), ("1,340.50", "1340.50"), ("1 340,5", "1340.5"), ("1,340", "1340")],
)
def test_an_amount_is_taken_as_people_write_it(desk: Desk, typed: str, amount: str) -> None:
    deal = desk.deal("Reading lamps")
    desk.do(f"deals/{deal.id}", price=typed)
    assert deal.price == Decimal(amount)


def test_an_amount_that_may_be_two_is_refused(desk: Desk) -> None:
    deal = desk.deal("Reading lamps")
    for typed in ("1.340,50", "1,34,0", "12,3456"):
        assert desk.refused(f"deals/{deal.id}", price=typed) == "that is not a number"
    assert deal.price == Decimal(1290)


def test_a_deal_with_nobody_gets_a_contact(desk: Desk) -> None:
    desk.do("deals", name="Walk-in", price="10", **desk.place("New"))
    first = desk.state()["board"]["choices"]["contacts"][0]
    desk.do(f"deals/{desk.deal('Walk-in').id}", contact=str(first["id"]))
    assert desk.card("Walk-in")["contact"]["name"] == first["name"]


def test_a_deal_without_a_name_leaves_nothing_behind(desk: Desk) -> None:
    before = len(desk.account.contacts)
    desk.refused("deals", name=" ", contact_name="Mia", **desk.place("New"))
    desk.refused("deals", name="Lamps", price="much", contact_name="Mia", **desk.place("New"))
    assert len(desk.account.contacts) == before


def test_a_deal_in_the_trash_leaves_the_board(desk: Desk) -> None:
    desk.do(f"deals/{desk.deal('Reading lamps').id}/delete")
    assert "Reading lamps" not in {card["name"] for card in desk.state()["board"]["deals"]}


def test_every_fault_goes_on_and_off_by_its_button(desk: Desk) -> None:
    for key in ORDERS:
        desk.do("faults", put=key)
        [row] = desk.state()["faults"]
        assert row["button"] == key
        desk.do("faults/clear", key=row["key"])
        assert desk.state()["faults"] == [], key


def test_all_faults_are_cleared_at_once(desk: Desk) -> None:
    for key in ORDERS:
        desk.do("faults", put=key)
    assert len(desk.state()["faults"]) == len(ORDERS)
    desk.do("faults/clear")
    assert desk.state()["faults"] == []


def test_a_fault_from_elsewhere_is_listed_in_its_own_words(desk: Desk) -> None:
    order = {"kind": "conflict", "match": "PATCH *"}
    desk.session.post(f"{desk.url}/_faults", json=order, timeout=5)
    [row] = desk.state()["faults"]
    assert (row["button"], row["text"]) == ("", "PATCH *: do nothing, answer 409")


def test_a_minute_of_429_ends_with_the_minute(desk: Desk) -> None:
    desk.do("faults", put="throttle")
    me = f"{desk.sandbox.freshbooks.base_url}/auth/api/v1/users/me"
    with requests.get(me, timeout=5) as reply:
        assert reply.status_code == 429
    desk.do("clock", advance=61)
    assert desk.state()["faults"] == []


def test_the_clock_goes_forward_alone(desk: Desk) -> None:
    assert desk.do("clock", advance=3600) == "It is now 02 March 2026, 13:00 UTC."
    for wrong in (-60, 0, float("1e30")):
        assert "goes forward" in desk.refused("clock", advance=wrong)


def test_every_switch_has_words_of_its_own(desk: Desk) -> None:
    told = {
        vendor: {row["name"] for row in rows} for vendor, rows in switches(desk.sandbox).items()
    }
    assert {vendor: set(words) for vendor, words in WORDS.items()} == told


def test_a_switch_is_turned_at_once(desk: Desk) -> None:
    desk.do("switches", vendor="freshbooks", name="rounding_half", value="even")
    desk.do("switches", vendor="kommo", name="requests_per_second", value="3")
    assert desk.sandbox.freshbooks.switches.rounding_half == "even"
    assert desk.sandbox.kommo.switches.requests_per_second == 3


@pytest.mark.parametrize(
    ("name", "value"), [("rounding_half", "sideways"), ("rate_limit", "many"), ("limits", {})]
)
def test_a_switch_takes_no_nonsense(desk: Desk, name: str, value: object) -> None:
    before = getattr(desk.sandbox.freshbooks.switches, name)
    desk.refused("switches", vendor="freshbooks", name=name, value=value)
    assert getattr(desk.sandbox.freshbooks.switches, name) == before
