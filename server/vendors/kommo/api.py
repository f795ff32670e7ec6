"""Calls to one Kommo account's API, and what each answer means for whoever asked.

Source: reference kommo §4.0 (conventions) and §5 (errors and limits).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from server.core.errors import Certainty, Reconnect, TryLater
from server.core.messages import N_
from server.core.said import say
from server.core.tokens import TokenHolder
from server.vendors.http import Caller, Reply, down, shaped, throttled
from server.vendors.kommo.records import Row
from server.vendors.oauth import forbidden, json_object, with_token

ACCOUNT = "/api/v4/account"
PAGE = 250  # rows per read at most (reference §5)

Host = str | Callable[[], str]
Pairs = Sequence[tuple[str, str | int]]
T = TypeVar("T")


class KommoApi:
    """``host`` may be a function: an account can be renamed, and who refreshes its tokens then
    learns the new host; it is asked anew for every call.
    """

    def __init__(
        self, host: Host, tokens: TokenHolder, caller: Caller, *, insecure: bool = False
    ) -> None:
        self._host = host
        self._tokens = tokens
        self._caller = caller
        self._scheme = "http" if insecure else "https"

    def get(self, path: str, params: Pairs = ()) -> Any:
        """The body, or None for what Kommo does not have (204: also an empty list)."""
        reply = self.call("GET", path, params=params)
        return None if self.is_missing(reply) else body_of(reply)

    def card(self, path: str, params: Pairs = ()) -> Row | None:
        """One thing, or None where Kommo does not have it."""
        body = self.get(path, params)
        return None if body is None else self.read(dict, body)

    def rows(self, path: str, key: str, params: Pairs = (), *, limit: int = PAGE) -> list[Row]:
        """All rows of a list, over all its pages."""
        return list(self._pages(path, key, params, limit))

    def first(self, path: str, key: str, params: Pairs, most: int) -> list[Row]:
        """So many rows of a list, from its beginning."""
        return list(islice(self._pages(path, key, params, most), most))

    def each(self, path: str, key: str, params: Pairs, *, limit: int = PAGE) -> Iterator[Row]:
        """Row by row; a page is asked for when its first row is."""
        return self._pages(path, key, params, limit)

    def write(self, method: str, path: str, body: Any) -> Any:
        """The answer's body, None where it has none. Raises TryLater for a refusal."""
        return body_of(self.call(method, path, json=body))

    def read(self, reader: Callable[[Any], T], node: Any) -> T:
        return shaped("kommo", reader, node)

    def call(self, method: str, path: str, *, params: Pairs = (), json: Any = None) -> Reply:
        """A success, or a refusal in Kommo's own shape (4xx, never 401, 402, 403, 429).

        Raises TryLater and Reconnect for everything else.
        """

        def send(access: str) -> Reply:
            return self._caller.send(
                method,
                self._url(path),
                headers={"Authorization": f"Bearer {access}"},
                params=params or None,
                json=json,
            )

        reply = with_token(
            "kommo",
            self._tokens,
            send,
            stale=lambda reply: reply.status == 401 or _has_moved(method, path, reply),
        )
        _check(reply)
        return reply

    def is_missing(self, reply: Reply) -> bool:
        """Whether the thing is not there. A 404 is believed only of an account that answers: at
        a renamed account's old host everything is a 404.
        """
        if reply.status != 404:
            return reply.status == 204
        if self.call("GET", ACCOUNT).status != 200:
            raise Reconnect("kommo", say("The Kommo account is not where it was."))
        return True

    def _pages(self, path: str, key: str, params: Pairs, limit: int) -> Iterator[Row]:
        page = 1
        while True:
            body = self.get(path, [*params, ("limit", limit), ("page", page)])
            if body is None:
                return
            rows, has_next = self.read(lambda node: _page(node, key), body)
            yield from rows
            if not (rows and has_next):
                return
            page += 1

    def _url(self, path: str) -> str:
        host = self._host if isinstance(self._host, str) else self._host()
        return f"{self._scheme}://{host}{path}"


def body_of(reply: Reply) -> Any:
    """The JSON of a success, None where it has none. Raises TryLater for a refusal."""
    if reply.status >= 400:
        raise refused(reply)
    if not reply.body:
        return None
    try:
        return reply.json()
    except ValueError:
        raise down("kommo", N_("%(vendor)s answered something that is not JSON.")) from None


def refused(reply: Reply, cause: str = "kommo:refused") -> TryLater:
    """A refusal in Kommo's own words; nothing was done."""
    sentence = say("Kommo refused: %(why)s.", why=_in_words(reply))
    return TryLater(cause, sentence, certainty=Certainty.REFUSED)


def refused_paths(reply: Reply) -> set[str]:
    """What a validation error points at: {"0.responsible_user_id", …}."""
    return {str(fault.get("path")) for fault in _faults(json_object(reply) or {})}


def _check(reply: Reply) -> None:
    if reply.status < 300:
        return
    if reply.status == 429:
        raise throttled("kommo", reply)
    in_shape = json_object(reply) is not None
    certainty = Certainty.REFUSED if in_shape else Certainty.UNCERTAIN
    if reply.status == 402:
        sentence = say("The subscription of this Kommo account has ended.")
        raise forbidden("kommo", sentence, certainty=certainty)
    if reply.status == 403:
        # In HTML it is nginx: our address is blocked for too many calls (reference §5).
        blocked = say("Kommo forbids it: this server's address is blocked.")
        forbids = say("Kommo forbids it: %(why)s.", why=_in_words(reply))
        raise forbidden("kommo", forbids if in_shape else blocked, certainty=certainty)
    if reply.status < 400 or reply.status >= 500:
        raise down("kommo", N_("%(vendor)s answered %(status)s."), status=reply.status)
    if reply.body and not in_shape and reply.status != 404:
        foreign = N_("%(vendor)s answered %(status)s with something that is not JSON.")
        raise down("kommo", foreign, status=reply.status)


def _has_moved(method: str, path: str, reply: Reply) -> bool:
    """A renamed account's old host: reading is redirected, or even the account is not found."""
    redirected = 300 <= reply.status < 400
    return method == "GET" and (redirected or (path == ACCOUNT and reply.status == 404))


def _page(body: Row, key: str) -> tuple[list[Row], bool]:
    return [dict(row) for row in body["_embedded"][key]], bool(
        (body.get("_links") or {}).get("next")
    )


def _in_words(reply: Reply) -> str:
    body = json_object(reply) or {}
    faults = [f"{fault.get('path')}: {fault.get('detail')}" for fault in _faults(body)]
    words = "; ".join(faults) or str(body.get("detail") or body.get("title") or reply.status)
    return words[:300].rstrip(".")


def _faults(body: Row) -> list[Row]:
    rows = body.get("validation-errors")
    errors = [row.get("errors") for row in rows or () if isinstance(row, dict)]
    return [fault for group in errors for fault in group or () if isinstance(fault, dict)]
