"""The mapping's page: what is typed is saved, refused beside its field, or shown again."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from server.core.states import JobState
from server.flows.change_settings import newest
from server.sandbox.faults import Fault
from server.store.jobs import JobKind
from server.web.auth import Role
from tests.core.test_settings import FULL
from tests.rig import Rig
from tests.web.letting_in import LetIn, let_in
from tests.web.mapping_desk import URL, changed, controls, mapping_of, version_of


@pytest.fixture
def admin(rig: Rig) -> LetIn:
    return let_in(rig)


@pytest.fixture
def dead(rig: Rig) -> Iterator[None]:
    """Kommo refuses everything."""
    fault = rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None, status=503))
    yield
    rig.sandbox.faults.remove(fault.id)


def test_the_page_that_nobody_touched_saves_what_was_there(rig: Rig, admin: LetIn) -> None:
    rig.settings(FULL)
    before = newest(rig.world, rig.account_id)
    saved = admin.post(URL, data=controls(admin.get(URL)))
    assert saved.status_code == 303
    assert newest(rig.world, rig.account_id) == before  # nothing differs: no version


def test_what_is_typed_is_saved_and_the_rules_stay(rig: Rig, admin: LetIn) -> None:
    rig.settings(FULL)
    form = changed(admin, notes__0__kind="text", notes__0__text="Thank you, {Contact: Name}\r\nAnn")
    saved = admin.post(URL, data=form)
    assert saved.status_code == 303
    assert "Saved." in admin.get(saved.location).text
    document = mapping_of(rig)
    assert document.mapping.notes is not None
    assert document.mapping.notes.text == "Thank you, {contact.name}\nAnn"
    assert [rule.slug for rule in document.rules] == ["won"]


def test_on_its_own_page_the_form_needs_its_key(rig: Rig) -> None:
    admin = let_in(rig, where="app")
    form = controls(admin.get(URL))
    assert admin.post(URL, data={**form, "csrf": ""}).status_code == 403
    assert admin.post(URL, data=form).status_code == 303


def test_looking_the_mapping_through_is_a_step_of_the_set_up(rig: Rig, admin: LetIn) -> None:
    assert admin.get("/app/").text.count('class="done"') == 2
    admin.post(URL, data=controls(admin.get(URL)))
    assert admin.get("/app/").text.count('class="done"') == 3


def test_a_refused_form_comes_back_with_all_that_was_typed(rig: Rig, admin: LetIn) -> None:
    text, before = "{Deal: Nmae} & <b>", version_of(rig)
    form = changed(admin, notes__0__kind="text", notes__0__text=text, numbering__next="0")
    refused = admin.post(URL, data=form)
    assert refused.status_code == 422
    assert controls(refused) == form
    page = unescape(refused.text)
    assert page.count("Did you mean “Deal: Name”?") == 2  # above, and beside the field
    assert 'id="notes-0-text-error"' in page
    assert re.search(r'id="notes-0-text"[^>]*aria-invalid="true"', page)
    assert "Must be at least 1." in page
    assert version_of(rig) == before


def test_who_was_overtaken_keeps_theirs_and_his_own(rig: Rig, admin: LetIn) -> None:
    mine = changed(
        admin,
        notes__0__kind="text",
        notes__0__text="mine",
        terms__0__kind="text",
        terms__0__text="t",
    )
    other = let_in(rig)
    theirs = {"notes-0-kind": "text", "notes-0-text": "hers", "numbering-prefix": "A"}
    assert other.post(URL, data={**controls(other.get(URL)), **theirs}).status_code == 303
    told = admin.post(URL, data=mine)
    assert told.status_code == 422
    page = unescape(told.text)
    assert "Somebody else saved meanwhile" in page
    assert "Ann Lee" in page
    assert "Saved meanwhile: hers" in page
    form = controls(told)
    names = ("notes-0-text", "terms-0-text", "numbering-prefix")
    assert [form[name] for name in names] == ["mine", "t", "A"]
    assert admin.post(URL, data=form).status_code == 303
    mapping = mapping_of(rig).mapping
    assert mapping.notes is not None
    assert (mapping.notes.text, mapping.numbering.prefix) == ("mine", "A")


def test_the_second_click_of_two_is_saved_too(rig: Rig, admin: LetIn) -> None:
    form, before = changed(admin, notes__0__kind="text", notes__0__text="Thanks"), version_of(rig)
    for _click in range(2):
        assert "said=saved" in admin.post(URL, data=form).location
    assert version_of(rig) == before + 1


def test_a_field_that_is_gone_is_marked_and_kept(rig: Rig, admin: LetIn) -> None:
    gone = {"text": "x {deal.cf.999}", "or": {"field": "company.cf.998"}}
    rig.settings({"rules": [], "mapping": {"notes": gone}})
    page = admin.get(URL)
    assert page.text.count("does not exist any more in Kommo") == 2
    assert admin.post(URL, data=controls(page)).status_code == 303
    assert mapping_of(rig).to_json()["mapping"]["notes"] == gone


@pytest.mark.usefixtures("dead")
def test_a_dead_kommo_shows_the_page_with_a_notice(rig: Rig, admin: LetIn) -> None:
    rig.settings(FULL)
    page = admin.get(URL)
    assert page.status_code == 200
    assert 'class="note"' in page.text
    assert "deal.cf.55" in page.text  # a known key stays as it is
    form = controls(page) | {"terms-0-kind": "field", "terms-0-field": "Contact: Name"}
    assert admin.post(URL, data=form).status_code == 303
    mapping = mapping_of(rig).mapping
    assert mapping.terms is not None
    assert mapping.terms.field == "contact.name"
    assert mapping.currency is not None
    assert mapping.currency.field == "deal.cf.55"


def test_the_fields_are_made_by_one_click_and_the_page_follows(rig: Rig, admin: LetIn) -> None:
    codes = {"link": "MY_LINK", "number": None, "amount": None, "status": None}
    unsaved = changed(admin, write_back__link="MY_LINK")
    assert "Save first" in admin.post(f"{URL}/fields", data=unsaved).text
    rig.settings({"rules": [], "mapping": {"write_back": codes}})
    form = changed(admin, terms__0__kind="text", terms__0__text="kept")
    asked = admin.post(f"{URL}/fields", data=form)
    assert "Being created" in asked.text
    assert "<form" not in asked.text  # a part: the form stays as it is
    own = let_in(rig, where="app")
    whole = own.post(f"{URL}/fields", data={**form, "csrf": own.csrf})
    assert controls(whole)["terms-0-text"] == "kept"
    assert 'hx-trigger="every 2s"' in admin.get(f"{URL}/fields").text
    assert "not in Kommo yet" in asked.text
    rig.pump()
    done = admin.get(f"{URL}/fields").text
    assert "Done" in done
    assert "every 2s" not in done
    assert re.search(r"MY_LINK</code>\s*<span class=\"badge good\">", done)


def test_fields_that_cannot_be_made_yet_say_why(rig: Rig, admin: LetIn, dead: None) -> None:
    admin.post(f"{URL}/fields", data=changed(admin))
    rig.pump()
    assert rig.jobs(JobKind.ENSURE)[-1].state == JobState.RETRYING
    assert "tries it again by itself" in admin.get(f"{URL}/fields").text


def test_a_list_of_kommo_that_is_no_product_list_is_chosen(rig: Rig, admin: LetIn) -> None:
    services = rig.kommo.add_catalog("Services", type="regular")
    page = admin.get(URL)
    assert "Services" in page.text
    form = {**controls(page), f"lines-catalogs-{services.id}": "on"}
    assert admin.post(URL, data=form).status_code == 303
    assert mapping_of(rig).mapping.lines.catalogs == (services.id,)
    assert controls(admin.get(URL))[f"lines-catalogs-{services.id}"] == "on"


def test_deals_are_found_to_try_the_form_on(rig: Rig, admin: LetIn) -> None:
    pipeline = next(iter(rig.kommo.pipelines.values()))
    place = {"pipeline_id": pipeline.id, "stage_id": pipeline.stage("Talks").id}
    deal = rig.kommo.add_deal("Forty <chairs>", 90, **place)
    found = admin.get(f"{URL}/deals?q=Forty").text
    assert f'name="deal" value="{deal.id}" checked' in found
    assert "Forty &lt;chairs&gt;" in found
    assert 'class="note"' in admin.get(f"{URL}/deals?q=nobody+sold+it").text


def test_a_manager_does_not_see_the_mapping(rig: Rig) -> None:
    manager = let_in(rig, Role.MANAGER)
    assert manager.get(URL).status_code == 403
    assert manager.post(URL, data={}).status_code == 403


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"version": "x" * 99},
        {"version": "-5", "notes-0-kind": "magic", "lines-from": "\x00"},
        {"notes-0-kind": "text", "notes-0-text": "\x00\ud7ff\ufffe{"},
        {"taxes-table-0-value": "a", "taxes-table-0-0-percent": "1e999"},
        {"numbering-next": "9" * 5000, "numbering-kind": "sequence"},
        {"lines-catalogs": "shown", "lines-catalogs-٣": "on", "lines-catalogs-" + "9" * 40: "on"},
        {f"notes-{level}-kind": "text" for level in range(60)}
        | {f"notes-{level}-text": "x" for level in range(60)},
    ],
)
def test_no_form_whatever_breaks_the_page(admin: LetIn, form: dict[str, str]) -> None:
    for path in ("", "/form", "/check", "/fields"):
        answer = admin.post(URL + path, data={"do": "drop:taxes-table-", **form})
        assert answer.status_code in (200, 303, 422), path
        assert "Traceback" not in answer.text


def test_two_hundred_fields_stand_on_the_page_once(rig: Rig, admin: LetIn) -> None:
    few = len(admin.get(URL).text)
    for number in range(200):
        rig.kommo.add_field("leads", "text", f"Field {number}")
    many = admin.post(f"{URL}/form", data={**changed(admin), "do": "refresh"})
    assert many.text.count('value="Deal: Field 7"') == 2  # for the invoice, and for its lines
    assert len(many.text) < 1.5 * few
