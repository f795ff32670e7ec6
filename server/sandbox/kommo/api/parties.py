"""``/api/v4/contacts`` and ``/api/v4/companies`` (§4.3)."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from server.sandbox.kommo.api import here, paging, shapes
from server.sandbox.kommo.api.leads import CARD_KEYS, ORDERS, check_card, check_echo, meets_fields
from server.sandbox.kommo.api.problems import Nothing, Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.parties import Party

parties = Blueprint("parties", __name__, url_prefix="/api/v4")

CONTACT_KEYS = CARD_KEYS | {"first_name", "last_name"}
ENTITY = "<any(contacts, companies):entity>"


def _keys(entity: str) -> frozenset[str]:
    return CONTACT_KEYS if entity == "contacts" else CARD_KEYS


@parties.get(f"/{ENTITY}")
def read_list(entity: str) -> Response:
    account = here.account()
    rows: list[Party] = [
        *(account.contacts if entity == "contacts" else account.companies).values()
    ]
    wanted, text = paging.filters(), request.args.get("query", "").lower()
    found = [row for row in rows if not row.is_deleted and _meets(row, wanted) and _says(row, text)]
    return paging.page(paging.ordered(found, ORDERS), entity, lambda row: shapes.party(entity, row))


@parties.get(f"/{ENTITY}/<int:party_id>")
def read_one(entity: str, party_id: int) -> Response:
    party = here.account().party(entity, party_id)
    if party is None or party.is_deleted:
        if here.account().switches.unknown_entity_status == 204:
            raise Nothing
        raise Problem(404)
    return here.reply(shapes.party(entity, party))


@parties.post(f"/{ENTITY}")
def create(entity: str) -> Response:
    bodies = here.rows(_keys(entity))
    here.check_all(bodies, lambda row: _check_new(entity, row))
    made = []
    for index, row in enumerate(bodies):
        party = here.account().make_party(entity, row, here.actor())
        made.append(
            {
                "id": party.id,
                "request_id": here.request_id(row, index),
                "_links": here.self_link(entity, party.id),
            }
        )
    return paging.made(entity, made)


@parties.patch(f"/{ENTITY}")
def change_many(entity: str) -> Response:
    bodies = here.rows(_keys(entity))
    here.check_all(bodies, lambda row: _check_change(entity, row))
    return paging.made(entity, [_change(entity, row["id"], row) for row in bodies])


@parties.patch(f"/{ENTITY}/<int:party_id>")
def change_one(entity: str, party_id: int) -> Response:
    row = here.one(_keys(entity))
    party = here.account().party(entity, party_id)
    if party is None or party.is_deleted:
        raise Problem(404)
    here.check_all([{**row, "id": party_id}], lambda one: _check_change(entity, one))
    return here.reply(_change(entity, party_id, row))


def _change(entity: str, party_id: int, row: Mapping[str, Any]) -> dict[str, Any]:
    party = here.account().party(entity, party_id)
    assert party is not None
    here.account().change_party(party, entity, row, here.actor())
    return {
        "id": party.id,
        "name": party.name,
        "updated_at": party.updated_at,
        "_links": here.self_link(entity, party.id),
    }


def _check_new(entity: str, row: Mapping[str, Any]) -> None:
    check_card(row)
    here.check_types(row, first_name=str, last_name=str)
    here.account().check_party(entity, row)


def _check_change(entity: str, row: Mapping[str, Any]) -> None:
    party = here.account().party(entity, row.get("id", 0))
    if party is None or party.is_deleted:
        raise Refused("NotSupportedChoice", "id", NOT_A_CHOICE)
    check_echo(row)
    _check_new(entity, row)


def _meets(party: Party, wanted: dict[str, Any]) -> bool:
    if not wanted:
        return True
    for key in ("id", "responsible_user_id", "created_by", "updated_by"):
        if key in wanted and getattr(party, key) not in paging.ints(wanted[key]):
            return False
    if "name" in wanted and party.name not in paging.listed(wanted["name"]):
        return False
    if not all(
        paging.within(wanted.get(k), getattr(party, k)) for k in ("created_at", "updated_at")
    ):
        return False
    return meets_fields(party.fields, wanted.get("custom_fields_values"))


def _says(party: Party, text: str) -> bool:
    """Full text with partial matches: whoever looks for an e-mail has to compare."""
    if not text:
        return True
    said = [party.name, *(str(v.get("value")) for vs in party.fields.values() for v in vs)]
    return any(text in one.lower() for one in said)
