"""What happened to the account's deals: in order, left out, needs attention; each opened to its
steps, tried again after saying what that will do, or ignored."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from server.core.states import Group
from server.flows import activity as story
from server.flows.activity import Filter, Place
from server.flows.again_told import is_idle
from server.flows.deal_past import past_of
from server.store.activity_entries import deal_in
from server.store.job_rows import MEANINGFUL, JobKind
from server.web import activity_words as words
from server.web.activity_story import story as timeline
from server.web.auth import Act, Auth, Page, needs
from server.web.here import world
from server.web.pages import go, part, show
from server.web.visitor import visitor

pages = Blueprint("activity", __name__, url_prefix="/app/activity")

MOST = 50  # entries a page
LATEST = 2200  # years beyond it are typing errors, or attempts
LONGEST = 200  # characters of a subject, a cause or a place in the address


@pages.get("")
@needs(Auth.SESSION, Page.ACTIVITY)
def listed() -> AnyResponse:
    """Counts, causes and entries; the live part alone where it asks for itself."""
    wanted, wrong = _wanted()
    account = visitor().account_id
    found = story.page(world(), account, wanted, before=_place(), most=MOST)
    asked = {name: request.args.get(name, "") for name in ("text", "since", "until")}
    context: dict[str, Any] = {
        "counts": story.counts(world(), account, *_today()),
        "causes": story.causes(world(), account) if wanted.group == Group.ATTENTION else [],
        "page": found,
        "newest": "before" not in request.args,
        "wanted": wanted,
        "asked": asked,
        "narrowed": any(asked.values()) or bool(wanted.kind or wanted.cause),
        "wrong": wrong,
        "query": _query,
        "words": words,
        "groups": list(Group),
        "now": world().clock.now(),
    }
    if request.args.get("live"):
        return part("activity.html", "live", **context)
    return show("activity.html", **context)


@pages.get("/<subject>")
@needs(Auth.SESSION, Page.ACTIVITY)
def opened(subject: str) -> AnyResponse:
    """One entry: its story, and below it attempts and calls."""
    found = story.opened(world(), visitor().account_id, _short(subject))
    if found is None and not _is_plumbing(subject):
        abort(404)
    context: dict[str, Any] = {"subject": subject, "found": found, "words": words}
    context["now"] = world().clock.now()
    if found is not None:
        past = past_of(world(), visitor().account_id, subject)
        context["steps"] = timeline(found, past)
    if request.args.get("live"):
        return part("entry.html", "live", **context)
    return show("entry.html", **context)


@pages.get("/<subject>/again")
@needs(Auth.SESSION, Page.ACTIVITY, Act.CHANGE)
def ask_again(subject: str) -> AnyResponse:
    """What it will do, before it does it."""
    told = story.what_again_will_do(world(), visitor().account_id, _short(subject))
    if not told:
        abort(404)
    found = story.opened(world(), visitor().account_id, subject)
    context: dict[str, Any] = {"subject": subject, "words": words, "found": found}
    return show("again.html", told=told, idle=is_idle(told), **context)


@pages.post("/<subject>/again")
@needs(Auth.SESSION, Page.ACTIVITY, Act.CHANGE)
def again(subject: str) -> AnyResponse:
    """Once more is harmless: what is taken up already is taken up."""
    whose = visitor().account_id
    idle = is_idle(story.what_again_will_do(world(), whose, _short(subject)))
    taken = story.again(world(), whose, [subject])
    if _is_plumbing(subject):
        return go("activity.listed", said="again_apart" if taken else "")
    if not taken and story.opened(world(), whose, subject) is None:
        abort(404)
    said = "again" if deal_in(subject) else "" if idle else "heard_again"
    return go("activity.opened", said=said, subject=subject)


@pages.post("/<subject>/ignore")
@needs(Auth.SESSION, Page.ACTIVITY, Act.CHANGE)
def ignore(subject: str) -> AnyResponse:
    """What needs nobody (any more) stays as it is, and is shown."""
    whose = visitor().account_id
    try:
        done = story.ignore(world(), whose, _short(subject), visitor().name)
    except story.MayExist:  # the entry's page says why
        return go("activity.opened", subject=subject)
    if done:
        return go("activity.listed", said="ignored", group=Group.ATTENTION.value)
    found = story.opened(world(), whose, subject)
    if found is None and not _is_plumbing(subject):
        abort(404)
    known = found is not None and found.entry is not None and found.entry.ignored is not None
    return go("activity.opened", said="ignored" if known else "", subject=subject)


@pages.post("/all-again")
@needs(Auth.SESSION, Page.ACTIVITY, Act.CHANGE)
def all_again() -> AnyResponse:
    """Every entry of one cause."""
    cause = _short(request.form.get("cause", ""))
    if not cause:
        abort(404)
    taken = story.all_of_cause(world(), visitor().account_id, cause)
    told = "all_again_more" if taken.more else "all_again" if taken else "all_again_before"
    return go("activity.listed", said=told, group=Group.UNDER_WAY.value if taken else None)


def _wanted() -> tuple[Filter, str]:
    """What the address asks for, and a sentence on what of it could not be read."""
    args, wrong = request.args, []
    group = args.get("group", "")
    if group not in [*Group, ""]:
        group = ""
    kind = args.get("kind", "")
    if kind not in [*words.FILTERED, ""]:
        kind = ""
    try:
        since, until = _midnight(args.get("since", "")), _midnight(args.get("until", ""), days=1)
    except ValueError:
        wrong.append(_("A day is written like 2026-03-31."))
        since = until = None
    return Filter(
        Group(group) if group else None,
        kind=JobKind(kind) if kind else None,
        cause=_short(args.get("cause", "")),
        since=since,
        until=until,
        text=_short(args.get("text", "")).strip(),
    ), " ".join(wrong)


def _midnight(text: str, days: int = 0) -> datetime | None:
    """The beginning of a day in the account's zone, ``days`` later. Raises ValueError."""
    if not text:
        return None
    day = date.fromisoformat(text)
    if not 1970 <= day.year < LATEST:
        raise ValueError("no day that we know")
    day += timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(visitor().timezone))


def _today() -> tuple[datetime, datetime]:
    now = world().clock.now().astimezone(ZoneInfo(visitor().timezone))
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return begin, begin + timedelta(days=1)


def _place() -> Place | None:
    text = request.args.get("before", "")
    if not text:
        return None
    try:
        place = story.read_place(text[:LONGEST])
    except (ValueError, OverflowError):
        abort(404)
    if not 1970 <= place.at.year < LATEST:
        abort(404)
    return place


def _short(text: str) -> str:
    if len(text) > LONGEST or "\0" in text:
        abort(404)
    return text


def _query(**changes: Any) -> str:
    """This address with some of its parts changed; without a page's place."""
    kept = {k: v for k, v in request.args.items() if k not in ("before", "live", "said")}
    asked = {k: v for k, v in {**kept, **changes}.items() if v}
    return f"{url_for('activity.listed')}?{urlencode(asked)}"


def _is_plumbing(subject: str) -> bool:
    """Work that is about no deal; when it is done nothing of it is left to see."""
    kind, _colon, about = subject.partition(":")
    return bool(about) and kind in set(JobKind) - set(MEANINGFUL)
