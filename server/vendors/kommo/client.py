"""What Kommo offers one connected account, each in one call or one walk over pages.

Every method raises TryLater (down, throttled, refused, forbidden) and Reconnect, nothing else
unless it says so. A create of unknown outcome is TryLater with certainty UNCERTAIN.
Source: reference kommo §3.1, §4.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from server.core.errors import Certainty, NotOurs, TryLater
from server.core.said import say
from server.core.tokens import TokenHolder
from server.vendors.http import Caller, Reply
from server.vendors.kommo import fields, records
from server.vendors.kommo.api import ACCOUNT, Host, KommoApi, Pairs, body_of, refused, refused_paths
from server.vendors.kommo.records import (
    KommoAccount,
    KommoTask,
    Pipeline,
    Row,
    StageEvent,
    Webhook,
)

_LEADS = "/api/v4/leads"
_TASKS = "/api/v4/tasks"
_WEBHOOKS = "/api/v4/webhooks"
_FOLLOW_UP = 1  # the task type that every account has
_EVENTS_PAGE = 100  # §4.0
_EVENTS_DEALS = 10  # ids per filter, §4.10
_IDS = 250
_LINKED: Pairs = (("with", "contacts,catalog_elements"),)


class KommoClient:
    """``host`` is the account's ("demo.kommo.com"), or a function that tells it: see ``KommoApi``.
    ``insecure``: plain http, for an emulator on this machine.
    """

    def __init__(
        self, host: Host, tokens: TokenHolder, caller: Caller, *, insecure: bool = False
    ) -> None:
        self._api = KommoApi(host, tokens, caller, insecure=insecure)

    def account(self) -> KommoAccount:
        reply = self._api.call("GET", ACCOUNT, params=[("with", "datetime_settings")])
        date = reply.headers.get("Date", "")
        return self._api.read(lambda body: records.read_account(body, date), body_of(reply))

    def is_admin(self) -> bool:
        """Whether this access is an administrator's: users are listed for these alone (§4.10)."""
        try:
            self._api.get("/api/v4/users", [("limit", 1)])
        except TryLater as refused:
            if refused.cause == "kommo:forbidden" and refused.certainty is Certainty.REFUSED:
                return False
            raise
        return True

    def user(self, user_id: int) -> Row | None:
        """One user with ``rights``; None where there is none. Only admins may ask (§4.10)."""
        return self._api.card(f"/api/v4/users/{user_id}")

    def deal(self, deal_id: int) -> Row | None:
        """The deal with its links (contacts, products), None where there is none."""
        return self._api.card(f"{_LEADS}/{deal_id}", _LINKED)

    def deals(self, ids: Iterable[int], *, linked: bool = False) -> list[Row]:
        """Those that are there; ``linked``: with their contacts and products, as ``deal``."""
        return self._by_id(_LEADS, "leads", ids, _LINKED if linked else ())

    def search_deals(self, text: str, most: int) -> list[Row]:
        """What Kommo's full-text search finds, the last changed first; all deals for no text."""
        query: Pairs = [("query", text)] if text else []
        return self._api.first(_LEADS, "leads", [*query, ("order[updated_at]", "desc")], most)

    def deals_in(self, pipeline_id: int, stage_id: int, created_since: datetime) -> Iterator[Row]:
        """Deals that stand in this stage now and were created since; the youngest first."""
        params: Pairs = [
            ("filter[statuses][0][pipeline_id]", pipeline_id),
            ("filter[statuses][0][status_id]", stage_id),
            ("filter[created_at][from]", int(created_since.timestamp())),
            ("order[id]", "desc"),
        ]
        for row in self._api.each(_LEADS, "leads", params):
            # Filters that Kommo does not know are ignored: every row is looked at.
            here = (row.get("pipeline_id"), row.get("status_id")) == (pipeline_id, stage_id)
            if here and int(row.get("created_at") or 0) >= int(created_since.timestamp()):
                yield row

    def contacts(self, ids: Iterable[int]) -> list[Row]:
        """Those that are there; deleted and merged ones are left out."""
        return self._by_id("/api/v4/contacts", "contacts", ids)

    def company(self, company_id: int) -> Row | None:
        found = self._api.card(f"/api/v4/companies/{company_id}")
        return None if found and found.get("is_deleted") else found

    def companies(self, ids: Iterable[int]) -> list[Row]:
        """Those that are there, without the deleted."""
        return self._by_id("/api/v4/companies", "companies", ids)

    def elements(self, catalog_id: int, ids: Iterable[int]) -> list[Row]:
        """Elements of one list (products), those that are there."""
        return self._by_id(f"/api/v4/catalogs/{catalog_id}/elements", "elements", ids)

    def catalogs(self) -> list[Row]:
        """The account's lists; the one of type "products" holds what is sold."""
        return self._api.rows("/api/v4/catalogs", "catalogs")

    def pipelines(self) -> list[Pipeline]:
        rows = self._api.rows(f"{_LEADS}/pipelines", "pipelines")
        return self._api.read(lambda rows: [records.read_pipeline(row) for row in rows], rows)

    def custom_fields(self, where: str) -> list[Row]:
        """All fields of "leads", "contacts", "companies" or "catalogs/<id>", over all pages."""
        return self._api.rows(f"/api/v4/{where}/custom_fields", "custom_fields")

    def stage_events(
        self, *, since: datetime, until: datetime | None = None, deal_ids: Sequence[int] = ()
    ) -> list[StageEvent]:
        """Stage changes and creations of deals, both ends included, oldest first.

        Without ``deal_ids`` those of all deals.
        """
        params: list[tuple[str, str | int]] = [
            ("filter[type][]", "lead_status_changed"),
            ("filter[type][]", "lead_added"),
            ("filter[created_at][from]", int(since.timestamp())),
        ]
        if until:
            params.append(("filter[created_at][to]", int(until.timestamp())))
        found: dict[str, StageEvent] = {}  # pages shift while new events come: one may come twice
        for ids in _batches(deal_ids, _EVENTS_DEALS) if deal_ids else [()]:
            for event in self._events(params, ids):
                found[event.event_id] = event
        return sorted(found.values(), key=lambda event: (event.at, event.event_id))

    def moves(
        self, place: tuple[int, int], *, since: datetime, out: bool = False
    ) -> Iterator[StageEvent]:
        """Moves into this (pipeline, stage), or out of it, as Kommo tells them: newest first."""
        at = f"filter[value_{'before' if out else 'after'}][leads_statuses][0]"
        params: Pairs = [
            ("filter[type][]", "lead_status_changed"),
            ("filter[created_at][from]", int(since.timestamp())),
            (f"{at}[pipeline_id]", place[0]),
            (f"{at}[status_id]", place[1]),
        ]
        for row in self._api.each("/api/v4/events", "events", params, limit=_EVENTS_PAGE):
            event = self._api.read(records.read_event, row)
            old = (event.old_pipeline_id, event.old_stage_id)
            if place == (old if out else (event.pipeline_id, event.stage_id)):
                yield event

    def deal_fields(self) -> list[Row]:
        """All custom fields of deals, over all pages."""
        return self._api.rows(fields.FIELDS, "custom_fields")

    def ensure_deal_fields(
        self, specs: Iterable[fields.FieldSpec] = fields.DEAL_FIELDS
    ) -> dict[str, int]:
        """Code to field id; what is missing is made, API-only. Of twins the lowest id counts."""
        return fields.ensure(self._api, specs)

    def write_deal(self, deal_id: int, values: Mapping[int, fields.FieldInput]) -> None:
        """Custom fields by id; a select takes a ``Choice``, None clears.

        Raises NotOurs when the deal is gone; TryLater with cause "kommo:fields" when Kommo refuses
        a field (deleted, or its choices changed): whoever caches ids drops them and asks again.
        """
        body = {"custom_fields_values": fields.values(dict(values))}
        reply = self._api.call("PATCH", f"{_LEADS}/{deal_id}", json=body)
        if self._api.is_missing(reply):
            raise NotOurs(say("Deal %(id)s is gone from Kommo.", id=deal_id))
        if reply.status >= 400:
            raise refused(reply, "kommo:fields")

    def create_task(
        self,
        deal_id: int,
        text: str,
        responsible_user_id: int | None,
        due: datetime,
        request_id: str,
    ) -> int:
        """The new task's id. A user whom Kommo no longer takes is replaced by the one who
        connected: a task that reaches nobody helps nobody.
        """
        row: Row = {
            "task_type_id": _FOLLOW_UP,
            "text": text,
            "complete_till": int(due.timestamp()),
            "entity_id": deal_id,
            "entity_type": "leads",
            "request_id": request_id,
        }
        user = {"responsible_user_id": responsible_user_id} if responsible_user_id else {}
        reply = self._api.call("POST", _TASKS, json=[row | user])
        if user and _names(reply, "responsible_user_id"):
            reply = self._api.call("POST", _TASKS, json=[row])
        return self._api.read(lambda body: int(body["_embedded"]["tasks"][0]["id"]), body_of(reply))

    def tasks_of(self, deal_id: int) -> list[KommoTask]:
        params: list[tuple[str, str | int]] = [
            ("filter[entity_type]", "leads"),
            ("filter[entity_id][]", deal_id),
        ]
        rows = self._api.rows(_TASKS, "tasks", params)
        # Filters that Kommo does not know are ignored: every row is looked at.
        ours = [row for row in rows if row.get("entity_id") == deal_id]
        return self._api.read(lambda rows: [records.read_task(row) for row in rows], ours)

    def complete_task(self, task_id: int, text: str) -> None:
        """Closes it with a result. A task that is gone is as good as done."""
        body = {"is_completed": True, "result": {"text": text}}
        reply = self._api.call("PATCH", f"{_TASKS}/{task_id}", json=body)
        if not self._api.is_missing(reply):
            body_of(reply)

    def webhook(self, url: str) -> Webhook | None:
        """Our subscription, found by its exact destination."""
        rows = self._api.rows(_WEBHOOKS, "webhooks", [("filter[destination]", url)])
        hooks = self._api.read(lambda rows: [records.read_webhook(row) for row in rows], rows)
        return next((hook for hook in hooks if hook.destination == url), None)

    def ensure_webhook(self, url: str, events: Iterable[str]) -> Webhook:
        """Subscribed to these events and not disabled. Raises TryLater with cause
        "kommo:forbidden" where the account's plan has no webhooks.
        """
        wanted = sorted(set(events))
        there = self.webhook(url)
        if there and not there.disabled and sorted(there.settings) == wanted:
            return there
        hook = self._subscribe(url, wanted)
        if hook.disabled:  # whether POST enables it again is not documented; a new one is enabled
            self.delete_webhook(url)
            hook = self._subscribe(url, wanted)
        return hook

    def delete_webhook(self, url: str) -> None:
        reply = self._api.call("DELETE", _WEBHOOKS, json={"destination": url})
        if not self._api.is_missing(reply):
            body_of(reply)

    def _subscribe(self, url: str, events: list[str]) -> Webhook:
        body = {"destination": url, "settings": events}
        return self._api.read(records.read_webhook, self._api.write("POST", _WEBHOOKS, body))

    def _events(self, params: Pairs, deal_ids: Sequence[int]) -> list[StageEvent]:
        only: list[tuple[str, str | int]] = [
            ("filter[entity_id][]", deal_id) for deal_id in deal_ids
        ]
        if only:
            only.append(("filter[entity]", "lead"))
        rows = self._api.rows("/api/v4/events", "events", [*params, *only], limit=_EVENTS_PAGE)
        return self._api.read(lambda rows: [records.read_event(row) for row in rows], rows)

    def _by_id(self, path: str, key: str, ids: Iterable[int], more: Pairs = ()) -> list[Row]:
        wanted = sorted(set(ids))
        found: list[Row] = []
        for batch in _batches(wanted, _IDS):
            rows = self._api.rows(path, key, [*(("filter[id][]", item) for item in batch), *more])
            found += [row for row in rows if row.get("id") in batch and not row.get("is_deleted")]
        return found


def _batches(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _names(reply: Reply, field: str) -> bool:
    return reply.status == 400 and any(path.endswith(field) for path in refused_paths(reply))
