"""One rule on a page of its own: new, changed, and looked at while it is typed.

The buttons "add", "remove" and "refresh" send the whole form and get it back as it was typed, so
the page needs no JavaScript; with it, a condition's editor and its errors come by themselves.
"""

import re
from dataclasses import replace
from typing import Any

from flask import abort, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from server.core import rule_changes
from server.core.rule_changes import Document
from server.core.settings import InvalidSettings, Rule, validate
from server.flows.change_settings import Overtaken
from server.flows.what_if import begin
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.overtaken import saved_meanwhile
from server.web.pages import go, part, show
from server.web.rule_form import LONGEST_NAME, Errors, Reading, Typed, from_rule, typed
from server.web.rule_words import deeds, stage_groups, told
from server.web.rules import Known, address_of, known, pages, save
from server.web.visitor import visitor
from server.web.what_if import told_of

__all__ = ["pages"]

_CONTROL = re.compile(r"(name|when|series|field|is|value)(-[0-9]{1,4})?")


@pages.get("/new")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def new() -> AnyResponse:
    """An empty form."""
    have = known()
    return _page("", Typed(have.version), have)


@pages.get("/<slug>")
@pages.get("/<slug>/edit", endpoint="edit_new")
@needs(Auth.SESSION, Page.RULES)
def edit(slug: str) -> AnyResponse:
    """The rule as it is saved, and what it names that is gone."""
    have = known()
    rule = have.rule(slug) or abort(404)
    form = from_rule(rule, have.version, have.labels)
    return _page(slug, form, have, Reading(form, have.lists, have.labels).errors(), tried=False)


@pages.post("/new")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def make() -> AnyResponse:
    """A new rule is saved, and is off."""
    return _sent("")


@pages.post("/<slug>")
@pages.post("/<slug>/edit", endpoint="change_new")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def change(slug: str) -> AnyResponse:
    """The rule is changed, or the form asks for something on the way."""
    return _sent(slug)


@pages.post("/_row")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def row() -> AnyResponse:
    """The live part of one condition: how its field is compared, and with what."""
    have = known()
    reading = Reading(typed(request.form), have.lists, have.labels)
    asked = reading.typed.row(request.args.get("at", "")) or abort(404)
    fitting = reading.editor(asked).fitting(asked.test)
    asked = replace(asked, test=fitting)
    wrong = reading.errors().get(f"field-{asked.number}", "") if asked.field else ""
    return part(
        "rule_row.html",
        "live",
        row=asked,
        editor=reading.editor(asked),
        errors={f"field-{asked.number}": wrong},
        is_live=True,
    )


@pages.post("/_check")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def check() -> AnyResponse:
    """The error of one control, or none, while the form is typed."""
    control = request.args.get("at", "")
    if not _CONTROL.fullmatch(control):
        abort(404)
    have = known()
    errors = Reading(typed(request.form), have.lists, have.labels).errors()
    return part("rule_error.html", "error", control=control, sentence=errors.get(control, ""))


def _sent(slug: str) -> AnyResponse:
    """What the form's button asks for."""
    have, form = known(fresh="refresh" in request.form), typed(request.form)
    if slug and have.rule(slug) is None and form.version in (have.version, -1):
        abort(404)  # else somebody may have removed it while it was typed
    if "add" in request.form:
        return _page(slug, form.with_row(), have, focus="added")
    if "remove" in request.form:
        return _page(slug, form.without_row(request.form["remove"]), have, focus="add")
    if "refresh" in request.form or "show" in request.form:
        return _page(slug, form, have)
    return _saved(slug, form, have)


def _saved(slug: str, form: Typed, have: Known) -> AnyResponse:
    """Saved; or, where the form's button asks for it, only tried on the deals of the past."""
    reading = Reading(form, have.lists, have.labels)
    if errors := reading.errors():
        return _page(slug, form, have, errors)

    def own(document: Document) -> str:
        return slug or rule_changes.slug_for(form.name, {one["slug"] for one in document["rules"]})

    def edited(document: Document) -> Document:
        return rule_changes.put(document, reading.rule(own(document)))

    try:
        if "what_if" in request.form:
            now = have.document.to_json()
            document = validate(edited(now))
            return told_of(begin(world(), visitor().account_id, document, own(now)))
        save(edited, form.version)
    except Overtaken as overtaken:
        return _overtaken(slug, form, overtaken)
    except InvalidSettings as wrong:
        places = [one.slug for one in have.document.rules]
        place = places.index(slug) if slug in places else len(places)
        return _page(slug, form, have, reading.from_core(wrong.errors, place))
    return go("rules.listed", said="saved", at=slug or None)


def _overtaken(slug: str, form: Typed, overtaken: Overtaken) -> AnyResponse:
    """What was typed, on top of what is there now, which is shown beside it."""
    have = known()
    if slug and have.rule(slug) is None:
        if slug not in [rule.slug for rule in overtaken.based_on.rules]:
            abort(404)
        slug = ""  # saving makes it anew
    return _page(slug, replace(form, version=have.version), have, {}, overtaken=overtaken)


def _page(
    slug: str,
    form: Typed,
    have: Known,
    errors: Errors | None = None,
    *,
    overtaken: Overtaken | None = None,
    focus: str = "",
    tried: bool = True,
) -> AnyResponse:
    """``tried``: somebody wanted to save it; what is wrong was there before otherwise."""
    reading = Reading(form, have.lists, have.labels)
    saved = have.rule(slug)
    return show(
        "rule.html",
        200 if errors is None or not tried else 422,
        slug=slug,
        tried=tried,
        saved=told(saved, have.lists, have.labels) if saved else None,
        form=form,
        unsaved=_differs(reading.typed, saved, have),
        rows=[(one, reading.editor(one)) for one in reading.typed.rows],
        **_offered(form, have),
        errors=errors or {},
        longest_name=LONGEST_NAME,
        meanwhile=saved_meanwhile(overtaken) if overtaken else None,
        focus=focus,
        action=address_of(slug) if slug else url_for("rules.make"),
    )


def _offered(form: Typed, have: Known) -> dict[str, Any]:
    return {
        "pipelines": stage_groups(have.lists, form.places),
        "deeds": deeds(),
        "labels": have.labels.offered(per_line=False),
        "lists": have.lists,
    }


def _differs(form: Typed, saved: Rule | None, have: Known) -> bool:
    """Whether it has something in it that would be lost."""
    before = from_rule(saved, form.version, have.labels) if saved else Typed(form.version)
    return form != Reading(before, have.lists, have.labels).typed
