"""What a rule's form answers while it is typed: editors, and errors beside their controls.

Nothing is saved here, so one account serves all.
"""

from collections.abc import Iterator

import pytest

from tests.rig import Rig
from tests.web.rule_desk import Desk, condition, errors_in


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Rig(tmp_path_factory.mktemp("billhook")) as rig:
        yield Desk(rig.connect())


@pytest.mark.parametrize(
    ("test", "control"),
    [
        ("equals", '<option value="USD">'),
        ("in", '<input type="checkbox" name="value-0" value="USD">'),
    ],
)
def test_a_select_shows_its_options(desk: Desk, test: str, control: str) -> None:
    form = condition("Deal: Currency", test)
    live = desk.send("/_row?at=0", **form)
    assert live.status_code == 200
    assert control in live.text
    assert 'id="field-0-error"' in live.text
    assert "There is no such field" not in live.text


@pytest.mark.parametrize(
    ("field", "control"),
    [
        ("Deal: Delivery date", 'type="date"'),
        ("Deal: Amount", 'inputmode="decimal"'),
        ("Deal: Urgent", '<option value="false"'),
        ("Deal: Order number", '<input id="value-0"'),
    ],
)
def test_each_kind_of_field_has_its_editor(desk: Desk, field: str, control: str) -> None:
    assert control in desk.send("/_row?at=0", **condition(field, "equals")).text


def test_a_comparison_that_a_field_does_not_know_gives_way(desk: Desk) -> None:
    live = desk.send("/_row?at=0", **condition("Deal: Currency", "greater", "5")).text
    assert '<option value="equals" selected>' in live
    assert 'value="greater"' not in live


def test_a_value_of_another_kind_of_field_goes_and_one_that_fits_stays(desk: Desk) -> None:
    urgent, order = (f"deal.cf.{field.id}" for field in (desk.urgent, desk.order))
    currency = f"deal.cf.{desk.currency.id}"

    def live(field: str, value: str, before: str) -> str:
        form = condition(field, "equals", value) | {"of-0": before}
        return str(desk.send("/_row?at=0", **form).text)

    assert 'value="true"' not in live("Deal: Currency", "true", urgent)
    assert 'value="true"' not in live("Deal: Order number", "true", urgent)
    assert 'value="A-1"' in live("Company: Name", "A-1", order)
    assert "LTL (deleted)" in live("Deal: Currency", "LTL", currency)
    form = condition("Deal: Currency", "greater", "true") | {"of-0": urgent}
    assert desk.refused(**form) == {"value-0": "Choose a value."}


def test_what_is_missing_is_said_beside_its_control(desk: Desk) -> None:
    form = condition("", "equals", "x") | condition("Deal: Amount", "equals", "", number=3)
    assert desk.refused(name=" ", when=[], action="", match="some", **form) == {
        "name": "Give the rule a name.",
        "when": "Choose at least one stage.",
        "field-0": "Choose a field, or remove this condition.",
        "value-3": "Enter a value.",
        "action": "Choose what happens.",
        "match": "Choose one of the two.",
    }


@pytest.mark.parametrize(
    ("field", "test", "value", "control", "sentence"),
    [
        ("Deal: Order nmber", "filled", "", "field-0", "Did you mean “Deal: Order number”?"),
        ("zzzzzz", "filled", "", "field-0", "Choose one from the list."),
        ("deal.cf.999", "filled", "", "field-0", "does not exist any more in Kommo"),
        ("product.price", "filled", "", "field-0", "field of the deal, its contact"),
        ("Deal: Currency", "equals", "LTL", "value-0", "“LTL” is no choice"),
        ("Deal: Currency", "in", "EUR\nLTL", "value-0", "“LTL” is no choice"),
        ("Deal: Currency", "equals", "", "value-0", "Choose a value."),
        ("Deal: Urgent", "equals", "perhaps", "value-0", "Choose a value."),
        ("Deal: Amount", "equals", "1,5", "value-0", "Enter a number"),
        ("Deal: Amount", "greater", "1e999999", "value-0", "Enter a number"),
        ("Deal: Delivery date", "greater", "31.12.2026", "value-0", "Enter a date"),
        ("Deal: Delivery date", "equals", "99999-01-01", "value-0", "Enter a date"),
        ("Deal: Order number", "greater", "many", "value-0", "a number or a date"),
        ("Deal: Order number", "equals", "x" * 501, "value-0", "at most 500"),
        ("Deal: Order number", "equals", "a\x00b", "value-0", "cannot be read"),
        ("Deal: Order number", "like", "x", "is-0", "Choose how to compare."),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    desk: Desk, field: str, test: str, value: str, control: str, sentence: str
) -> None:
    found = desk.refused(**condition(field, test, value))
    assert list(found) == [control]
    assert sentence in found[control]


@pytest.mark.parametrize(
    "place", ["", "x", "1", "1:2:3", "0:0", "-1:5", "9" * 40 + ":1", "1:٣", "<b>:1", "1:2"]
)
def test_a_stage_that_is_none_is_refused(desk: Desk, place: str) -> None:
    assert "does not exist any more" in desk.refused(when=[desk.won, place])["when"]


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b", "x" * 100_000])
def test_an_odd_name_is_refused(desk: Desk, name: str) -> None:
    assert list(desk.refused(name=name)) == ["name"]


@pytest.mark.parametrize("series", ["Deposit", "a b", "x" * 61, "é", "a\x00"])
def test_an_odd_series_is_refused(desk: Desk, series: str) -> None:
    assert list(desk.refused(series=series)) == ["series"]


def test_a_form_that_is_too_much_is_refused_in_a_sentence(desk: Desk) -> None:
    answer = desk.send(name="x" * 2_000_000)
    assert answer.status_code == 413
    assert "too much" in answer.text


def test_one_control_is_checked_while_it_is_typed(desk: Desk) -> None:
    wrong = desk.send("/_check?at=name", name="")
    assert wrong.status_code == 200
    assert errors_in(wrong.text) == {"name": "Give the rule a name."}
    right = desk.send("/_check?at=name").text
    assert errors_in(right) == {}
    assert 'id="name-error"' in right
    for odd in ("", "nothing", "name-1x", '"><script>', "x" * 1000):
        assert desk.admin.post("/app/rules/_check", query_string={"at": odd}).status_code == 404
    for odd in ("", "7", "x"):
        assert desk.admin.post("/app/rules/_row", query_string={"at": odd}).status_code == 404


def test_a_rule_that_never_was_is_not_made_by_its_address(desk: Desk) -> None:
    for version in (desk.version, 0, 1, -1):
        assert desk.send("/nobody", version=version).status_code == 404
    assert desk.slugs == ["won", "paid"]
