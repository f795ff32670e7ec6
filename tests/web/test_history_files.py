"""The settings as a file, out by a ticket and in after a question."""

import json
import os
import re
from datetime import timedelta
from typing import Any

import pytest

from server.core import settings_file
from server.flows import change_settings
from server.web.auth import Role
from tests.rig import Rig
from tests.stories.shop import Shop
from tests.web.letting_in import LetIn, let_in
from tests.web.test_history import HISTORY, document, restored, rules_now, save, text

EXPORT, IMPORT = f"{HISTORY}/export", f"{HISTORY}/import"


def file(settings: Any) -> bytes:
    return settings if isinstance(settings, bytes) else json.dumps(settings).encode()


def taken(admin: LetIn, settings: Any, name: str = "settings.json") -> Any:
    parts = [
        f'Content-Disposition: form-data; name="csrf"\r\n\r\n{admin.csrf}'.encode(),
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + file(settings),
    ]
    body = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"
    return admin.post(IMPORT, data=body, content_type="multipart/form-data; boundary=edge")


def hidden(page: Any) -> dict[str, str]:
    """What the form of the question carries."""
    return dict(re.findall(r'name="(version|document|csrf)" value="([^"]*)"', page.text))


def link(admin: LetIn, **form: str) -> str:
    minted = admin.post(EXPORT, data={**form, "csrf": admin.csrf})
    return str(minted.headers.get("HX-Redirect") or minted.location)


def test_the_file_is_that_of_the_command(rig: Rig) -> None:
    save(rig, "Ann", document("won", notes={"text": "Ačiū"}))
    admin = let_in(rig, where="app")
    got = admin.get(link(admin))
    found, number = change_settings.newest(rig.world, rig.account_id)
    assert got.text == settings_file.written(found)
    assert settings_file.read(got.data) == found
    named = f'attachment; filename="billhook-demo-v{number}.json"'
    assert got.headers["Content-Disposition"] == named
    assert got.headers["Cache-Control"] == "no-store"


def test_any_version_can_be_had(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    save(rig, "Ann", document("paid"))
    admin = let_in(rig)
    got = admin.get(link(admin, number="2"))
    assert got.json["rules"][0]["slug"] == "won"
    assert "-v2.json" in got.headers["Content-Disposition"]
    assert admin.get(link(admin, number="9")).status_code == 404


def test_a_link_needs_no_session_and_ends_after_minutes(rig: Rig) -> None:
    """Inside Kommo's frame it is followed by the browser, which has no cookie of ours there."""
    where = link(let_in(rig))
    stranger = rig.app.test_client()
    assert stranger.get(where).status_code == 200
    rig.clock.advance(timedelta(minutes=5))
    assert stranger.get(where).status_code == 403


def test_a_link_opens_its_own_accounts_file_and_nothing_else_opens_it(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    mine = let_in(rig)
    ticket = link(mine).partition("ticket=")[2]
    rig.sandbox.kommo.add_account("stranger")
    other = rig.connect_kommo(None, account="stranger").account_id
    theirs = let_in(rig, account_id=other)
    assert theirs.get(link(theirs)).json["rules"] == []
    assert rig.app.test_client().get(f"{EXPORT}?ticket={ticket}").json["rules"]
    sealed = hidden(taken(mine, document("paid")))["document"]
    session = rig.world.vault.seal("session", [rig.account_id, "2099-01-01T00:00:00+00:00", 1])
    for wrong in ("", "x", ticket[:-9] + "AAAAAAAA=", session, sealed, "ž" * 50, "a" * 5000):
        answer = rig.app.test_client().get(EXPORT, query_string={"ticket": wrong})
        assert answer.status_code == 403


def test_htmx_is_sent_to_the_file_and_a_browser_led_there(rig: Rig) -> None:
    inside = let_in(rig).post(EXPORT)
    assert (inside.status_code, inside.text) == (204, "")
    assert inside.headers["HX-Redirect"].startswith(f"{EXPORT}?ticket=")
    own = let_in(rig, where="app")
    led = own.post(EXPORT, data={"csrf": own.csrf})
    assert (led.status_code, "HX-Redirect" in led.headers) == (303, False)


@pytest.mark.parametrize("where", ["kommo", "app"])
def test_a_file_is_compared_first_and_stored_when_that_is_confirmed(rig: Rig, where: str) -> None:
    save(rig, "Ann", document("won"))
    rig.rule_on("won")
    admin = let_in(rig, where=where)
    asked = taken(admin, document("paid", notes={"text": "Line one\nand two"}))
    said = text(asked)
    assert asked.status_code == 200
    assert "Rule “won deals” removed" in said
    assert "Rule “paid deals” added" in said
    assert "Comes in switched off: paid deals." in said
    assert "Is on now and goes: won deals." in said
    assert rules_now(rig) == ["won"]
    done = admin.post(IMPORT, data=hidden(asked))
    assert (done.status_code, rules_now(rig)) == (303, ["paid"])
    found, _number = change_settings.newest(rig.world, rig.account_id)
    assert found.mapping.notes is not None
    assert found.mapping.notes.text == "Line one\nand two"
    assert "Version 3 current Ann Lee" in text(admin.get(done.location))


def test_what_this_account_does_not_have_is_told_before_it_is_stored(rig: Rig) -> None:
    select = rig.kommo.add_field("leads", "select", "Currency", enums=["EUR"])
    pipeline = next(iter(rig.kommo.pipelines))
    theirs = document(
        "paid",
        notes={"text": "Order {deal.cf.8080}"},
        lines={"catalogs": [7070], "sku": {"field": "product.cf.6060", "or": {"text": "–"}}},
    )
    theirs["rules"][0] |= {
        "when": [{"pipeline_id": 5, "stage_id": 6}, {"pipeline_id": pipeline, "stage_id": 6}],
        "conditions": [
            {"field": "deal.cf.9090", "is": "filled"},
            {"field": f"deal.cf.{select.id}", "is": "not", "value": "LTL"},
        ],
    }
    said = text(taken(let_in(rig), theirs))
    for lack in (
        "Rule “paid deals”: There is no pipeline 5.",
        "Rule “paid deals”: The pipeline “Sales” has no stage 6.",
        "Rule “paid deals”: There is no field deal.cf.9090.",
        "Rule “paid deals”: Deal: Currency has no choice “LTL”.",
        "Mapping, Lines: Kommo lists: There is no list 7070.",
        "Mapping, Notes: There is no field deal.cf.8080.",
        "Mapping, Line: article number: There is no field product.cf.6060.",
    ):
        assert lack in said
    assert "Import it" in said
    made = rig.kommo.add_field("leads", "text", "Made a moment ago")
    theirs["rules"][0]["conditions"][0]["field"] = f"deal.cf.{made.id}"
    assert f"deal.cf.{made.id}" not in text(taken(let_in(rig), theirs))


def test_what_goes_out_comes_in_as_no_change(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    admin = let_in(rig)
    said = text(taken(admin, admin.get(link(admin)).data))
    assert "Nothing: the file says what the settings say already." in said
    assert "Import it" not in said


def test_who_imports_over_what_somebody_saved_meanwhile_is_told(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    admin = let_in(rig)
    asked = taken(admin, document("paid"))
    save(rig, "Bob Ray", document("won", "sent"))
    refused = admin.post(IMPORT, data=hidden(asked))
    assert refused.status_code == 422
    said = text(refused)
    assert "Version 3, Bob Ray" in said
    assert "Rule “sent deals” removed" in said
    assert rules_now(rig) == ["won", "sent"]
    assert admin.post(IMPORT, data=hidden(refused)).status_code == 303
    assert rules_now(rig) == ["paid"]


BROKEN = [
    (b"", "The file is empty"),
    (b'{"rules": [],\n', "The file is not JSON, line 2"),
    ("{}".encode("utf-16"), "The file is not text in UTF-8"),
    (b"[" * 500_000, "The file is nested too deeply"),
    (b" " * 1_000_001, "The file is larger than 1,000,000 bytes"),
    (b" " * 1_060_000, "The file is larger than 1 MB"),
    ({"rules": [{}], "mapping": {}}, "rules.0.slug is missing"),
    ({"rules": [], "mapping": {"nots": 1}}, "mapping.nots is not known here"),
    ({"rules": [], "mapping": {}, "\ud800": 1}, "The file must be readable text"),
    (rb'{"\ud800": 1, "\ud800": 1}', "has “?” twice"),
    ({"rules": [], "mapping": {}, "x" * 500_000: 1}, "… is not known here"),
    ({"rules": [{}] * 100, "mapping": {}}, "and 270 more"),
    ({"rules": [], "mapping": {"notes": {"text": "{deal.nme}"}}}, "mapping.notes.text"),
]


@pytest.mark.parametrize("where", ["kommo", "app"])
def test_a_broken_file_is_refused_with_its_errors_and_nothing_is_stored(
    rig: Rig, where: str
) -> None:
    save(rig, "Ann", document("won"))
    admin = let_in(rig, where=where)
    for broken, sentence in BROKEN:
        refused = taken(admin, broken)
        assert refused.status_code == 422, sentence
        said = text(refused)
        assert sentence in said
        assert "Nothing was stored." in said
        assert 'aria-invalid="true"' in refused.text
        assert len(refused.data) < 30_000
    assert change_settings.newest(rig.world, rig.account_id)[1] == 2


def test_no_file_at_all_is_asked_for(rig: Rig) -> None:
    admin = let_in(rig)
    empty = admin.post(IMPORT, data={}, content_type="multipart/form-data")
    assert empty.status_code == 422
    assert "Choose a file first." in text(empty)
    assert taken(admin, b"{}", name="").status_code == 422


def test_a_confirmation_that_is_old_forged_or_another_accounts_stores_nothing(rig: Rig) -> None:
    save(rig, "Ann", document("won"))
    admin = let_in(rig, where="app")
    sealed = hidden(taken(admin, document("paid")))
    ticket = link(admin).partition("ticket=")[2]
    rig.sandbox.kommo.add_account("stranger")
    mine = rig.account_id
    other = let_in(rig, account_id=rig.connect_kommo(None, account="stranger").account_id)
    strangers = hidden(taken(other, document("theirs")))["document"]
    for wrong in ("", "x", ticket, strangers, sealed["document"][:-9] + "AAAAAAAA="):
        refused = admin.post(IMPORT, data={**sealed, "document": wrong})
        assert (refused.status_code, "Choose the file again" in refused.text) == (422, True)
    rig.clock.advance(timedelta(hours=1))
    assert admin.post(IMPORT, data=sealed).status_code == 422
    assert change_settings.newest(rig.world, mine)[1] == 2


def test_a_file_that_no_form_could_carry_is_sent_to_the_command(rig: Rig) -> None:
    noise = os.urandom(300_000).hex()
    refused = taken(let_in(rig), document("won", notes={"text": noise}))
    assert refused.status_code == 422
    assert "billhook settings import" in text(refused)


def test_very_long_settings_pass_through_the_question(rig: Rig) -> None:
    admin = let_in(rig, where="app")
    many = document(*(f"rule-{number}" for number in range(2000)))
    asked = taken(admin, many)
    assert asked.status_code == 200
    assert admin.post(IMPORT, data=hidden(asked)).status_code == 303
    assert len(rules_now(rig)) == 2000


def test_a_file_of_a_stranger_never_becomes_markup(rig: Rig) -> None:
    admin = let_in(rig)
    for page in (
        taken(admin, {"<b>x</b>": 1}, name="<i>evil</i>.json"),
        taken(admin, document("won", terms={"text": "<script>x</script>"}), name="<i>a.json"),
    ):
        assert not re.search(r"<(b|i|script)>", page.text)


def test_a_manager_may_take_nothing_in(rig: Rig) -> None:
    assert taken(let_in(rig, Role.MANAGER), document("won")).status_code == 403


def test_a_version_that_contradicts_what_was_billed_since_is_refused_in_words(rig: Rig) -> None:
    shop = Shop(rig)
    other = shop.document("draft", {}, series="other")
    save(rig, "Ann", other)
    save(rig, "Ann", shop.document("draft", {}))
    shop.issue(shop.deal())
    refused = restored(let_in(rig), 3, seen=4)
    assert refused.status_code == 422
    said = text(refused)
    assert "It was not restored." in said
    assert "rules.0.series cannot change: the rule has billed deals." in said
    file = let_in(rig)
    asked = taken(file, other)
    assert "Nothing was stored." in text(file.post(f"{HISTORY}/import", data=hidden(asked)))
    assert change_settings.newest(rig.world, rig.account_id)[1] == 4
