"""``POST /api/v4/leads/complex``: a deal with its contact and company in one call (§4.2)."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here
from server.sandbox.kommo.api.leads import DEAL_KEYS, check_values, priced
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.base import Refused

complex_leads = Blueprint("complex_leads", __name__, url_prefix="/api/v4/leads/complex")

MAX_LEADS = 50
MAX_FIELDS = 40


@complex_leads.post("")
def create() -> Response:
    bodies = here.rows(DEAL_KEYS)
    if len(bodies) > MAX_LEADS:
        raise Problem(400, f"No more than {MAX_LEADS} leads in a request")
    here.check_all(bodies, _check)
    made = [_make(row, index) for index, row in enumerate(bodies)]
    return Response(json.dumps(made), 200, content_type="application/json")


def _check(row: Mapping[str, Any]) -> None:
    check_values(row)
    embedded = row.get("_embedded") or {}
    for kind in ("contacts", "companies"):
        cards = embedded.get(kind) or []
        if len(cards) > 1:
            raise Refused("TooMany", f"_embedded.{kind}", "One contact and one company a lead.")
        for card in cards:
            if len(card.get("custom_fields_values") or []) > MAX_FIELDS:
                raise Refused("TooMany", f"_embedded.{kind}.0.custom_fields_values", "Too many.")
            here.account().check_party(kind, card)
    bare = {key: value for key, value in row.items() if key != "_embedded"}
    here.account().check_deal(bare)


def _make(row: Mapping[str, Any], index: int) -> dict[str, Any]:
    account, by = here.account(), here.actor()
    embedded = row.get("_embedded") or {}
    ids: dict[str, int | None] = {}
    for kind in ("companies", "contacts"):
        cards = embedded.get(kind) or []
        ids[kind] = None
        if cards:
            known = account.party(kind, cards[0].get("id", 0))
            ids[kind] = (known or account.make_party(kind, cards[0], by)).id
    links = {kind: [{"id": one}] for kind, one in ids.items() if one is not None}
    tags = {"tags": embedded["tags"]} if "tags" in embedded else {}
    deal = account.make_deal({**priced(row), "_embedded": {**links, **tags}}, by)
    return {
        "id": deal.id,
        "contact_id": ids["contacts"],
        "company_id": ids["companies"],
        "request_id": [here.request_id(row, index)],
        "merged": False,
    }
