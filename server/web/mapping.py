"""The mapping: where each part of an invoice comes from.

The page is one form. Whatever it is sent for but saving (another row, fresh lists, one field's
check), it comes back as it was typed, and nothing is stored.
"""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from server.core.settings import SettingsDocument
from server.core.settings_diff import differences
from server.core.vendor_lists import Lists, missing_in
from server.flows import make_fields, set_up
from server.flows.change_settings import Overtaken, newest, save_if
from server.flows.find_deals import find_deals
from server.flows.vendor_lists import lists_of
from server.web import mapping_rows
from server.web.auth import Act, Auth, Page, needs
from server.web.difference_words import Line, Words
from server.web.here import world
from server.web.languages import spoken
from server.web.mapping_controls import CODES, Form, controls_of, used_keys
from server.web.mapping_labels import Labels
from server.web.mapping_merge import merged
from server.web.mapping_page import MappingPage, group_of, of_group
from server.web.mapping_typed import Typed
from server.web.overtaken import saved_meanwhile
from server.web.pages import go, part, show
from server.web.rule_form import version_in
from server.web.visitor import standing, visitor

pages = Blueprint("mapping", __name__, url_prefix="/app/mapping")


@dataclass(frozen=True)
class Known:
    """The settings as they are, and what Kommo has for them."""

    document: SettingsDocument
    version: int
    lists: Lists
    labels: Labels


@pages.get("")
@needs(Auth.SESSION, Page.MAPPING)
def edit() -> AnyResponse:
    """The mapping that counts now."""
    have = _known()
    form = controls_of(have.document, have.labels)
    wrong = Typed(form, have.document, have.labels).errors  # saved before that was refused
    return _page(form, have, wrong=wrong)


@pages.post("")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def save() -> AnyResponse:
    """Save what was typed, on the version that it was made from."""
    have, form = _known(), _form()
    typed, version = Typed(form, have.document, have.labels), version_in(request.form)
    if typed.document is None:
        return _page(form, have, typed, version=version)
    if typed.document != have.document:  # the second click of two saves nothing
        try:
            whose = visitor().account_id
            save_if(world(), whose, typed.data, visitor().name, based_on=version)
        except Overtaken as overtaken:
            if newest(world(), whose)[0] != typed.document:
                return _overtaken(form, overtaken)
    set_up.mark(world(), visitor().account_id, set_up.MAPPED)
    return go("mapping.edit", said="saved")


@pages.post("/form")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def again() -> AnyResponse:
    """The form with a row more or less, or with Kommo's lists read anew; nothing is saved."""
    do, _colon, what = request.form.get("do", "").partition(":")
    have, form, focus, done = _known(fresh=do == "refresh"), _form(), "", ""
    if do == "add" and what in (mapping_rows.FIXED, mapping_rows.TABLE):
        form = mapping_rows.added(form, what)
        focus = mapping_rows.last(form, what)
    elif do == "drop":
        form = mapping_rows.dropped(form, what)
        focus = mapping_rows.beside(form, what)
    elif do == "values":
        form, focus, done = _a_row_for_each(form, have)
    wrong = {focus: done} if focus == mapping_rows.FIELD else None
    return _page(form, have, wrong=wrong, version=version_in(request.form), focus=focus, done=done)


@pages.post("/check")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def check() -> AnyResponse:
    """What is wrong with each control of the row that was just changed, "" where nothing is; and
    with those of other rows where something is or was. What is still empty is not told yet."""
    have, form = _known(), _form()
    typed = Typed(form, have.document, have.labels)
    told = {name: "" if name in typed.unfinished else typed.errors.get(name, "") for name in form}
    group = request.headers.get("HX-Trigger", "").removesuffix("-row")
    others = {
        group_of(name): of_group(told, group_of(name))
        for name in told
        if (told[name] or name in request.form.getlist("told")) and group_of(name) != group
    }
    return part("mapping/check.html", "told", wrong=of_group(told, group), others=others)


@pages.get("/deals")
@needs(Auth.SESSION, Page.MAPPING)
def deals() -> AnyResponse:
    """Deals to try the form on; without script the page of previews finds them."""
    found = find_deals(world(), visitor().account_id, request.args.get("q", ""))
    return part("mapping/preview.html", "deals", found=found)


@pages.post("/fields")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def make() -> AnyResponse:
    """Have the deal's fields made in Kommo; the page follows the job."""
    form, have = _form(), _known()
    saved = controls_of(have.document, have.labels)
    if any(form.get(code, saved[code]) != saved[code] for code in CODES):
        progress = make_fields.Progress("unsaved")
    else:
        make_fields.ask(world(), visitor().account_id)
        progress = make_fields.progress(world(), visitor().account_id)
    if request.headers.get("HX-Request") == "true":
        return _written(form, have, progress)
    return _page(form, have, version=version_in(request.form), progress=progress)


@pages.get("/fields")
@needs(Auth.SESSION, Page.MAPPING)
def made() -> AnyResponse:
    """How far that is; asked again every two seconds until it has ended."""
    if request.headers.get("HX-Request") != "true":
        return redirect(url_for("mapping.edit"), 303)
    progress = make_fields.progress(world(), visitor().account_id)
    have = _known(fresh=progress.state == "done")
    return _written(controls_of(have.document, have.labels), have, progress)


def _written(form: Form, have: Known, progress: make_fields.Progress) -> AnyResponse:
    page = MappingPage(form, have.lists, have.labels, {}, {}, {})
    return part("mapping.html", "written", page=page, progress=progress)


def _known(*, fresh: bool = False) -> Known:
    document, version = newest(world(), visitor().account_id)
    lists = lists_of(world(), visitor().account_id, fresh=fresh)
    return Known(document, version, lists, Labels(lists, used_keys(document)))


def _form() -> Form:
    """What was typed; of a name that comes twice, the first."""
    not_ours = ("csrf", "do", "version", "told")
    return {name: value for name, value in request.form.items() if name not in not_ours}


def _a_row_for_each(form: Form, have: Known) -> tuple[Form, str, str]:
    """The form with a row for each choice of the tax field; where to go on, and what to say."""
    typed = form.get(mapping_rows.FIELD, "").strip()
    field = have.lists.field(have.labels.key(typed))
    if not typed:
        return form, mapping_rows.FIELD, _("Choose the field first.")
    if field is None or not field.options:
        return form, mapping_rows.FIELD, _("“%(field)s” has no list of choices.", field=typed)
    form, new = mapping_rows.filled(form, [one.text for one in field.options])
    if not new:
        return form, "", _("Each choice of the field has its row.")
    return (
        form,
        new[0],
        ngettext(
            "One row was added: without a rate its value is not taxed.",
            "%(num)d rows were added: without a rate their values are not taxed.",
            len(new),
        ),
    )


def _overtaken(mine: Form, overtaken: Overtaken) -> AnyResponse:
    have = _known()
    base = Labels(have.lists, used_keys(overtaken.based_on))
    form, both = merged(
        mine,
        controls_of(overtaken.based_on, base),
        controls_of(have.document, have.labels),
    )
    return _page(form, have, Typed(form, have.document, have.labels), over=(overtaken, both))


def _page(  # the form, and what is told with it
    form: Form,
    have: Known,
    refused: Typed | None = None,
    *,
    version: int | None = None,
    wrong: dict[str, str] | None = None,
    over: tuple[Overtaken, dict[str, str]] | None = None,
    **more: Any,
) -> AnyResponse:
    """``refused``: why it is not saved; ``wrong``: what is told beside controls without that.
    ``over``: who was first, and rows that both changed. ``more``: "focus" (where to go on), "done"
    (what was), "progress" (of the fields that are made)."""
    typed = refused or Typed(form, have.document, have.labels)
    kept = {one: typed.errors[one] for one in request.form.getlist("told") if one in typed.errors}
    errors = refused.errors if refused else kept | (wrong or {})
    theirs = over[1] if over else {}
    page = MappingPage(form, have.lists, have.labels, errors, _gone(typed, have), theirs)
    return show(
        "mapping.html",
        422 if refused else 200,
        page=page,
        refused=refused,
        unsaved=typed.document != have.document and typed.data != have.document.to_json(),
        version=have.version if version is None else version,
        meanwhile=saved_meanwhile(over[0]) if over else None,
        changed=_changed(over[0].based_on, have) if over else (),
        currency=standing().currency,
        **more,
    )


def _changed(before: SettingsDocument, have: Known) -> list[Line]:
    """What of the mapping is another since."""
    found = differences(before, have.document)
    return Words(have.lists).lines(one for one in found if one.path[0] == "mapping")


def _gone(typed: Typed, have: Known) -> dict[str, str]:
    """Controls whose field is not there any more."""
    return {
        typed.control_of(path, words): spoken(words)
        for path, words in missing_in(typed.document or have.document, have.lists)
        if path.startswith("mapping.")
    }
