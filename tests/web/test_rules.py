"""The list of rules: what it says of each, and its buttons."""

import re

import pytest

from server.flows import change_settings
from server.sandbox.faults import Fault
from server.store import accounts
from server.web.auth import Role
from tests.rig import Rig
from tests.web.letting_in import LetIn, let_in
from tests.web.rule_desk import Shelf


@pytest.fixture
def shelf(rig: Rig) -> Shelf:
    return Shelf(rig)


def page_of(admin: LetIn, path: str = "/app/rules") -> str:
    answer = admin.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_without_rules_the_page_says_what_will_stand_there(rig: Rig) -> None:
    assert "There is no rule yet" in page_of(let_in(rig))


def test_a_rule_is_told_in_words(shelf: Shelf) -> None:
    currency = shelf.rig.kommo.add_field("leads", "select", "Currency", enums=["EUR", "USD"])
    urgent = shelf.rig.kommo.add_field("leads", "checkbox", "Urgent")
    due = shelf.rig.kommo.add_field("leads", "date", "Due")
    conditions = [
        {"field": f"deal.cf.{currency.id}", "is": "in", "value": ["eur", currency.enums[1].id]},
        {"field": f"deal.cf.{urgent.id}", "is": "equals", "value": False},
        {"field": f"deal.cf.{due.id}", "is": "greater", "value": "2026-12-31"},
        {"field": "deal.price", "is": "greater", "value": 50},
        {"field": "company.name", "is": "filled"},
    ]
    shelf.save_rules(shelf.rule("won", conditions=conditions, match="any", action="email"))
    page = page_of(shelf.admin)
    assert "Sales › Closed - won" in page
    assert "Deal: Currency is one of “EUR”, “USD” or Deal: Urgent is “No” or" in page
    assert "Deal: Due is after Dec 31, 2026 or Deal: Amount is more than 50 or" in page
    assert "Company: Name is filled." in page
    assert "Make the invoice and e-mail it" in page


def test_a_stage_has_kommos_colour_beside_its_name(shelf: Shelf) -> None:
    assert 'fill="#CCFF66"' in shelf.admin.get("/app/rules").text


def test_a_colour_that_is_none_never_gets_into_the_page(shelf: Shelf) -> None:
    stage = shelf.pipeline.stage("Closed - won")
    stage.color = 'red" onload="alert(1)'
    shelf.post("/_refresh")
    page = shelf.admin.get("/app/rules").text
    assert "onload" not in page
    assert "Closed - won" in page


def test_what_was_deleted_in_kommo_is_said_beside_the_rule(shelf: Shelf) -> None:
    currency = shelf.rig.kommo.add_field("leads", "select", "Currency", enums=["EUR"])
    gone = shelf.rig.kommo.add_field("leads", "text", "Order number")
    rule = shelf.rule("won")
    rule["when"] = [{"pipeline_id": shelf.pipeline.id, "stage_id": 99887766}]
    rule["conditions"] = [
        {"field": f"deal.cf.{gone.id}", "is": "filled"},
        {"field": f"deal.cf.{currency.id}", "is": "equals", "value": "LTL"},
    ]
    shelf.save_rules(rule)
    shelf.rig.kommo.delete_field(gone.id)
    page = page_of(shelf.admin)
    assert "Stage 99887766 of Sales does not exist any more in Kommo." in page
    assert f"deal.cf.{gone.id} does not exist any more in Kommo." in page
    assert "Deal: Currency has no choice “LTL” any more." in page
    opened = page_of(shelf.admin, "/app/rules/won")
    assert "Something that this rule names does not exist any more in Kommo" in opened
    assert "This field does not exist any more in Kommo. Choose another." in opened
    assert "“LTL” is no choice of this field." in opened
    assert "A stage does not exist any more in Kommo." in opened


def test_what_is_read_again_is_new(shelf: Shelf) -> None:
    page_of(shelf.admin)
    shelf.pipeline.stage("Closed - won").name = "Paid in full"
    assert "Paid in full" not in page_of(shelf.admin)
    answer = shelf.post("/_refresh")
    page = page_of(shelf.admin, answer.location)
    assert "Paid in full" in page
    assert "Read again from Kommo." in page


def test_a_dead_kommo_leaves_a_page_with_a_notice(shelf: Shelf) -> None:
    shelf.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None))
    page = page_of(shelf.admin)
    assert "Its pipelines and fields cannot be shown yet." in page
    assert f"Pipeline {shelf.pipeline.id} › Stage 142" in page
    assert "deleted" not in page  # nobody knows that


def test_where_reading_again_fails_what_is_known_stays_and_it_is_said(shelf: Shelf) -> None:
    page_of(shelf.admin)
    shelf.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None))
    answer = shelf.post("/_refresh")
    assert answer.status_code == 200
    assert "What you see here is what Kommo told last." in answer.text
    assert "Closed - won" in answer.text
    assert "Read again from Kommo." not in answer.text


def test_a_rule_is_switched_on_and_off(shelf: Shelf) -> None:
    shelf.post("/won/on")
    page = page_of(shelf.admin, shelf.post("/won/on").location)  # clicked twice
    assert "The rule is on." in page
    assert shelf.on() == ["won"]
    assert "On since" in page
    shelf.post("/won/off")
    page = page_of(shelf.admin, shelf.post("/won/off").location)
    assert "The rule is off." in page
    assert shelf.on() == []


def test_where_kommo_does_not_tell_its_time_the_rule_stays_off(shelf: Shelf) -> None:
    shelf.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None))
    answer = shelf.post("/won/on")
    assert answer.status_code == 422
    assert "The rule stays off" in answer.text
    assert shelf.on() == []


def test_rules_are_put_in_order_by_buttons(shelf: Shelf) -> None:
    seen = shelf.version
    shelf.post("/paid/move", way="up", version=seen)
    answer = shelf.post("/paid/move", way="up", version=seen)  # clicked twice
    assert shelf.slugs == ["paid", "won"]
    assert "The order is saved." in page_of(shelf.admin, answer.location)
    assert shelf.admin.get(answer.location).text.count("data-focus") == 1
    shelf.post("/paid/move", way="down")
    assert shelf.slugs == ["won", "paid"]


def test_a_rule_moves_up_or_down_only(shelf: Shelf) -> None:
    for way in ("", "sideways", "x" * 10_000):
        assert shelf.post("/paid/move", way=way).status_code == 422
    assert shelf.slugs == ["won", "paid"]


def test_rules_are_put_in_order_by_dragging(shelf: Shelf) -> None:
    assert shelf.post("/_order", order="paid,won").status_code == 303
    assert shelf.slugs == ["paid", "won"]
    shelf.post("/_order", order="nobody,,won,won," + "x" * 10_000)
    assert shelf.slugs == ["won", "paid"]


def test_an_order_made_from_an_older_version_overwrites_nothing(shelf: Shelf) -> None:
    seen = shelf.version
    shelf.save("won", "paid", "third", author="Bob Stone")
    answer = shelf.post("/_order", order="paid,won", version=seen)
    assert answer.status_code == 422
    assert "Bob Stone" in answer.text
    assert "The rule “Third” was added." in answer.text
    assert shelf.slugs == ["won", "paid", "third"]


def test_removing_is_asked_before_it_is_done(shelf: Shelf) -> None:
    shelf.post("/won/on")
    asked = page_of(shelf.admin, "/app/rules/won/remove")
    assert "Remove “Won”?" in asked
    assert "It is on." in asked
    assert shelf.slugs == ["won", "paid"]
    seen = shelf.version
    shelf.post("/won/remove", version=seen)
    answer = shelf.post("/won/remove", version=seen)  # clicked twice
    assert (shelf.slugs, shelf.on()) == (["paid"], [])
    assert "Removed." in page_of(shelf.admin, answer.location)


def test_a_rule_that_was_changed_meanwhile_is_not_removed(shelf: Shelf) -> None:
    seen = shelf.version
    shelf.save_rules(shelf.rule("won", action="email"), shelf.rule("paid"), author="Bob Stone")
    answer = shelf.post("/won/remove", version=seen)
    assert answer.status_code == 422
    assert "Bob Stone" in answer.text
    assert shelf.slugs == ["won", "paid"]


def test_a_version_that_is_none_changes_nothing(shelf: Shelf) -> None:
    for version in ("", "x", "-1", "1e9", "9" * 30, "١"):
        assert shelf.post("/won/remove", version=version).status_code == 422
    assert shelf.slugs == ["won", "paid"]


def test_what_is_changed_names_its_author(shelf: Shelf) -> None:
    seen = shelf.version
    shelf.post("/paid/move", way="up")
    with pytest.raises(change_settings.Overtaken) as caught:
        change_settings.save_if(
            shelf.rig.world, shelf.rig.account_id, {"rules": [], "mapping": {}}, "x", based_on=seen
        )
    assert caught.value.since[0].author == "Ann Lee"


POSTS = ("/{}/on", "/{}/off", "/{}/move", "/{}/remove", "/{}")
GETS = ("/{}", "/{}/remove", "/{}/edit")


def test_an_unknown_rule_is_not_there(shelf: Shelf) -> None:
    for slug in ("nobody", "WON", "won%00", "x" * 3000, "é"):
        for path in GETS:
            assert shelf.admin.get("/app/rules" + path.format(slug)).status_code == 404
        for path in POSTS:
            assert shelf.post(path.format(slug), way="up").status_code == 404


def test_another_accounts_rule_is_not_there(shelf: Shelf) -> None:
    """A second account, connected to nothing, has a rule of its own."""
    with shelf.rig.database.write() as session:
        other = accounts.add(session, "other", shelf.rig.clock.now()).id
    document = {"rules": [shelf.rule("secret")], "mapping": {}}
    change_settings.save(shelf.rig.world, other, document, "Eve")
    assert "Secret" not in page_of(shelf.admin)
    assert shelf.admin.get("/app/rules/secret").status_code == 404
    for path in POSTS:
        assert shelf.post(path.format("secret"), way="up").status_code == 404
    stranger = let_in(shelf.rig, account_id=other)
    assert "Secret" in page_of(stranger)
    found, _number = change_settings.newest(shelf.rig.world, other)
    assert [rule.slug for rule in found.rules] == ["secret"]


def test_a_manager_reaches_no_rule(shelf: Shelf) -> None:
    manager = let_in(shelf.rig, Role.MANAGER)
    for path in ("", "/new", "/won", "/won/remove"):
        assert manager.get(f"/app/rules{path}").status_code == 403
    for path in ("/_order", "/_refresh", "/_row", "/_check", "/new", "/won", "/won/on"):
        assert manager.post(f"/app/rules{path}").status_code == 403
