"""A rule's form: what is typed, what it means, what is wrong with it, and who was first."""

import re
from html import unescape
from typing import Any

import pytest

from server.core.settings_model import Rule
from server.flows import change_settings
from server.sandbox.faults import Fault
from tests.rig import Rig
from tests.web.letting_in import let_in
from tests.web.test_rules import WON, Shelf


class Desk(Shelf):
    """The rules "won" and "paid", and an account with fields of every kind."""

    def __init__(self, rig: Rig) -> None:
        add = rig.kommo.add_field
        self.currency = add("leads", "select", "Currency", enums=["EUR", "USD", "GBP"])
        self.urgent = add("leads", "checkbox", "Urgent")
        self.due = add("leads", "date", "Delivery date")
        self.order = add("leads", "text", "Order number")
        super().__init__(rig)
        self.won = f"{self.pipeline.id}:{WON}"

    def send(self, path: str = "/new", **form: Any) -> Any:
        """A form that is complete but for what ``form`` says."""
        whole = {"name": "Big deals", "when": [self.won], "match": "all", "action": "draft"}
        return self.post(path, **{**whole, **form})

    def saved(self, slug: str = "big-deals") -> Rule:
        document, _number = self.newest()
        return next(rule for rule in document.rules if rule.slug == slug)

    def made(self, **form: Any) -> Rule:
        answer = self.send(**form)
        assert answer.status_code == 303, answer.text
        return self.saved()

    def refused(self, path: str = "/new", **form: Any) -> dict[str, str]:
        """Its errors by their controls; nothing was saved."""
        before = self.version
        answer = self.send(path, **form)
        assert answer.status_code == 422, answer.status_code
        assert self.version == before
        return errors_in(answer.text)


def errors_in(page: str) -> dict[str, str]:
    found = re.findall(r'<p class="error[^"]*" id="([^"]+)-error"[^>]*>([^<]+)</p>', page)
    return {control: unescape(sentence) for control, sentence in found}


def condition(field: str, test: str, *values: str, number: int = 0) -> dict[str, Any]:
    return {f"field-{number}": field, f"is-{number}": test, f"value-{number}": list(values)}


@pytest.fixture
def desk(rig: Rig) -> Desk:
    return Desk(rig)


def test_a_new_rule_is_saved_and_is_off(desk: Desk) -> None:
    answer = desk.send(still="on", action="mark_sent")
    assert (answer.status_code, desk.slugs) == (303, ["won", "paid", "big-deals"])
    rule = desk.saved()
    assert (rule.name, rule.action, rule.still_in_stage) == ("Big deals", "mark_sent", True)
    assert [(one.pipeline_id, one.stage_id) for one in rule.when] == [(desk.pipeline.id, WON)]
    assert desk.on() == []


def test_the_slug_stays_when_the_rule_is_renamed(desk: Desk) -> None:
    assert desk.send("/won", name="Something else").status_code == 303
    assert desk.slugs == ["won", "paid"]
    assert desk.saved("won").name == "Something else"


def test_two_rules_of_one_name_are_two(desk: Desk) -> None:
    desk.send(name="Won")
    assert desk.slugs == ["won", "paid", "won-2"]


@pytest.mark.parametrize("name", ["New", "Row", "продажи"])
def test_any_name_has_a_page(desk: Desk, name: str) -> None:
    """Also one whose slug is another address of ours."""
    desk.send(name=name)
    listed = desk.admin.get("/app/rules").text
    links = re.findall(rf'<h2><a href="([^"]+)">{name}</a>', listed)
    assert f'value="{name}"' in desk.admin.get(links[0]).text
    slug = desk.slugs[-1]
    path = links[0].removeprefix("/app/rules")
    assert desk.send(path, name=name, action="email").status_code == 303
    assert desk.saved(slug).action == "email"


@pytest.mark.parametrize(
    ("field", "test", "values", "key", "value"),
    [
        ("Deal: Currency", "equals", ["USD"], "deal.cf.{currency}", "USD"),
        ("deal:  currency ", "in", ["EUR", "USD"], "deal.cf.{currency}", ("EUR", "USD")),
        ("Currency", "filled", [], "deal.cf.{currency}", None),
        ("deal.cf.{currency}", "equals", ["GBP"], "deal.cf.{currency}", "GBP"),
        ("Deal: Urgent", "equals", ["true"], "deal.cf.{urgent}", "true"),
        ("Deal: Delivery date", "greater", ["2026-12-31"], "deal.cf.{due}", "2026-12-31"),
        ("Deal: Amount", "greater", [" 1000.50 "], "deal.price", "1000.50"),
        ("Deal: Order number", "in", ["A\r\nB\n\n A"], "deal.cf.{order}", ("A", "B")),
        ("Company: Name", "equals", ["<b>Acme</b>"], "company.name", "<b>Acme</b>"),
    ],
)
def test_a_condition_is_what_was_chosen(
    desk: Desk, field: str, test: str, values: list[str], key: str, value: Any
) -> None:
    ids = {name: getattr(desk, name).id for name in ("currency", "urgent", "due", "order")}
    rule = desk.made(**condition(field.format(**ids), test, *values))
    (one,) = rule.conditions
    assert (one.field, one.test, one.value) == (key.format(**ids), test, value)
    again = desk.admin.get("/app/rules/big-deals").text
    assert desk.send("/big-deals", **_form_of(again)).status_code == 303
    assert desk.saved().conditions == rule.conditions


def _form_of(page: str) -> dict[str, Any]:
    """What a browser would send of a form's condition, untouched."""
    field = re.search(r'name="field-0"[^>]*value="([^"]*)"', page)
    test = re.search(r'<option value="(\w+)" selected>is', page)
    area = re.search(r'name="value-0"[^>]*>([^<]*)</textarea>', page)
    ticked = re.findall(r'name="value-0" value="([^"]*)" checked', page)
    after = page.partition('name="value-0"')[2]
    chosen = re.findall(r'<option value="([^"]*)" selected', after)
    plain = re.findall(r'^[^>]*value="([^"]*)"', after)
    assert field is not None
    assert test is not None
    values = [area[1]] if area else ticked or chosen[:1] or plain[:1]
    return condition(unescape(field[1]), test[1], *map(unescape, values))


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


def test_rows_come_and_go_and_nothing_typed_is_lost(desk: Desk) -> None:
    typed = condition("Deal: Nonsense", "greater", "<5>") | {"still": "on", "name": ""}
    more = desk.send(add="1", **typed)
    assert more.status_code == 200
    assert 'value="Deal: Nonsense"' in more.text
    assert 'value="&lt;5&gt;"' in more.text
    assert 'name="still" checked' in more.text
    assert f'value="{desk.won}" checked' in more.text
    assert more.text.count('name="field-1"') == 1
    typed |= condition("Deal: Amount", "equals", "7", number=1)
    less = desk.send(remove="0", **typed).text
    assert "Nonsense" not in less
    assert 'value="Deal: Amount"' in less
    assert desk.slugs == ["won", "paid"]


def test_kommo_is_read_again_under_the_typed_form(desk: Desk) -> None:
    desk.admin.get("/app/rules/new")
    desk.pipeline.stage("Closed - won").name = "Paid in full"
    assert "Paid in full" not in desk.admin.get("/app/rules/new").text
    page = desk.send(refresh="", name="Half a na").text
    assert "Paid in full" in page
    assert 'value="Half a na"' in page


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
        ("zzzzzz", "filled", "", "field-0", "Choose one of the list."),
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


def test_a_form_that_is_too_much_is_refused_in_a_sentence(desk: Desk) -> None:
    answer = desk.send(name="x" * 2_000_000)
    assert answer.status_code == 413
    assert "too much" in answer.text


def test_while_kommo_is_dead_a_rule_is_kept_as_it_is_and_can_be_changed(desk: Desk) -> None:
    conditions = [{"field": f"deal.cf.{desk.currency.id}", "is": "equals", "value": "EUR"}]
    desk.save_rules(desk.rule("won", conditions=conditions))
    desk.rig.sandbox.faults.add(Fault("error_before", vendor="kommo", times=None))
    page = desk.admin.get("/app/rules/won").text
    assert f'value="{desk.won}" checked' in page
    assert f'value="deal.cf.{desk.currency.id}"' in page
    form = condition(f"deal.cf.{desk.currency.id}", "equals", "EUR")
    assert desk.send("/won", name="Renamed", **form).status_code == 303
    assert desk.saved("won").conditions[0].value == "EUR"


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


def test_the_second_of_two_is_told_what_changed_and_saves_again_on_top(desk: Desk) -> None:
    seen = desk.version
    desk.save_rules(desk.rule("won", action="email"), desk.rule("paid"), author="Bob Stone")
    form = condition("Deal: Amount", "greater", "5") | {"name": "Mine", "version": seen}
    answer = desk.send("/won", **form)
    assert answer.status_code == 422
    page = answer.text
    assert "Bob Stone" in page
    assert "The rule “Won” was changed." in page
    assert "How the rule is saved now" in page
    assert "Make the invoice and e-mail it" in page
    assert 'value="Mine"' in page
    assert 'value="Deal: Amount"' in page
    assert desk.saved("won").name == "Won"
    (version,) = re.findall(r'name="version" value="(\d+)"', page)
    assert desk.send("/won", **{**form, "version": version}).status_code == 303
    assert (desk.saved("won").name, desk.saved("won").action) == ("Mine", "draft")


def test_a_rule_that_was_removed_meanwhile_is_made_anew(desk: Desk) -> None:
    seen = desk.version
    desk.save("paid", author="Bob Stone")
    answer = desk.send("/won", name="Mine", version=seen)
    assert answer.status_code == 422
    assert "The rule “Won” was removed." in answer.text
    assert "New rule" in answer.text
    assert 'action="/app/rules/new"' in answer.text
    assert desk.slugs == ["paid"]


def test_a_rule_that_never_was_is_not_made_by_its_address(desk: Desk) -> None:
    for version in (desk.version, 0, 1, -1):
        assert desk.send("/nobody", version=version).status_code == 404
    assert desk.slugs == ["won", "paid"]


def test_on_its_own_page_the_form_carries_its_key(desk: Desk) -> None:
    admin = let_in(desk.rig, where="app")
    page = admin.get("/app/rules/new").text
    assert f'name="csrf" value="{admin.csrf}"' in page
    form = {"version": desk.version, "name": "x", "when": desk.won, "match": "all"}
    form["action"] = "draft"
    assert admin.post("/app/rules/new", data=form).status_code == 403
    assert admin.post("/app/rules/new", data={**form, "csrf": admin.csrf}).status_code == 303


def test_an_admin_makes_a_rule_switches_it_on_and_a_deal_is_billed(desk: Desk) -> None:
    """The story, over the page alone; a deal in another currency is left out."""
    form = condition("Deal: Currency", "equals", "USD")
    stage = desk.pipeline.stage("Issue invoice").id
    desk.send(when=f"{desk.pipeline.id}:{stage}", action="mark_sent", **form)
    desk.rig.pump()
    kommo = desk.rig.kommo
    contact = kommo.add_contact("Ann Lee", email="ann@acme.test")

    def deal(currency: str) -> None:
        talks = desk.pipeline.stage("Talks").id
        made = kommo.add_deal(
            f"In {currency}", 100, pipeline_id=desk.pipeline.id, stage_id=talks,
            contact=contact, fields={desk.currency.id: currency},
        )  # fmt: skip
        kommo.move_deal(made.id, stage)
        desk.rig.pump()

    deal("USD")
    assert desk.rig.books.invoices == {}  # it is off
    desk.rig.later(minutes=1)
    desk.post("/big-deals/on")
    deal("EUR")
    assert desk.rig.books.invoices == {}
    deal("USD")
    (invoice,) = desk.rig.books.invoices.values()
    assert invoice["lines"][0]["name"] == "In USD"
    assert change_settings.on_since(desk.rig.world, desk.rig.account_id).keys() == {"big-deals"}
