"""``/{entity}/{id}/links``, ``link`` and ``unlink``, one by one and in bulk (§4.4)."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.links import LinkBroken
from server.sandbox.kommo.book.records import Actor

links = Blueprint("links", __name__, url_prefix="/api/v4/<any(leads, contacts, companies):entity>")

LINK_KEYS = frozenset(
    {"entity_id", "to_entity_id", "to_entity_type", "metadata", "request_id", "updated_by"}
)
Act = Callable[[str, int, Mapping[str, Any], Actor], None]


def _exists(entity: str, entity_id: Any) -> bool:
    account = here.account()
    card = account.deals.get(entity_id) if entity == "leads" else account.party(entity, entity_id)
    return card is not None and not card.is_deleted


@links.get("/<int:entity_id>/links")
def read(entity: str, entity_id: int) -> Response:
    if not _exists(entity, entity_id):
        raise Problem(404)
    found = [row for row in here.account().links_of(entity, entity_id) if _wanted(row)]
    return paging.whole("links", found)


@links.get("/links")
def read_bulk(entity: str) -> Response:
    wanted = paging.ints(paging.filters().get("entity_id"))
    if not wanted:
        raise Problem(400, "filter[entity_id] is required")
    found = [
        {"entity_id": entity_id, "entity_type": entity, **row}
        for entity_id in sorted(wanted)
        if _exists(entity, entity_id)
        for row in here.account().links_of(entity, entity_id)
        if _wanted(row)
    ]
    return paging.whole("links", found)


def _wanted(row: Mapping[str, Any]) -> bool:
    tree = paging.filters()
    kinds, targets = (
        paging.listed(tree.get("to_entity_type")),
        paging.ints(tree.get("to_entity_id")),
    )
    catalog_ids = paging.ints(tree.get("to_catalog_id"))
    if kinds and row["to_entity_type"] not in kinds:
        return False
    if targets and row["to_entity_id"] not in targets:
        return False
    return not catalog_ids or (row["metadata"] or {}).get("catalog_id") in catalog_ids


@links.post("/<int:entity_id>/link")
def link_one(entity: str, entity_id: int) -> Response:
    rows = [{**row, "entity_id": entity_id} for row in _rows(entity_id)]
    return _linked(entity, rows)


@links.post("/link")
def link_bulk(entity: str) -> Response:
    return _linked(entity, here.rows(LINK_KEYS))


@links.post("/<int:entity_id>/unlink")
def unlink_one(entity: str, entity_id: int) -> Response:
    _each(entity, [{**row, "entity_id": entity_id} for row in _rows(entity_id)], _unlink)
    return Response(status=204)


@links.post("/unlink")
def unlink_bulk(entity: str) -> Response:
    _each(entity, here.rows(LINK_KEYS), _unlink)
    return Response(status=204)


def _rows(entity_id: int) -> list[dict[str, Any]]:
    return here.rows(LINK_KEYS)


def _linked(entity: str, rows: list[dict[str, Any]]) -> Response:
    _each(entity, rows, _link)
    echoed = [
        {
            "entity_id": row["entity_id"],
            "entity_type": entity,
            "to_entity_id": row["to_entity_id"],
            "to_entity_type": row["to_entity_type"],
            "metadata": _read_back(row),
        }
        for row in rows
    ]
    return paging.whole("links", echoed)


def _read_back(row: Mapping[str, Any]) -> Any:
    """Written as is_main, read as main_contact; exact quantities become plain numbers."""
    metadata = dict(row.get("metadata") or {})
    if row["to_entity_type"] == "contacts":
        return {"main_contact": bool(metadata.get("is_main"))}
    if "quantity" in metadata:
        metadata["quantity"] = _plain(metadata["quantity"])
    return metadata or None


def _plain(number: Any) -> Any:
    return number if isinstance(number, int) else float(number)


def _each(entity: str, rows: list[dict[str, Any]], act: Act) -> None:
    here.check_all(rows, lambda row: _check(entity, row))
    for row in rows:
        act(entity, row["entity_id"], row, here.actor())


def _check(entity: str, row: Mapping[str, Any]) -> None:
    if not _exists(entity, row.get("entity_id")):
        raise Refused("NotSupportedChoice", "entity_id", NOT_A_CHOICE)
    here.account().check_link(entity, row)


def _link(entity: str, entity_id: int, row: Mapping[str, Any], by: Actor) -> None:
    try:
        here.account().link(entity, entity_id, row, by)
    except LinkBroken:
        raise Problem(500, "Internal error") from None


def _unlink(entity: str, entity_id: int, row: Mapping[str, Any], by: Actor) -> None:
    here.account().unlink(entity, entity_id, row, by)
