"""``/api/v4/webhooks``: upsert by destination, DELETE with a JSON body (§3.1)."""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Invalid, Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.hooks import EVENT_CODES, MAX_HOOKS
from server.sandbox.kommo.book.records import Hook

webhooks = Blueprint("webhooks", __name__, url_prefix="/api/v4/webhooks")

HOOK_KEYS = frozenset({"destination", "settings", "sort"})


@webhooks.before_request
def check_plan() -> None:
    here.need_admin()
    switches = here.account().switches
    if not switches.plan_has_webhooks:
        raise Problem(switches.no_webhooks_status, "Webhooks are not part of the plan")


@webhooks.get("")
def read_list() -> Response:
    wanted = paging.listed(paging.filters().get("destination"))
    found = [
        _shape(hook)
        for hook in here.account().hooks.values()
        if not wanted or hook.destination in wanted
    ]
    return paging.whole("webhooks", found)


@webhooks.post("")
def upsert() -> Response:
    row = here.one(HOOK_KEYS)
    try:
        _check(row)
    except Refused as refused:
        raise Invalid([("0", [refused])]) from None
    hook = here.account().subscribe(
        row["destination"], row["settings"], by=here.actor(), sort=row.get("sort", 10)
    )
    return here.reply(_shape(hook), 201)


@webhooks.delete("")
def delete() -> Response:
    hook = here.account().hook_for(str(here.one(HOOK_KEYS).get("destination")))
    if hook is None:
        raise Problem(404)
    del here.account().hooks[hook.id]
    return Response(status=204)


def _check(row: dict[str, Any]) -> None:
    here.check_types(row, destination=str, settings=list, sort=int)
    url = urlsplit(row.get("destination") or "")
    if url.scheme not in ("http", "https") or not url.hostname or not url.hostname.isascii():
        raise Refused("InvalidUrl", "destination", "This value is not a valid URL.")
    if not row.get("settings"):
        raise Refused("FieldMissing", "settings", "This field is missing.")
    for index, code in enumerate(row["settings"]):
        if code not in EVENT_CODES:
            raise Refused("NotSupportedChoice", f"settings.{index}", NOT_A_CHOICE)
    known = here.account().hooks
    if len(known) >= MAX_HOOKS and here.account().hook_for(row["destination"]) is None:
        raise Refused("TooMany", "destination", f"No more than {MAX_HOOKS} webhooks.")


def _shape(hook: Hook) -> dict[str, Any]:
    return {
        "id": hook.id,
        "destination": hook.destination,
        "created_at": hook.created_at,
        "updated_at": hook.updated_at,
        "account_id": here.account().account_id,
        "created_by": hook.created_by,
        "sort": hook.sort,
        "disabled": hook.disabled,
        "settings": hook.settings,
    }
