"""The mapping: where each part of an invoice comes from.

The page is one form. Whatever it is sent for but saving (another row, fresh lists, one field's
check), it comes back as it was typed, and nothing is stored.
"""

from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
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
from server.web.mapping_controls import Form, controls_of, used_keys
from server.web.mapping_labels import Labels
from server.web.mapping_merge import merged
from server.web.mapping_page import MappingPage, of_group
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
    return _page(controls_of(have.document, have.labels), have)


@pages.post("")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def save() -> AnyResponse:
    """Save what was typed, on the version that it was made from."""
    have, form = _known(), _form()
    typed, version = Typed(form, have.document, have.labels), version_in(request.form)
    if typed.document is None:
        return _page(form, have, typed, version=version)
    if version != have.version or typed.document != have.document:
        try:
            whose = visitor().account_id
            save_if(world(), whose, typed.data, visitor().name, based_on=version)
        except Overtaken as overtaken:
            return _overtaken(form, overtaken)
    set_up.mark(world(), visitor().account_id, set_up.MAPPED)
    return go("mapping.edit", said="saved")


@pages.post("/form")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def again() -> AnyResponse:
    """The form with a row more or less, or with Kommo's lists read anew; nothing is saved."""
    do, _colon, what = request.form.get("do", "").partition(":")
    have, form, focus = _known(fresh=do == "refresh"), _form(), ""
    if do == "add" and what in (mapping_rows.FIXED, mapping_rows.TABLE):
        form, focus = mapping_rows.added(form, what), what
    elif do == "drop":
        form, focus = mapping_rows.dropped(form, what), what.rpartition("-")[0]
    elif do == "values":
        field = have.lists.field(have.labels.key(form.get("taxes-field", "")))
        options = [one.text for one in field.options] if field else []
        form = mapping_rows.filled(form, options)
    return _page(form, have, version=version_in(request.form), focus=focus)


@pages.post("/check")
@needs(Auth.SESSION, Page.MAPPING, Act.CHANGE)
def check() -> AnyResponse:
    """What is wrong with each control of the row that was just changed, "" where nothing is; what
    is still empty is not told yet."""
    have, form = _known(), _form()
    typed = Typed(form, have.document, have.labels)
    told = {name: typed.errors.get(name, "") for name in form if name not in typed.unfinished}
    group = request.headers.get("HX-Trigger", "").removesuffix("-row")
    return part("mapping/check.html", "told", wrong=of_group(told, group))


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
    make_fields.ask(world(), visitor().account_id)
    return _page(_form(), _known(), version=version_in(request.form), follow=True)


@pages.get("/fields")
@needs(Auth.SESSION, Page.MAPPING)
def made() -> AnyResponse:
    """How far that is; asked again every two seconds until it has ended."""
    if request.headers.get("HX-Request") != "true":
        return redirect(url_for("mapping.edit"), 303)
    progress = make_fields.progress(world(), visitor().account_id)
    have = _known(fresh=progress.state == "done")
    page = _context(controls_of(have.document, have.labels), have)
    return part("mapping.html", "written", page=page, progress=progress)


def _known(*, fresh: bool = False) -> Known:
    document, version = newest(world(), visitor().account_id)
    lists = lists_of(world(), visitor().account_id, fresh=fresh)
    return Known(document, version, lists, Labels(lists, used_keys(document)))


def _form() -> Form:
    """What was typed; of a name that comes twice, the first."""
    not_ours = ("csrf", "do", "version")
    return {name: value for name, value in request.form.items() if name not in not_ours}


def _overtaken(mine: Form, overtaken: Overtaken) -> AnyResponse:
    have = _known()
    base = Labels(have.lists, used_keys(overtaken.based_on))
    form, both = merged(
        mine,
        controls_of(overtaken.based_on, base),
        controls_of(have.document, have.labels),
    )
    return _page(form, have, Typed(form, have.document, have.labels), over=(overtaken, both))


def _page(
    form: Form,
    have: Known,
    refused: Typed | None = None,
    *,
    version: int | None = None,
    follow: bool = False,
    focus: str = "",
    over: tuple[Overtaken, dict[str, str]] | None = None,
) -> AnyResponse:
    """``refused``: why it is not saved. ``over``: who was first, and rows that both changed."""
    page = _context(form, have, refused, theirs=over[1] if over else {})
    progress = make_fields.progress(world(), visitor().account_id) if follow else None
    return show(
        "mapping.html",
        200 if refused is None else 422,
        page=page,
        version=have.version if version is None else version,
        progress=progress,
        focus=focus,
        meanwhile=saved_meanwhile(over[0]) if over else None,
        changed=_changed(over[0].based_on, have) if over else (),
        currency=standing().currency,
    )


def _changed(before: SettingsDocument, have: Known) -> list[Line]:
    """What of the mapping is another since."""
    found = differences(before, have.document)
    return Words(have.lists).lines(one for one in found if one.path[0] == "mapping")


def _context(
    form: Form, have: Known, refused: Typed | None = None, theirs: dict[str, str] | None = None
) -> MappingPage:
    typed = refused or Typed(form, have.document, have.labels)
    gone = {
        typed.control_of(path, words): spoken(words)
        for path, words in missing_in(typed.document or have.document, have.lists)
        if path.startswith("mapping.")
    }
    errors = refused.errors if refused else {}
    return MappingPage(form, have.lists, have.labels, errors, gone, theirs or {})
