"""The rules of an account as a list: their order, which are on, what each does and lacks.

A rule itself is made and changed on its own page, ``rule_page``. Every change is saved on the
version that the visitor saw; who was overtaken is shown what came in between.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.core import rule_changes
from server.core.errors import Outcome
from server.core.rule_changes import Document
from server.core.settings import InvalidSettings, as_stored
from server.core.settings_model import Rule, SettingsDocument
from server.flows import change_settings, settings_history
from server.flows.change_settings import NoSuchRule, Overtaken
from server.flows.glance import in_words
from server.flows.vendor_lists import Lists, lists_of
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.languages import spoken
from server.web.mapping_labels import Labels
from server.web.overtaken import saved_meanwhile
from server.web.pages import go, show
from server.web.rule_form import sentence_of, version_in
from server.web.rule_words import told
from server.web.visitor import visitor

pages = Blueprint("rules", __name__, url_prefix="/app/rules")

SECONDS = 8.0  # that switching on waits for Kommo's clock
_STEPS = {"up": -1, "down": 1}


@dataclass(frozen=True)
class Known:
    """The settings as they are, and what Kommo has for them."""

    document: SettingsDocument
    version: int
    lists: Lists
    labels: Labels

    def rule(self, slug: str) -> Rule | None:
        return next((one for one in self.document.rules if one.slug == slug), None)


def known(*, fresh: bool = False) -> Known:
    whose = visitor().account_id
    document, version = change_settings.newest(world(), whose)
    lists = lists_of(world(), whose, fresh=fresh)
    used = [one.field for rule in document.rules for one in rule.conditions]
    return Known(document, version, lists, Labels(lists, used))


def save(edit: Callable[[Document], Document], based_on: int) -> None:
    """The settings as ``edit`` makes them of the newest ones, if these are ``based_on``'s. Raises
    Overtaken, and InvalidSettings. What was done already, by the first of two clicks, is no fault.
    """
    document, _number = change_settings.newest(world(), visitor().account_id)
    data = edit(document.to_json())
    me = visitor()
    try:
        change_settings.save_if(world(), me.account_id, data, me.name, based_on=based_on)
    except Overtaken as overtaken:
        if as_stored(edit(overtaken.based_on.to_json())) != document:
            raise


def address_of(slug: str) -> str:
    """The rule's page; its short address is taken where the slug is "new"."""
    endpoint = "rules.edit_new" if slug == "new" else "rules.edit"
    return url_for(endpoint, slug=slug)


@pages.get("")
@needs(Auth.SESSION, Page.RULES)
def listed() -> AnyResponse:
    """All rules, in the order in which they are tried. ``at``: the one that was just moved."""
    return _list_page(known())


@pages.post("/_refresh")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def refresh() -> AnyResponse:
    """Stages and fields are read again from Kommo; the list says at once where that failed."""
    have = known(fresh=True)
    if have.lists.notice:
        return _list_page(have)
    return go("rules.listed", said="refreshed")


@pages.post("/_order")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def order() -> AnyResponse:
    """As they were dragged."""
    slugs = request.form.get("order", "").split(",")
    return _in_order(lambda document: rule_changes.ordered(document, slugs))


@pages.post("/<slug>/move")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def move(slug: str) -> AnyResponse:
    """One place up or down, by keyboard or without JavaScript."""
    way = request.form.get("way", "")
    by = _STEPS.get(way) or abort(422, _("A rule moves up or down."))
    _rule_or_404(slug)
    return _in_order(lambda document: rule_changes.moved(document, slug, by), at=slug, way=way)


@pages.post("/<slug>/on")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def on(slug: str) -> AnyResponse:
    """From now on it bills, by Kommo's clock; a sentence where Kommo does not tell its time."""
    me = visitor()
    try:
        change_settings.switch_on(world(), me.account_id, slug, me.name, seconds=SECONDS)
    except NoSuchRule:
        abort(404)
    except Outcome as outcome:
        why = _("The rule stays off: it begins at Kommo's time, which Billhook could not ask for.")
        return _list_page(known(), 422, why=f"{why} {spoken(in_words(outcome))}")
    return go("rules.listed", said="on", at=slug)


@pages.post("/<slug>/off")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def off(slug: str) -> AnyResponse:
    """It bills nothing any more."""
    _rule_or_404(slug)
    change_settings.switch_off(world(), visitor().account_id, slug, visitor().name)
    return go("rules.listed", said="off", at=slug)


@pages.get("/<slug>/remove")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def ask_to_remove(slug: str) -> AnyResponse:
    """What removing means, before it is done."""
    return _removal_page(slug)


@pages.post("/<slug>/remove")
@needs(Auth.SESSION, Page.RULES, Act.CHANGE)
def remove(slug: str) -> AnyResponse:
    """The person has read it."""
    seen = version_in(request.form)
    if _was_removed(slug, seen):  # by the first of two clicks
        return go("rules.listed", said="removed")
    _rule_or_404(slug)
    try:
        save(lambda document: rule_changes.without(document, slug), seen)
    except Overtaken as overtaken:
        return _removal_page(slug, 422, overtaken)
    return go("rules.listed", said="removed")


@pages.errorhandler(InvalidSettings)
def _refused(wrong: InvalidSettings) -> AnyResponse:
    """Not for what was done here: that has a place on the rule's page."""
    return _list_page(known(), 422, why=" ".join(sentence_of(*error) for error in wrong.errors))


def _in_order(
    edit: Callable[[Document], Document], at: str | None = None, way: str | None = None
) -> AnyResponse:
    try:
        save(edit, version_in(request.form))
    except Overtaken as overtaken:
        return _list_page(known(), 422, overtaken=overtaken)
    return go("rules.listed", said="ordered", at=at, way=way)


def _list_page(
    have: Known, status: int = 200, *, why: str = "", overtaken: Overtaken | None = None
) -> AnyResponse:
    since = change_settings.on_since(world(), visitor().account_id)
    return show(
        "rules.html",
        status,
        rules=[told(rule, have.lists, have.labels) for rule in have.document.rules],
        since=since,
        lists=have.lists,
        version=have.version,
        why=why,
        meanwhile=saved_meanwhile(overtaken) if overtaken else None,
        meanwhile_hint=_("The order was not changed. This is how it is now: order it again."),
        at=request.args.get("at", ""),
        way=request.args.get("way", ""),
        address_of=address_of,
    )


def _removal_page(slug: str, status: int = 200, overtaken: Overtaken | None = None) -> AnyResponse:
    have = known()
    rule = have.rule(slug) or abort(404)
    return show(
        "rule_remove.html",
        status,
        rule=told(rule, have.lists, have.labels),
        on=slug in change_settings.on_since(world(), visitor().account_id),
        version=have.version,
        meanwhile=saved_meanwhile(overtaken) if overtaken else None,
        meanwhile_hint=_("Nothing was removed. This is how the rule is now: decide again."),
    )


def _rule_or_404(slug: str) -> None:
    if slug not in _slugs():
        abort(404)


def _was_removed(slug: str, seen: int) -> bool:
    """Whether the version that the form was made from had it, and the newest has not."""
    before = settings_history.saved(world(), visitor().account_id, seen)
    there = before.document.rules if before and before.document else ()
    return slug not in _slugs() and any(rule.slug == slug for rule in there)


def _slugs() -> list[str]:
    document, _number = change_settings.newest(world(), visitor().account_id)
    return [rule.slug for rule in document.rules]
