"""``/api/v4/leads``: read, filter, create, change (§4.2)."""

from collections.abc import Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any

from flask import Blueprint, Response, request

from server.sandbox.kommo.api import here, paging, shapes
from server.sandbox.kommo.api.problems import Nothing, Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.records import Card, Deal

leads = Blueprint("leads", __name__, url_prefix="/api/v4/leads")

CARD_KEYS = frozenset({
    "id", "name", "created_by", "updated_by", "created_at", "updated_at", "responsible_user_id",
    "custom_fields_values", "tags_to_add", "tags_to_delete", "request_id", "_embedded",
})  # fmt: skip
DEAL_KEYS = CARD_KEYS | {"price", "status_id", "pipeline_id", "closed_at", "loss_reason_id"}
RANGES = ("created_at", "updated_at", "closed_at")
ORDERS = {key: attrgetter(key) for key in ("created_at", "updated_at", "id")}


@leads.get("")
def read_list() -> Response:
    deals = here.account().deals.values()
    if "only_deleted" in here.with_():
        gone = [deal for deal in deals if deal.is_deleted]
        return paging.page(gone, "leads", shapes.trashed)
    wanted, text = paging.filters(), request.args.get("query", "").lower()
    found = [
        deal
        for deal in deals
        if not deal.is_deleted and _visible(deal) and _meets(deal, wanted) and _says(deal, text)
    ]
    return paging.page(paging.ordered(found, ORDERS), "leads", shapes.deal)


@leads.get("/<int:deal_id>")
def read_one(deal_id: int) -> Response:
    deal = _living(deal_id, allow_trashed="only_deleted" in here.with_())
    if not _visible(deal):
        raise Problem(403)
    if deal.is_deleted and "only_deleted" in here.with_():
        return here.reply(shapes.trashed(deal))
    return here.reply(shapes.deal(deal))


@leads.post("")
def create() -> Response:
    bodies = here.rows(DEAL_KEYS)
    here.check_all(bodies, _check_new)
    made = []
    for index, row in enumerate(bodies):
        deal = here.account().make_deal(priced(row), here.actor())
        made.append(
            {
                "id": deal.id,
                "request_id": here.request_id(row, index),
                "_links": here.self_link("leads", deal.id),
            }
        )
    return paging.made("leads", made)


@leads.patch("")
def change_many() -> Response:
    bodies = here.rows(DEAL_KEYS)
    here.check_all(bodies, _check_change)
    return paging.made("leads", [_change(row["id"], row) for row in bodies])


@leads.patch("/<int:deal_id>")
def change_one(deal_id: int) -> Response:
    row = here.one(DEAL_KEYS)
    deal = here.account().deals.get(deal_id)
    if deal is None or deal.is_deleted:
        raise Problem(404)
    if not here.account().may(here.actor().user_id, "edit", deal) and not here.is_admin():
        raise Problem(403)
    here.check_all([{**row, "id": deal_id}], _check_change)
    return here.reply(_change(deal_id, row))


def _change(deal_id: int, row: Mapping[str, Any]) -> dict[str, Any]:
    account = here.account()
    deal = account.change_deal(account.deals[deal_id], priced(row), here.actor())
    return {
        "id": deal.id,
        "updated_at": deal.updated_at,
        "_links": here.self_link("leads", deal.id),
    }


def _living(deal_id: int, *, allow_trashed: bool) -> Deal:
    deal = here.account().deals.get(deal_id)
    switches = here.account().switches
    readable = allow_trashed or switches.trashed_lead_readable
    if deal is None or (deal.is_deleted and not readable):
        if switches.unknown_lead_status == 204:
            raise Nothing
        raise Problem(404)
    return deal


def _visible(deal: Deal) -> bool:
    return here.is_admin() or here.account().may(here.actor().user_id, "view", deal)


def check_card(row: Mapping[str, Any]) -> None:
    """What is common to deals, contacts and companies. Raises Refused."""
    here.check_types(
        row, name=str, responsible_user_id=int, created_by=int, updated_by=int,
        created_at=int, updated_at=int, custom_fields_values=list,
        tags_to_add=list, tags_to_delete=list, _embedded=dict,
    )  # fmt: skip


def check_echo(row: Mapping[str, Any]) -> None:
    """A model that was read and sent back fails here: only the robot may be named (§4.2)."""
    for key in ("created_by", "updated_by"):
        if row.get(key, 0) != 0:
            raise Refused("NotSupportedChoice", key, NOT_A_CHOICE)


def check_values(row: Mapping[str, Any]) -> None:
    check_card(row)
    here.check_types(row, status_id=int, pipeline_id=int, closed_at=int, loss_reason_id=int)
    numbers = (int, Decimal) if here.account().switches.price_with_minor_units else int
    here.check_types(row, price=numbers)
    reason = row.get("loss_reason_id")
    if reason is not None and reason not in here.account().loss_reasons:
        raise Refused("NotSupportedChoice", "loss_reason_id", NOT_A_CHOICE)


def _check_new(row: Mapping[str, Any]) -> None:
    check_values(row)
    if row.get("created_by", 0) not in {0, *here.account().users}:
        raise Refused("NotSupportedChoice", "created_by", NOT_A_CHOICE)
    if (row.get("_embedded") or {}).get("catalog_elements"):
        path = "_embedded.catalog_elements"
        raise Refused("NotSupported", path, "Products are linked afterwards.")
    here.account().check_deal(row)


def _check_change(row: Mapping[str, Any]) -> None:
    deal = here.account().deals.get(row.get("id", 0))
    if deal is None or deal.is_deleted:
        raise Refused("NotSupportedChoice", "id", NOT_A_CHOICE)
    check_values(row)
    check_echo(row)
    here.account().check_deal(row, deal)


def priced(row: Mapping[str, Any]) -> dict[str, Any]:
    copy = dict(row)
    if copy.get("price") is not None:
        copy["price"] = Decimal(copy["price"])
    return copy


def _meets(deal: Deal, wanted: dict[str, Any]) -> bool:
    if not wanted:
        return True
    for key in ("id", "pipeline_id", "responsible_user_id", "created_by", "updated_by"):
        if key in wanted and getattr(deal, key) not in paging.ints(wanted[key]):
            return False
    if "name" in wanted and deal.name not in paging.listed(wanted["name"]):
        return False
    if any(not paging.within(wanted.get(key), getattr(deal, key)) for key in RANGES):
        return False
    price = deal.price if deal.price is not None else Decimal(0)
    return (
        paging.within(wanted.get("price"), price)
        and _in_stage(deal, wanted.get("statuses"))
        and meets_fields(deal.fields, wanted.get("custom_fields_values"))
    )


def _in_stage(deal: Deal, node: Any) -> bool:
    """Both ids are needed; a row with one of them is not looked at."""
    if not isinstance(node, dict):
        return True
    places = {
        (row["pipeline_id"], row["status_id"])
        for row in node.values()
        if isinstance(row, dict) and {"pipeline_id", "status_id"} <= row.keys()
    }
    return not places or (str(deal.pipeline_id), str(deal.status_id)) in places


def meets_fields(values: Mapping[int, list[dict[str, Any]]], node: Any) -> bool:
    if not isinstance(node, dict):
        return True
    for field_id, wanted in node.items():
        have = values.get(int(field_id), []) if str(field_id).isdigit() else []
        if isinstance(wanted, dict) and wanted.keys() & {"from", "to"}:
            if not any(paging.within(wanted, Decimal(str(one["value"]))) for one in have):
                return False
            continue
        texts = {str(one.get(key)) for one in have for key in ("value", "enum_id")}
        if not texts & set(paging.listed(wanted)):
            return False
    return True


def _says(deal: Deal, text: str) -> bool:
    """Full text: the name and the field values, by a switch also those of who is linked."""
    if not text:
        return True
    account = here.account()
    cards: list[Card] = [deal]
    if account.switches.deal_query_finds_people:
        cards += [account.contacts[one] for one in deal.contacts]
        cards += [account.companies[deal.company_id]] if deal.company_id is not None else []
    return any(
        text in one.lower()
        for card in cards
        for one in (card.name, *(str(v.get("value")) for vs in card.fields.values() for v in vs))
    )


@leads.get("/loss_reasons")
def loss_reasons() -> Response:
    reasons = [shapes.loss_reason(reason_id) for reason_id in here.account().loss_reasons]
    return paging.whole("loss_reasons", reasons)
