"""The history of settings: each version with who, when and what differs, and the way back to one.

Rules that were switched on and off stand in the same line of time; they are no part of a document.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, abort, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.core.settings import InvalidSettings, SettingsDocument
from server.core.settings_diff import differences
from server.flows import change_settings, settings_history
from server.flows.change_settings import Overtaken
from server.flows.settings_history import OFF, ON, SAVED, Current, Happening, Saved
from server.flows.vendor_lists import Lists, last_known
from server.web.auth import Act, Auth, Page, needs
from server.web.difference_words import IN_SHORT, LONGEST, Line, Words
from server.web.here import world
from server.web.lacking import Lack, lacking
from server.web.overtaken import authors, saved_meanwhile
from server.web.pages import go, show
from server.web.visitor import visitor

pages = Blueprint("history", __name__, url_prefix="/app/history")

A_FEW = 6  # differences that the list shows of one version; its own page has them all
VERSION = "<int(min=1, max=999999999):number>"
EPOCH = datetime.fromtimestamp(0, UTC)
_CURSOR = re.compile(rf"([0-9]{{1,16}})-([{SAVED}{OFF}{ON}])-([0-9]{{1,9}})", re.ASCII)


@dataclass(frozen=True)
class Effect:
    """What taking over a document would change. ``comes``: names of rules that it brings, which
    are then off; ``goes``: of rules that are on and are not in it; ``lacks``: what it names and
    Kommo does not have."""

    lines: list[Line]
    comes: list[str]
    goes: list[str]
    lacks: list[Lack]


@pages.get("")
@needs(Auth.SESSION, Page.HISTORY)
def listed() -> AnyResponse:
    """Newest first, a page at a time."""
    after = _cursor(request.args.get("before", ""))
    found, rest = settings_history.timeline(world(), visitor().account_id, after)
    said = words(IN_SHORT)
    rows = [(one, said.lines(one.differs or ())) for one in found]
    return show(
        "history.html",
        rows=rows,
        names=authors(),
        a_few=A_FEW,
        newest=settings_history.current(world(), visitor().account_id).number,
        older=_spelled(rest) if rest else "",
        first=after is None,
    )


@pages.get(f"/{VERSION}")
@needs(Auth.SESSION, Page.HISTORY)
def shown(number: int) -> AnyResponse:
    """One version: what it changed then, and what restoring it would change now."""
    return _page(_version(number))


@pages.post(f"/{VERSION}")
@needs(Auth.SESSION, Page.HISTORY, Act.CHANGE)
def restore(number: int) -> AnyResponse:
    """As a new version, on top of the one that the visitor saw."""
    version = _version(number)
    if version.document is None:
        return _page(version, 422)
    try:
        change_settings.save_if(
            world(),
            visitor().account_id,
            version.document.to_json(),
            visitor().name,
            based_on=based_on(),
        )
    except Overtaken as overtaken:
        return _page(version, 422, meanwhile=saved_meanwhile(overtaken))
    except InvalidSettings as wrong:  # what was right then contradicts what was billed since
        return _page(version, 422, errors=wrong.errors)
    return go("history.listed", said="restored")


def words(longest: int = LONGEST) -> Words:
    return Words(last_known(world(), visitor().account_id), longest)


def based_on() -> int:
    """The version that the form was made from; -1, which never was, for anything else."""
    sent = request.form.get("version", "")
    return int(sent) if re.fullmatch("[0-9]{1,9}", sent, re.ASCII) else -1


def effect(now: Current, document: SettingsDocument, lists: Lists) -> Effect:
    found = differences(now.document, document)
    whole = [one for one in found if len(one.path) == 2]
    return Effect(
        lines=words().lines(found),
        comes=[one.rule for one in whole if one.kind == "added"],
        goes=[one.rule for one in whole if one.kind == "removed" and one.path[1] in now.on],
        lacks=lacking(document, lists),
    )


def _page(version: Saved, status: int = 200, **context: Any) -> AnyResponse:
    now = settings_history.current(world(), visitor().account_id)
    then, lists = None, last_known(world(), visitor().account_id)
    if version.document is not None and version.before is not None:
        then = words().lines(differences(version.before, version.document))
    return show(
        "history_version.html",
        status,
        version=version,
        names=authors(),
        then=then,
        now=now,
        effect=effect(now, version.document, lists) if version.document else None,
        **context,
    )


def _version(number: int) -> Saved:
    found = settings_history.saved(world(), visitor().account_id, number)
    if found is None:
        abort(404, _("There is no such version."))
    return found


def _cursor(text: str) -> Happening | None:
    """What the page before ended with; what is none of ours is nowhere."""
    if not text:
        return None
    read = _CURSOR.fullmatch(text)
    if read is None:
        abort(404)
    at, kind, id_ = map(int, read.groups())
    return Happening(EPOCH + timedelta(microseconds=at), kind, id_)


def _spelled(one: Happening) -> str:
    return f"{(one.at - EPOCH) // timedelta(microseconds=1)}-{one.kind}-{one.id}"
