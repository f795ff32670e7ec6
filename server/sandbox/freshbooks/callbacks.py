"""Registration of callbacks under /events: verified by a handshake, one secret each (§6.1)."""

import secrets
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from server.sandbox.freshbooks import stamps
from server.sandbox.freshbooks.errors import Refused, Wrong, not_found, refused
from server.sandbox.freshbooks.events import KNOWN, shake_hands
from server.sandbox.freshbooks.listing import paged
from server.sandbox.freshbooks.reply import books_of, grant, result, sent_object
from server.sandbox.freshbooks.state import Books, Row

callbacks = Blueprint(
    "callbacks", __name__, url_prefix="/events/account/<account_id>/events/callbacks"
)

#: nouns whose scope is not just their plural
SCOPES = {"item": "billable_items", "tax": "taxes", "category": "expenses"}


def _shown(row: Row) -> Row:
    keys = ("event", "uri", "verified", "updated_at")
    return {"callbackid": row["id"]} | {key: row[key] for key in keys}


def _found(books: Books, callback_id: int) -> Row:
    row = books.callbacks.get(callback_id)
    if row is None:
        raise not_found("callback", "callbackid", callback_id)
    return row


def _checked(body: Row) -> tuple[str, str]:
    """The event and the uri; 422 names each that is wrong."""
    wrongs = []
    event, uri = body.get("event"), body.get("uri")
    if event not in KNOWN:
        wrongs.append(Wrong(422, "Value error, Unrecognized event.", "event"))
    if not isinstance(uri, str) or urlsplit(uri).scheme not in ("http", "https"):
        message = "Input should be a valid URL, relative URL without a base"
        wrongs.append(Wrong(422, message, "uri"))
    if wrongs:
        raise Refused(422, *wrongs)
    return str(event), str(uri)


def _refuse_without_scope(event: str) -> None:
    """A callback needs the scope of the object that it concerns."""
    noun = event.partition(".")[0]
    if f"user:{SCOPES.get(noun, noun + 's')}:read" not in grant().scopes:
        raise refused(403, 403, "The token does not have the required scope.")


@callbacks.post("")
def register(account_id: str) -> Response:
    books = books_of(account_id, "", write=True)
    event, uri = _checked(sent_object("callback"))
    _refuse_without_scope(event)
    row: Row = {"event": event, "uri": uri, "verified": False, "verifier": secrets.token_hex(16)}
    row["updated_at"] = stamps.iso(books.now)
    books.add("callback", books.callbacks, row)
    shake_hands(books, row)
    return result(callback=_shown(row))


@callbacks.get("")
def list_callbacks(account_id: str) -> Response:
    books = books_of(account_id, "")
    wanted = request.args.get("search[event]")
    rows = [
        row
        for row in books.callbacks.values()
        if wanted is None or row["event"] in (wanted, wanted.partition(".")[0])
    ]
    rows, page = paged(rows[::-1], request.args)
    return result(callbacks=[_shown(row) for row in rows], **page)


@callbacks.get("/<int:callback_id>")
def read(account_id: str, callback_id: int) -> Response:
    return result(callback=_shown(_found(books_of(account_id, ""), callback_id)))


@callbacks.put("/<int:callback_id>")
def change(account_id: str, callback_id: int) -> Response:
    """Verify with the verifier, ask for the handshake again, or move to another event or uri."""
    books = books_of(account_id, "", write=True)
    row, body = _found(books, callback_id), sent_object("callback")
    if "verifier" in body:
        if body["verifier"] != row["verifier"]:
            raise Refused(422, Wrong(422, "Value error, Invalid verifier.", "verifier"))
        row["verified"] = True
    elif body.get("resend"):
        shake_hands(books, row)
    else:
        event, uri = _checked({"event": row["event"], "uri": row["uri"]} | body)
        _refuse_without_scope(event)
        row |= {"event": event, "uri": uri}
    row["updated_at"] = stamps.iso(books.now)
    return result(callback=_shown(row))


@callbacks.delete("/<int:callback_id>")
def delete(account_id: str, callback_id: int) -> Response:
    books = books_of(account_id, "", write=True)
    del books.callbacks[_found(books, callback_id)["id"]]
    return Response(status=204)
