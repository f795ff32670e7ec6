"""What the page asks for every second, and what it is served with."""

import re

import requests

from tests.sandbox.desk.conftest import Desk
from tests.sandbox.desk.small_seed import write_invoice


def test_nothing_new_is_a_short_answer(desk: Desk) -> None:
    first = desk.state()
    again = desk.state(first["version"])
    assert set(again) == {"version", "clock"}
    assert again["version"] == first["version"]


def test_only_the_section_that_changed_travels(desk: Desk) -> None:
    seen = desk.state()["version"]
    desk.do("faults", put="lose_reply")
    assert set(desk.state(seen)) == {"version", "clock", "faults"}


def test_a_version_of_another_run_gets_everything(desk: Desk) -> None:
    everything = set(desk.state())
    assert set(desk.state("0badc0de-99")) == everything
    assert everything == {"version", "clock", "board", "books", "faults", "switches", "log"}


def test_the_page_runs_no_script_but_its_own(desk: Desk) -> None:
    reply = desk.session.get(desk.url, timeout=5)
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    scripts = re.findall(r"<script([^>]*)>", reply.text)
    assert len(scripts) == 2
    assert all("src=" in one or "application/json" in one for one in scripts)
    assert not re.search(r"\son\w+=|\sstyle=", reply.text)


def test_a_name_cannot_break_out_of_the_page(desk: Desk) -> None:
    desk.account.add_deal("</script><script>alert(1)</script>", 1)
    page = desk.session.get(desk.url, timeout=5).text
    assert "</script><script>alert" not in page


def test_another_site_cannot_order_anything(desk: Desk) -> None:
    """A form or a plain text from elsewhere passes no preflight; JSON alone is taken."""
    reply = requests.post(f"{desk.url}/desk/faults", data='{"put": "drop"}', timeout=5)
    assert reply.status_code == 422
    assert desk.state()["faults"] == []


def test_an_unknown_act_is_said_so(desk: Desk) -> None:
    assert "cannot fly" in desk.refused("fly")
    assert "there is no" in desk.refused("deals/4711/move", stage=1, pipeline=1)


def test_a_card_shows_who_what_and_how_much(desk: Desk) -> None:
    card = desk.card("Office chairs")
    assert (card["price"], card["currency"], card["tags"]) == ("1204.2", "EUR", ["office"])
    assert (card["contact"]["name"], card["company"]["name"]) == ("Kim Hill", "Hill & Partners")
    assert card["chips"] == [{"name": "Order number", "value": "PO-1881"}]
    assert [(one["quantity"], one["total"]) for one in card["products"]] == [
        ("6", "1139.4"),
        ("1", "64.5"),
    ]


def test_the_deals_own_currency_stands_beside_its_amount(desk: Desk) -> None:
    assert desk.card("Showroom shelves")["currency"] == "JPY"
    assert desk.card("Yearly maintenance")["currency"] == "EUR"


def test_what_billhook_wrote_stands_on_the_card(desk: Desk) -> None:
    deal = desk.deal("Office chairs")
    write_invoice(desk.account, deal.id, number="0000007", status="Draft", link="http://x/#/i")
    assert desk.card("Office chairs")["invoice"] == {
        "number": "0000007",
        "amount": "",
        "link": "http://x/#/i",
        "status": "Draft",
        "tone": "draft",
    }


def test_a_task_names_its_person_and_can_be_ticked_off(desk: Desk) -> None:
    deal, account = desk.deal("Reading lamps"), desk.account
    ann = next(user for user in account.users.values() if user.name == "Ann Weber")
    row = {
        "text": "The contact has no e-mail.",
        "complete_till": account.now() + 60,
        "entity_id": deal.id,
        "entity_type": "leads",
        "responsible_user_id": ann.id,
    }
    task = account.make_task(row, account.owner())
    [shown] = desk.card("Reading lamps")["tasks"]
    assert (shown["who"], shown["text"], shown["done"]) == ("Ann", row["text"], False)
    desk.do(f"tasks/{task.id}/done", result="asked")
    [shown] = desk.card("Reading lamps")["tasks"]
    assert (shown["done"], shown["result"]) == (True, "asked")


def test_calls_are_told_in_plain_words(desk: Desk) -> None:
    requests.get(f"{desk.sandbox.kommo.auth_url}?client_id=x", timeout=5).close()
    requests.get(f"{desk.account.url}/api/v4/account", timeout=5).close()
    rows = desk.state()["log"]
    assert ("Reads the Kommo account", "401") in {(row["text"], row["answer"]) for row in rows}
    assert rows[0]["at"] == "2026-03-02T12:00:00+00:00"


def test_calls_that_repeat_are_one_line_with_a_count(desk: Desk) -> None:
    for _ in range(3):
        requests.get(f"{desk.account.url}/api/v4/account", timeout=5).close()
    [row] = desk.state()["log"]
    assert row["count"] == 3
