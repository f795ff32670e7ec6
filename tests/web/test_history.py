"""The history of settings, as the pages show it: who changed what, when, and the way back."""

import re
from datetime import timedelta
from typing import Any

from server.flows import change_settings
from server.flows.vendor_lists import lists_of
from server.store.settings import SettingsVersionRow
from server.web.auth import Role
from tests.rig import Rig
from tests.web.letting_in import LetIn, let_in

HISTORY = "/app/history"


def document(*slugs: str, action: str = "draft", **mapping: Any) -> dict[str, Any]:
    when = [{"pipeline_id": 1, "stage_id": 2}]
    rules = [{"slug": slug, "name": f"{slug} deals", "when": when} for slug in slugs]
    return {"rules": [{**rule, "action": action} for rule in rules], "mapping": mapping}


def save(rig: Rig, author: str, settings: dict[str, Any]) -> None:
    change_settings.save(rig.world, rig.account_id, settings, author)
    rig.clock.advance(timedelta(minutes=1))


def text(page: Any) -> str:
    """What a person reads of it, in one line."""
    assert page.status_code in (200, 422), page.text
    bare = re.sub(r'<span class="hidden">.*?</span>|<[^>]+>', " ", page.text)
    return " ".join(bare.replace("&#34;", '"').replace("&#39;", "'").split())


def restored(admin: LetIn, number: int | str, seen: int, **more: str) -> Any:
    return admin.post(f"{HISTORY}/{number}", data={"version": str(seen), **more})


def rules_now(rig: Rig) -> list[str]:
    found, _number = change_settings.newest(rig.world, rig.account_id)
    return [rule.slug for rule in found.rules]


def test_a_new_account_begins_with_what_suits_most(rig: Rig) -> None:
    """Connecting Kommo saved version 1; what a person changes begins with version 2."""
    said = text(let_in(rig).get(HISTORY))
    assert "Version 1 current Billhook" in said
    assert "What every new account begins with." in said


def test_each_version_says_who_when_and_what_differs(rig: Rig) -> None:
    save(rig, "Ann Lee", document("won"))
    save(rig, "Bob Ray", document("won", action="email", notes={"text": "Order {deal.name}"}))
    said = text(let_in(rig).get(HISTORY))
    newest, oldest = said.split("Version 2")
    assert "Version 3 current Bob Ray · Mar 2, 2026, 2:01:00" in newest  # the account's zone
    assert "Rule “won deals”, what is done with the invoice: Make a draft →" in newest
    assert "Notes: – → “Order {Deal: Name}”" in newest
    assert "Ann Lee" in oldest
    assert "Rule “won deals” added: pipeline 1 › stage 2; Make a draft" in oldest


def test_stages_are_called_as_kommo_told_them_last(rig: Rig) -> None:
    lists = lists_of(rig.world, rig.account_id)
    sales = lists.pipelines[0]
    offer = next(stage for stage in sales.stages if stage.name == "Offer")
    first = document("won")
    first["rules"][0]["when"] = [
        {"pipeline_id": sales.pipeline_id, "stage_id": offer.stage_id},
    ]
    save(rig, "Ann", first)
    rig.sandbox.kommo.calls.clear()
    assert f"{sales.name} › Offer" in text(let_in(rig).get(HISTORY))
    assert rig.sandbox.kommo.calls == []


def test_switches_of_rules_stand_in_the_same_line_of_time(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    rig.clock.advance(timedelta(minutes=1))
    rig.rule_on("won")
    rig.clock.advance(timedelta(minutes=1))
    change_settings.switch_off(rig.world, rig.account_id, "won", "Bob Ray")
    said = text(let_in(rig).get(HISTORY))
    order = [said.index(part) for part in ("switched off Bob Ray", "switched on test", "Version 2")]
    assert order == sorted(order)


def test_a_rule_that_is_gone_is_still_called_by_its_name(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    rig.rule_on("won")
    rig.clock.advance(timedelta(minutes=1))
    save(rig, "Bob", document())
    assert "Rule “won deals” was switched off Bob" in text(let_in(rig).get(HISTORY))


def test_a_long_history_comes_in_pages_without_a_gap_or_a_repeat(rig: Rig) -> None:
    for number in range(12):
        save(rig, "Ann", document("won", terms={"text": str(number)}))
        rig.rule_on("won")
        rig.rule_off("won")  # at the same instant
    admin, seen, url = let_in(rig), [], HISTORY
    pages = 0
    while url:
        page = admin.get(url)
        pages += 1
        assert page.text.count('class="happened"') <= 20
        seen += re.findall(r"Version (\d+)|switched", text(page))
        older = re.search(r'href="(/app/history\?before=[^"]+)"', page.text)
        url = older[1] if older else ""
    assert pages == 2
    assert [int(number) for number in seen if number] == list(range(13, 0, -1))
    assert len(seen) == 37


def test_a_version_says_what_it_changed_and_what_going_back_would(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    save(rig, "Bob", document("won", action="email"))
    save(rig, "Ann", document("won", action="email", terms={"text": "30 days"}))
    then, back = text(let_in(rig).get(f"{HISTORY}/3")).split("What going back")
    assert "what is done with the invoice: Make a draft →" in then
    assert "Terms: “30 days” → –" in back
    assert "what is done" not in back
    assert "Restore version 3" in back


def test_a_restored_version_is_a_new_one(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    save(rig, "Bob", document("paid"))
    admin = let_in(rig)
    done = restored(admin, 2, seen=3)
    assert (done.status_code, rules_now(rig)) == (303, ["won"])
    said = text(admin.get(done.location))
    assert "Restored as a new version." in said
    assert "Version 4 current Ann Lee" in said


def test_a_rule_that_comes_back_is_off_and_one_that_goes_bills_nothing_and_both_are_said(
    rig: Rig,
) -> None:
    save(rig, "Ann", document("won"))
    rig.rule_on("won")
    save(rig, "Ann", document("paid"))
    rig.rule_on("paid")
    admin = let_in(rig)
    said = text(admin.get(f"{HISTORY}/2"))
    assert "Comes in switched off: won deals." in said
    assert "Is on now and goes: paid deals." in said
    restored(admin, 2, seen=3)
    assert not rig.rule_off("won")
    assert not rig.rule_off("paid")


def test_who_restores_what_somebody_else_changed_meanwhile_is_told(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    save(rig, "Ann", document("won", action="email"))
    save(rig, "Bob Ray", document("paid"))
    refused = restored(let_in(rig), 2, seen=3)
    assert refused.status_code == 422
    said = text(refused)
    assert "Somebody else saved meanwhile" in said
    assert "Version 4, Bob Ray" in said
    assert rules_now(rig) == ["paid"]
    assert 'name="version" value="4"' in refused.text  # who looked again may go on
    assert restored(let_in(rig), 2, seen=4).status_code == 303


def test_a_restore_that_names_no_version_it_saw_changes_nothing(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    save(rig, "Ann", document("paid"))
    admin = let_in(rig)
    for seen in ("", "x", "-1", "9" * 40, "²"):
        refused = admin.post(f"{HISTORY}/2", data={"version": seen})
        assert (refused.status_code, rules_now(rig)) == (422, ["paid"])


def test_the_current_version_offers_no_way_back_to_itself(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    assert "Restore" not in text(let_in(rig).get(f"{HISTORY}/2"))


def test_one_that_is_the_same_offers_none_either(rig: Rig) -> None:
    for action in ("draft", "email", "draft"):
        save(rig, "Ann", document("won", action=action))
    said = text(let_in(rig).get(f"{HISTORY}/2"))
    assert "Nothing: the settings are the same now." in said
    assert "Restore" not in said


def test_an_unknown_version_is_not_there(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    admin = let_in(rig)
    for path in ("0", "3", "999999999", "9" * 30, "-1", "x", "1.5"):
        assert admin.get(f"{HISTORY}/{path}").status_code == 404
        assert restored(admin, path, seen=2).status_code in (404, 405)
    assert rules_now(rig) == ["won"]


def test_a_place_in_the_history_that_is_none_is_not_there(rig: Rig) -> None:
    admin = let_in(rig)
    for cursor in ("x", "1-2", "1-7-1", "1-0-" + "9" * 30, "9" * 17 + "-0-1"):
        assert admin.get(f"{HISTORY}?before={cursor}").status_code == 404, cursor


def test_before_everything_there_is_nothing(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    assert "There is nothing older." in text(let_in(rig).get(f"{HISTORY}?before=5-0-1"))


def test_another_accounts_history_is_out_of_reach(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    rig.sandbox.kommo.add_account("stranger")
    other = rig.connect_kommo(None, account="stranger").account_id
    page = let_in(rig, account_id=other)
    assert page.get(f"{HISTORY}/2").status_code == 404
    assert restored(page, 2, seen=1).status_code == 404
    assert "Ann" not in text(page.get(HISTORY)).replace("Ann Lee", "")


def test_a_manager_sees_no_settings(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    manager = let_in(rig, Role.MANAGER)
    for path in (HISTORY, f"{HISTORY}/1", f"{HISTORY}/import"):
        assert manager.get(path).status_code == 403
    assert manager.post(f"{HISTORY}/export").status_code == 403


def test_a_version_that_this_billhook_cannot_read_keeps_its_place(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    with rig.database.write() as session:
        session.add(
            SettingsVersionRow(
                account_id=rig.account_id,
                number=3,
                document={"rules": [], "mapping": {"from_the_future": 1}},
                author="Later",
                created_at=rig.clock.now(),
            )
        )
    rig.clock.advance(timedelta(minutes=1))
    save(rig, "Ann", document("won"))
    admin = let_in(rig)
    assert "What differs cannot be told" in text(admin.get(HISTORY))
    assert "This version cannot be restored" in text(admin.get(f"{HISTORY}/3"))
    assert restored(admin, 3, seen=4).status_code == 422


def test_what_people_wrote_never_becomes_markup(rig: Rig) -> None:
    evil = document("won", notes={"text": "<script>alert(1)</script>"})
    evil["rules"][0]["name"] = "<img src=x>"
    save(rig, "<b>Eve</b>", evil)
    admin = let_in(rig)
    for path in (HISTORY, f"{HISTORY}/2"):
        page = admin.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>Eve" not in page
