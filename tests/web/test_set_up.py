"""The first page and the connections, with sessions as the pages carry them."""

from server.flows import set_up
from server.web import sessions
from server.web.auth import Role
from tests.rig import Rig
from tests.web.letting_in import let_in


def test_a_new_account_sees_what_is_done_and_what_is_missing(rig: Rig) -> None:
    page = let_in(rig).get("/app/").text
    assert page.count('class="done"') == 2  # both vendors
    assert "Pick the stage" in page
    assert 'class="next"' in page
    assert page.count("Last call that worked") == 1  # FreshBooks was only asked who consents


def test_a_browser_gets_the_whole_page_and_htmx_its_inside(rig: Rig) -> None:
    inside = let_in(rig).get("/app/").text
    whole = let_in(rig, where="app").get("/app/").text
    assert "<html" not in inside
    assert whole.lstrip().startswith("<!doctype html>")
    assert "Set-up" in inside
    assert "Set-up" in whole


def test_another_accounts_ticket_is_not_there(rig: Rig) -> None:
    own = let_in(rig).post("/app/connect/kommo").location
    assert let_in(rig, account_id=999).get(own).status_code == 401
    assert let_in(rig).get("/app/connect/kommo/nobody-knows-it").status_code == 404


def test_a_manager_does_not_see_the_set_up(rig: Rig) -> None:
    assert let_in(rig, Role.MANAGER).get("/app/").status_code == 403


def test_a_session_ends_after_its_minutes(rig: Rig) -> None:
    admin = let_in(rig)
    rig.clock.advance(sessions.LIFE)
    answer = admin.get("/app/")
    assert answer.status_code == 401
    assert "sign in again" in answer.text


def test_a_cookies_form_must_be_ours(rig: Rig) -> None:
    admin = let_in(rig, where="app")
    assert admin.post("/app/connect/kommo").status_code == 403
    good = {"csrf": admin.csrf}
    stranger = {"Origin": "https://evil.example"}
    assert admin.post("/app/connect/kommo", data=good, headers=stranger).status_code == 403
    assert admin.post("/app/connect/kommo", data=good).status_code == 303


def test_a_rule_that_is_on_finishes_the_list(rig: Rig) -> None:
    rule = {"slug": "won", "name": "Won", "when": [{"pipeline_id": 1, "stage_id": 2}]}
    rig.settings({"rules": [rule], "mapping": {"notes": {"text": "Thank you"}}})
    set_up.mark(rig.world, rig.account_id, set_up.TRIED)
    assert 'class="next"' in let_in(rig).get("/app/").text
    rig.rule_on("won")
    page = let_in(rig).get("/app/").text
    assert "Everything is set up" in page
    assert 'class="next"' not in page
