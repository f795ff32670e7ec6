"""Calls to one FreshBooks account's API, and what each answer means for whoever asked.

Source: reference freshbooks §2 (paths, envelopes, paging, errors), §7.1 (limits).
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from server.core.messages import N_
from server.core.tokens import TokenHolder
from server.vendors.freshbooks.read import Row
from server.vendors.freshbooks.refusals import faults_of, is_missing, outcome_of
from server.vendors.http import Caller, Reply, down, shaped
from server.vendors.oauth import with_token

PER_PAGE = 100  # above it FreshBooks caps in silence (§2.3)
MOST_PAGES = 1_000  # 100,000 rows: a list that goes on beyond is not one

Pairs = Sequence[tuple[str, str | int]]
T = TypeVar("T")


class FreshbooksApi:
    def __init__(self, api_url: str, tokens: TokenHolder, caller: Caller) -> None:
        self._api_url = api_url.rstrip("/")
        self._tokens = tokens
        self._caller = caller

    def result(self, method: str, path: str, *, params: Pairs = (), json: Any = None) -> Row:
        """What is inside the envelope. Raises the outcome that the answer means."""
        found = self.find(method, path, params=params, json=json, missing=False)
        return found or {}

    def find(
        self,
        method: str,
        path: str,
        *,
        params: Pairs = (),
        json: Any = None,
        missing: bool = True,
    ) -> Row | None:
        """``result``, or None where FreshBooks does not have the thing (``missing``)."""
        reply = self._call(method, path, params, json)
        body = _json(reply)
        inside = _inside(path, body) if reply.status < 300 else None
        if inside is not None:
            return inside
        faults = faults_of(body)
        if missing and is_missing(reply, faults):
            return None
        raise outcome_of(reply, faults)

    def rows(self, path: str, key: str, params: Pairs = ()) -> list[Row]:
        """All rows of a list, over all its pages, each id once: pages shift while rows come."""
        found: dict[str, Row] = {}
        for page in range(1, MOST_PAGES + 1):
            paging = [*params, ("per_page", PER_PAGE), ("page", page)]
            result = self.result("GET", path, params=paging)
            rows, pages = self.read(lambda node: _page(node, key), result)
            for row in rows:
                found.setdefault(str(row.get("id") or row.get("callbackid")), row)
            if page >= pages or not rows:
                return list(found.values())
        raise down("freshbooks", N_("%(vendor)s answered a list that does not end."))

    def read(self, reader: Callable[[Any], T], node: Any) -> T:
        return shaped("freshbooks", reader, node)

    def delete(self, path: str) -> None:
        """Deletes for good; a thing that is gone already is as good as deleted."""
        reply = self._call("DELETE", path, (), None)
        faults = faults_of(_json(reply))
        if (reply.status < 300 and not faults) or is_missing(reply, faults):
            return
        raise outcome_of(reply, faults)

    def _call(self, method: str, path: str, params: Pairs, json: Any) -> Reply:
        def send(access: str) -> Reply:
            return self._caller.send(
                method,
                self._api_url + path,
                headers={"Authorization": f"Bearer {access}"},
                params=params or None,
                json=json,
            )

        return with_token("freshbooks", self._tokens, send, stale=lambda reply: reply.status == 401)


def _page(node: Row, key: str) -> tuple[list[Row], int]:
    return [dict(row) for row in node[key]], int(node["pages"])


def _json(reply: Reply) -> Any:
    try:
        return reply.json()
    except ValueError:  # HTML from the edge, or a body that was cut
        return None


def _inside(path: str, body: Any) -> Row | None:
    """The family's envelope opened; None where it is not there, whatever the status (§2.4)."""
    if not isinstance(body, dict):
        return None
    if path.startswith("/payments/"):
        inside = None if faults_of(body) else body
    elif path.startswith("/auth/"):
        inside = body.get("response")
    else:
        response = body.get("response")
        inside = response.get("result") if isinstance(response, dict) else None
    return inside if isinstance(inside, dict) else None
