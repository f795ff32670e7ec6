"""Where vendors tell us that something happened: a secret URL for each account.

The answer comes before any work: one commit keeps the event and makes its jobs. What is too big,
too deep or not a hook at all is refused before a row is written.
"""

from flask import Blueprint, Response, abort, request

from server.core.errors import NotOurs
from server.flows import callback_to_inbox, hook_to_jobs
from server.store import first_look
from server.store.first_look import Hook
from server.vendors.freshbooks.hooks import SIGNATURE_HEADER
from server.vendors.kommo.body import MAX_BODY
from server.web.auth import Auth, needs
from server.web.errors import said
from server.web.here import world

hooks = Blueprint("hooks", __name__, url_prefix="/hooks")

LONGEST_KEY = 64  # ours have 27 characters
_right: set[tuple[str, str]] = set()  # addresses; no more than there are rows of them


@hooks.post("/<any(kommo, 'kommo-dp'):kind>/<key>")
@needs(Auth.PATH_KEY)
def kommo(kind: str, key: str) -> Response:
    """An account's webhook, or a digital pipeline's action. Kommo waits two seconds.

    Whoever guesses keys gets no further than a read; a key that was right before is looked up once
    only, in the transaction that keeps the hook.
    """
    if (kind, key) not in _right:
        _hook(kind, key)
        _right.add((kind, key))
    raw, content_type = _body(), request.content_type or ""
    sent = request.headers
    kept = {name: sent[name] for name in hook_to_jobs.KEPT_HEADERS if name in sent}
    if hook_to_jobs.take(world(), kind, key, raw, content_type, kept) is None:
        abort(404)
    return Response(status=204)


@hooks.post("/freshbooks/<key>")
@needs(Auth.SIGNATURE)
def freshbooks(key: str) -> Response:
    """A callback of FreshBooks, signed by the verifier of its registration."""
    hook = _hook("freshbooks", key)
    raw = _body()
    signature = request.headers.get(SIGNATURE_HEADER, "")
    try:
        callback_to_inbox.take(world(), hook, raw, request.content_type or "", signature)
    except NotOurs as refused:
        return said(403, refused.reason)
    return Response(status=204)


def _hook(kind: str, key: str) -> Hook:
    if len(key) > LONGEST_KEY:
        abort(404)
    with world().database.read() as session:
        hook = first_look.hook_by_key(session, kind, key)
    if hook is None:
        abort(404)
    return hook


def _body() -> bytes:
    """The raw body; what says to be larger than any hook is not read at all."""
    request.max_content_length = MAX_BODY
    if (request.content_length or 0) > MAX_BODY:
        abort(413)
    return request.get_data(cache=False)
