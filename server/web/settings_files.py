"""The settings as a file, out and in, as ``billhook settings export`` and ``import`` have them.

A link carries no session inside Kommo's frame, so a file is fetched by a ticket that lives for
minutes and opens nothing else. A file that comes in is compared first; it travels sealed through
the question whether it shall count, and is checked again when it does.
"""

import base64
import json
import re
import unicodedata
import zlib
from datetime import datetime, timedelta
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from server.core import settings_file
from server.core.settings import InvalidSettings, SettingsDocument, default_settings, validate
from server.flows import change_settings, settings_history
from server.flows.change_settings import Overtaken
from server.flows.standing import standing_of
from server.flows.vendor_lists import lists_of
from server.store.secrets import CannotOpen
from server.web.auth import Act, Auth, Page, needs
from server.web.errors import said
from server.web.here import world
from server.web.history import based_on, effect, pages
from server.web.lacking import lacking
from server.web.languages import spoken
from server.web.overtaken import saved_meanwhile
from server.web.pages import go, show
from server.web.visitor import visitor

__all__ = ["pages"]  # with the addresses below

TICKET_LIFE = timedelta(minutes=5)
QUESTION_LIFE = timedelta(hours=1)
LONGEST_TICKET = 1000
LONGEST_SEALED = 450_000  # a form's field may have half a million characters
ERRORS_SHOWN = 30
_EXPORT, _IMPORT = "settings export", "settings import"


@pages.post("/export")
@needs(Auth.SESSION, Page.HISTORY, Act.CHANGE)
def mint() -> AnyResponse:
    """Lead to the file: of the version that is named, else of what counts now."""
    account_id = visitor().account_id
    sent = request.form.get("number", "")
    number = int(sent) if re.fullmatch("[0-9]{1,9}", sent, re.ASCII) else None
    if number is None:
        number = settings_history.current(world(), account_id).number
    ticket = _sealed(_EXPORT, account_id, TICKET_LIFE, number)
    where = f"/app/history/export?ticket={ticket}"
    if request.headers.get("HX-Request") == "true":  # a file cannot be swapped into a page
        return Response(status=204, headers={"HX-Redirect": where})
    return Response(status=303, headers={"Location": where})


@pages.get("/export")
@needs(Auth.TICKET)
def export() -> AnyResponse:
    """The file. The ticket says whose, and of which version."""
    opened = _opened(_EXPORT, request.args.get("ticket", ""), LONGEST_TICKET)
    account = standing_of(world(), opened[0]) if opened else None
    if opened is None or account is None:
        return said(403, _("This link has ended. Go back to the history and download again."))
    document = _document(*opened)
    if document is None:
        return said(404, _("There is no such version."))
    name = f"billhook-{_plain(account.name)}-v{opened[1]}.json"
    response = Response(settings_file.written(document), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@pages.get("/import")
@needs(Auth.SESSION, Page.HISTORY, Act.CHANGE)
def ask() -> AnyResponse:
    """Where a file is chosen."""
    return show("history_import.html")


@pages.post("/import")
@needs(Auth.SESSION, Page.HISTORY, Act.CHANGE)
def take() -> AnyResponse:
    """A file is compared with what counts; its confirmation makes it count."""
    if "document" in request.form:
        return _store(request.form["document"])
    file = request.files.get("file")
    if file is None or not file.filename:
        return _refused([("", _("Choose a file first."))])
    try:
        document = settings_file.read(file.stream.read(settings_file.LARGEST + 1))
    except InvalidSettings as wrong:
        return _refused(wrong.errors, file.filename)
    return _compared(document, name=file.filename)


@pages.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge) -> AnyResponse:
    return _refused([("", _("The file is larger than 1 MB. Settings are never that large."))])


def _store(sealed: str) -> AnyResponse:
    opened = _opened(_IMPORT, sealed, LONGEST_SEALED)
    if opened is None or opened[0] != visitor().account_id:
        return _refused([("", _("This import waited too long. Choose the file again."))])
    document = validate(json.loads(zlib.decompress(base64.b64decode(opened[1]))))
    try:
        change_settings.save_if(
            world(),
            visitor().account_id,
            document.to_json(),
            visitor().name,
            based_on=based_on(),
        )
    except Overtaken as overtaken:
        return _compared(document, 422, meanwhile=saved_meanwhile(overtaken))
    except InvalidSettings as wrong:
        return _refused(wrong.errors)
    return go("history.listed", said="saved")


def _compared(document: SettingsDocument, status: int = 200, **context: Any) -> AnyResponse:
    packed = base64.b64encode(zlib.compress(json.dumps(document.to_json()).encode())).decode()
    sealed = _sealed(_IMPORT, visitor().account_id, QUESTION_LIFE, packed)
    if len(sealed) > LONGEST_SEALED:
        why = _("The file is too large for this page. Use the command: billhook settings import")
        return _refused([("", why)])
    now = settings_history.current(world(), visitor().account_id)
    lists = lists_of(world(), visitor().account_id)
    if lacking(document, lists):  # it may have been made in Kommo a minute ago
        lists = lists_of(world(), visitor().account_id, fresh=True)
    found = effect(now, document, lists)
    context |= {"effect": found, "now": now, "sealed": sealed, "notice": lists.notice}
    return show("history_import.html", status, **context)


def _refused(errors: Any, name: str = "") -> AnyResponse:
    """Nothing is stored; every error with its place in the file."""
    shown = [(_cut(path), _cut(spoken(words))) for path, words in errors[:ERRORS_SHOWN]]
    more = len(errors) - len(shown)
    return show("history_import.html", 422, errors=shown, more=more, name=_cut(name))


def _cut(text: str) -> str:
    """Of a stranger's file: half a character cannot be written, a million fill no page."""
    short = text if len(text) <= 300 else text[:299] + "…"
    return short.encode("utf-8", "replace").decode()


def _document(account_id: int, number: int) -> SettingsDocument | None:
    if number == 0:
        return default_settings()
    version = settings_history.saved(world(), account_id, number)
    return version.document if version else None


def _sealed(purpose: str, account_id: int, life: timedelta, what: Any) -> str:
    until = (world().clock.now() + life).isoformat()
    return world().vault.seal(purpose, [account_id, until, what])


def _opened(purpose: str, sealed: str, longest: int) -> tuple[int, Any] | None:
    """(account, what was sealed); None where it is not ours, of another purpose, or too old."""
    if not sealed or len(sealed) > longest:
        return None
    try:
        account_id, until, what = world().vault.open(purpose, sealed)
    except CannotOpen:
        return None
    alive = datetime.fromisoformat(until) > world().clock.now()
    return (account_id, what) if alive else None


def _plain(name: str) -> str:
    """What every file system takes."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_).strip("-").lower()[:60] or "account"
