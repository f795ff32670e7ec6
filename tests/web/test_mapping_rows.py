"""Rows of the mapping's form: checked as they change, added and taken away, filled by a field."""

import re
from html import unescape

import pytest

from tests.core.test_settings import FULL
from tests.rig import Rig
from tests.web.letting_in import LetIn, let_in
from tests.web.mapping_desk import URL, changed, controls, version_of


@pytest.fixture
def admin(rig: Rig) -> LetIn:
    return let_in(rig)


def test_one_field_is_checked_alone(admin: LetIn) -> None:
    form = changed(admin, numbering__digits="99", terms__0__kind="text")
    told = admin.post(f"{URL}/check", data=form, headers={"HX-Trigger": "numbering-digits-row"})
    assert unescape(told.text).strip() == (
        '<p class="error live-error" id="numbering-digits-error">Must be at most 12.</p>'
        '<input type="hidden" name="told" value="numbering-digits">'
    )


def test_a_change_is_told_beside_the_row_that_it_makes_wrong_or_right(admin: LetIn) -> None:
    form = changed(admin, discount__kind="percent") | {
        "discount-value-0-kind": "text",
        "discount-value-0-text": "150",
    }
    here = {"HX-Trigger": "discount-kind-row"}
    told = unescape(admin.post(f"{URL}/check", data=form, headers=here).text)
    beside = 'id="discount-value-0-told" hx-swap-oob="innerHTML"'
    assert "“150” is no percent" in told.partition(beside)[2]
    mended = form | {"discount-kind": "amount", "told": "discount-value-0-text"}
    told = admin.post(f"{URL}/check", data=mended, headers=here).text
    assert 'id="discount-value-0-text-error"></p>' in told.partition(beside)[2]


def test_what_is_still_empty_is_no_mistake_yet(admin: LetIn) -> None:
    form = changed(admin, notes__0__kind="text")
    told = admin.post(f"{URL}/check", data=form, headers={"HX-Trigger": "notes-0"})
    assert re.sub("<[^>]*>", "", told.text).strip() == ""
    assert "Write a text" in admin.post(URL, data=form).text


def test_rows_are_added_and_taken_away_without_saving(rig: Rig, admin: LetIn) -> None:
    rig.settings(FULL)
    before = version_of(rig)
    form = changed(admin, terms__0__kind="text", terms__0__text="soon")
    more = admin.post(f"{URL}/form", data={**form, "do": "add:taxes-table"})
    assert more.status_code == 200
    assert "taxes-table-3-value" in controls(more)
    assert controls(more)["terms-0-text"] == "soon"
    less = admin.post(f"{URL}/form", data={**controls(more), "do": "drop:taxes-table-0"})
    assert controls(less)["taxes-table-0-value"] == "None"
    assert version_of(rig) == before


def test_the_choices_of_the_tax_field_become_rows(rig: Rig, admin: LetIn) -> None:
    products = rig.kommo.add_catalog("Products")
    names = ["Standard", "Reduced"]
    rig.kommo.add_field("catalogs", "select", "Tax kind", enums=names, catalog_id=products.id)
    form = changed(admin, taxes__field="Product: Tax kind")
    page = admin.post(f"{URL}/form", data={**form, "do": "values"})
    rows = controls(page)
    assert [rows[f"taxes-table-{index}-value"] for index in range(3)] == [*names, ""]
    assert "2 rows were added: without a rate" in page.text
    assert "has its row" in admin.post(f"{URL}/form", data={**rows, "do": "values"}).text
    other = admin.post(f"{URL}/form", data={**rows, "taxes-field": "Deal: Name", "do": "values"})
    assert "“Deal: Name” has no list of choices." in unescape(other.text)
