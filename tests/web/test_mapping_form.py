"""Document to form and back: nothing that a document may hold is lost on the way."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.settings import SettingsDocument, default_settings, validate
from server.core.vendor_lists import KnownField, Lists
from server.web import languages
from server.web.mapping_controls import Form, controls_of
from server.web.mapping_labels import Labels
from server.web.mapping_rows import FIXED, TABLE, added, dropped, filled
from server.web.mapping_typed import Typed
from tests.core import settings_documents
from tests.core.test_settings import FULL
from tests.fixed_clock import FixedClock
from tests.web.typed_mapping import LISTS, document_from, form_of, labels_of, source, taken, typed

DEEP = {"text": "a {deal.name} b\r\nc ", "or": {"field": "deal.code.ORDER"}}
ODD: dict[str, Any] = {
    "rules": FULL["rules"],
    "mapping": {
        "notes": {**DEEP, "or": {"field": "deal.cf.99", "or": {"text": "", "or": DEEP}}},
        "po_number": {"text": "two\nlines"},
        "lines": {"catalogs": [7, 2], "sku": {"field": "product.cf.77"}, "name": {"text": ""}},
        "taxes": {
            "field": "product.cf.78",
            "fixed": [{"name": "VAT", "percent": "1E+1"}],
            "table": {
                "": [],
                " a.b ": [{"name": "VAT", "percent": "21.500"}, {"name": "V", "percent": "4"}],
                "two\nlines": [{"name": "n\nm", "percent": "0"}],
            },
        },
        "client": {"email": {"field": "contact.code.EMAIL"}, "phone": None, "match_by": "company"},
        "numbering": {"kind": "sequence", "prefix": " A\t", "next": 10**30},
        "write_back": {"link": None},
    },
}


@pytest.fixture(autouse=True, scope="module")
def spoken() -> Iterator[None]:
    """A request, for the words that a person reads."""
    app = Flask(__name__)
    languages.install(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize("lists", [LISTS, Lists()], ids=["told", "never told"])
@pytest.mark.parametrize("data", [{"rules": [], "mapping": {}}, FULL, ODD])
def test_what_was_not_touched_comes_back_to_the_letter(data: Any, lists: Lists) -> None:
    document = validate(data)
    again = document_from(form_of(document, lists), document, lists)
    assert validate(again) == document
    assert json.dumps(again) == json.dumps(document.to_json())


@settings(deadline=None)
@given(settings_documents.documents)
def test_any_valid_document_survives_its_form(document: SettingsDocument) -> None:
    document = validate(document.to_json())
    assert validate(document_from(form_of(document), document, LISTS)) == document


@settings(deadline=None)
@given(settings_documents.documents, settings_documents.documents)
def test_a_form_that_is_another_documents_makes_that_mapping(
    document: SettingsDocument, other: SettingsDocument
) -> None:
    """Every control is read: what a form says does not hang on what was there before."""
    form = form_of(document)
    read = Typed(form, other, labels_of(document))
    if all(text.strip() for name, text in form.items() if _is_read(name, form)):
        assert read.errors == {}
        assert validate(read.data).mapping == document.mapping
        assert validate(read.data).rules == other.rules


def _is_read(name: str, form: Form) -> bool:
    """Whether it is the text of a level that is one: an empty one is an error when it is new."""
    control, _dash, kind = name.rpartition("-")
    return kind == "text" and form[f"{control}-kind"] == "text"


@given(st.dictionaries(st.sampled_from(sorted(form_of(validate(FULL)))), st.text(max_size=9)))
@settings(deadline=None)
def test_any_form_is_either_taken_or_refused_in_sentences(changes: Form) -> None:
    document = validate(FULL)
    read = Typed({**form_of(document), **changes}, document, labels_of(document))
    assert (read.document is None) == bool(read.errors)
    assert all(words.endswith((".", "?", "!")) for words in read.errors.values())
    if read.document is not None:
        assert validate(read.data) == read.document


def test_a_form_with_mistakes_makes_no_document() -> None:
    form = form_of(default_settings()) | {"numbering-next": "soon"}
    read = Typed(form, default_settings(), labels_of(default_settings()))
    assert read.document is None
    assert read.errors == {"numbering-next": "Must be a whole number."}


def test_half_a_form_changes_half() -> None:
    document = validate(FULL)
    assert document_from({}, document, LISTS) == document.to_json()


def test_a_field_is_found_by_its_name() -> None:
    mapping = taken(source("notes", "field", "deal:  order number"))
    assert mapping["notes"] == {"field": "deal.cf.12"}
    twin = taken(source("notes", "field", "Deal: Order number (14)"))
    assert twin["notes"] == {"field": "deal.cf.14"}
    assert taken(source("notes", "field", "deal.cf.5"))["notes"] == {"field": "deal.cf.5"}


@given(st.lists(st.text("aB1() {}:", max_size=6) | st.just("Name (1)"), max_size=8))
@settings(deadline=None)
def test_every_field_has_a_name_of_its_own_whatever_they_are_called(names: list[str]) -> None:
    fields = tuple(
        KnownField(f"deal.cf.{number}", name, "deal", "text")
        for number, name in enumerate(names, start=1)
    )
    labels = Labels(Lists(fields=fields, fetched_at=FixedClock().now()))
    for field in fields:
        text = f"x {{{labels.label(field.key)}}} y"
        assert labels.key(labels.label(field.key)) == field.key
        assert taken_by(labels, text) == f"x {{{field.key}}} y"


def taken_by(labels: Labels, text: str) -> Any:
    document = default_settings()
    form = {**controls_of(document, labels), **source("notes", "text", text)}
    return Typed(form, document, labels).data["mapping"]["notes"]["text"]


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    (error,) = typed(source("notes", "field", "Deal: Oder number")).errors.items()
    assert error == (
        "notes-0-field",
        "There is no field “Deal: Oder number”. Did you mean “Deal: Order number”?",
    )


def test_a_text_shows_fields_by_their_names() -> None:
    mapping = taken(source("notes", "text", "Order {Deal: Order number}, thanks\r\n:)"))
    assert mapping["notes"] == {"text": "Order {deal.cf.12}, thanks\n:)"}
    shown = controls_of(validate({"rules": [], "mapping": mapping}), labels_of(default_settings()))
    assert shown["notes-0-text"] == "Order {Deal: Order number}, thanks\n:)"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{Deal: Nobody}", "no field “Deal: Nobody”"),
        ("a {Deal: Name} {Deal: Order", "“{Deal: Order” has a brace without its other half"),
        ("{{Deal: order number}}", "one brace on each side: write {Deal: Order number}."),
        ("{{lead.name}}", "one brace on each side: write {Deal: Name}."),
        ("{deal.nmae}", "Did you mean “Deal: Name”?"),
        ("{}}", "names no field"),
        ("{}", "names no field"),
        ("   ", "Write a text"),
        ("\x00", "control characters"),
    ],
)
def test_a_text_that_cannot_be_read_is_told_beside_it(text: str, words: str) -> None:
    errors = typed(source("notes", "text", text)).errors
    assert words in errors["notes-0-text"]


def test_a_second_choice_is_kept_when_the_first_goes() -> None:
    mapping = taken({"client-email-0-kind": "none"})
    assert mapping["client"]["email"] == {"field": "company.code.EMAIL"}


def test_a_products_field_is_refused_where_there_is_no_product() -> None:
    second = source("notes", "field", "Product: Tax", level=1)
    errors = typed({**source("notes", "text", "x"), **second}).errors
    assert errors == {
        "notes-1-field": "“Product: Tax” is known for each line only; use a field of the deal."
    }


@pytest.mark.parametrize(
    ("changes", "control", "words"),
    [
        ({"lines-name-0-kind": "none", "lines-name-1-kind": "none"}, "lines-name-0-kind", "Choose"),
        ({"lines-from": "elsewhere"}, "lines-from", "Must be"),
        ({"notes-0-kind": "magic"}, "notes-0-kind", "Choose one of these"),
        ({"numbering-next": "soon"}, "numbering-next", "whole number"),
        ({"numbering-digits": "99"}, "numbering-digits", "at most 12"),
        ({"write_back-link": "my link"}, "write_back-link", "underscores"),
        ({"write_back-link": "a", "write_back-number": "A"}, "write_back-number", "two things"),
        ({"client-match_by": "vat"}, "client-vat_number-0-kind", "matched by it"),
        ({"discount-kind": "percent"}, "discount-value-0-kind", "Choose a field"),
        ({"taxes-field": "Product: Taxes"}, "taxes-field", "Did you mean “Product: Tax”?"),
        ({"taxes-fixed-0-percent": "a lot"}, "taxes-fixed-0-percent", "a number"),
        ({"taxes-fixed-0-percent": "5"}, "taxes-fixed-0-name", "must not be empty"),
        ({"taxes-table-0-0-percent": "5"}, "taxes-table-0-value", "Write the value"),
        (source("due_days", "text", "two weeks"), "due_days-0-text", "a whole number from 0 to"),
        (
            {"discount-kind": "percent", **source("discount-value", "text", "150", 1)},
            "discount-value-1-text",
            "“150” is no percent",
        ),
        (
            {"taxes-table-0-value": "a.b", "taxes-table-0-1-name": "x"},
            "taxes-table-0-1-percent",
            "a number",
        ),
    ],
)
def test_each_mistake_is_told_beside_its_control(changes: Form, control: str, words: str) -> None:
    errors = typed(changes).errors
    assert words.lower() in errors[control].lower(), errors


def test_a_value_is_not_taxed_in_two_ways() -> None:
    one = added(form_of(default_settings()), TABLE)
    same = {**one, "taxes-table-0-value": "Low", "taxes-table-1-value": "Low"}
    other = {**same, "taxes-table-1-value": "LOW"}
    assert typed(same).errors["taxes-table-1-value"] == "“Low” is here twice."
    assert "the same value" in typed(other).errors["taxes-table-1-value"]


def test_rates_are_read_as_people_write_them() -> None:
    row = {"taxes-fixed-0-name": "IVA", "taxes-fixed-0-percent": " 7,7 % "}
    assert taken(row)["taxes"]["fixed"] == [{"name": "IVA", "percent": "7.7"}]


def test_rows_come_and_go_in_the_form_alone() -> None:
    form = form_of(validate(FULL))
    more = added(added(form, FIXED), TABLE)
    assert "taxes-fixed-2-name" in more
    assert "taxes-table-3-value" in more
    less = dropped(more, "taxes-table-0")
    assert less["taxes-table-0-value"] == "None"
    read = Typed(less, validate(FULL), labels_of(validate(FULL)))
    assert read.data["mapping"]["taxes"]["table"] == {"None": []}
    assert dropped(form, "rules-0") == form
    assert dropped(dropped(form, f"{FIXED}-1"), f"{FIXED}-0")["taxes-fixed-0-name"] == ""


def test_the_values_of_a_tax_field_become_rows() -> None:
    form, new = filled(form_of(validate(FULL)), ["Standard", "Reduced", "Zero"])
    assert new == ["taxes-table-2", "taxes-table-3"]
    values = [form[f"taxes-table-{index}-value"] for index in range(5)]
    assert values == ["Standard", "None", "Reduced", "Zero", ""]


def test_lists_of_kommo_are_chosen_by_their_boxes() -> None:
    document = validate({"rules": [], "mapping": {"lines": {"catalogs": [7, 2]}}})
    form = form_of(document)
    del form["lines-catalogs-7"]
    mapping = document_from({**form, "lines-catalogs-5": "on"}, document, LISTS)["mapping"]
    assert mapping["lines"]["catalogs"] == [2, 5]


def test_where_kommo_is_dead_its_usual_fields_still_have_names() -> None:
    form = form_of(default_settings(), Lists())
    assert form["client-email-0-field"] == "Contact: E-mail"
    assert form["client-city-0-field"] == "Company: Address: city"
