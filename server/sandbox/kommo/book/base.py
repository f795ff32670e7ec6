"""The state that all parts of an account share, and the few things that each of them needs."""

import secrets
import threading
from collections.abc import Mapping
from typing import Any, TypeVar

from server.sandbox.clock import SandboxClock
from server.sandbox.delivery import Deliveries
from server.sandbox.kommo.book.records import (
    Actor,
    Card,
    Catalog,
    Company,
    Contact,
    Deal,
    Element,
    Event,
    Field,
    Hook,
    Note,
    Pipeline,
    StageHook,
    Tag,
    Task,
    User,
)
from server.sandbox.kommo.switches import KommoSwitches

T = TypeVar("T")
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


class Refused(ValueError):
    """The vendor's validation said no; ``path`` points into the row that was sent."""

    def __init__(self, code: str, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.code, self.path, self.detail = code, path, detail


NOT_A_CHOICE = "The value you selected is not a valid choice."


class Book:
    """Rows of one account. Every change happens under ``lock``; hooks are queued, never posted."""

    def __init__(
        self, clock: SandboxClock, deliveries: Deliveries, switches: KommoSwitches
    ) -> None:
        self.clock = clock
        self.deliveries = deliveries
        self.switches = switches
        self.lock = threading.RLock()
        self.account_id = 0
        self.subdomain = ""
        self.currency = "EUR"
        self.timezone = "UTC"
        self.deals: dict[int, Deal] = {}
        self.contacts: dict[int, Contact] = {}
        self.companies: dict[int, Company] = {}
        self.catalogs: dict[int, Catalog] = {}
        self.elements: dict[int, Element] = {}
        self.fields: dict[int, Field] = {}
        self.field_groups: dict[str, dict[str, Any]] = {}
        self.pipelines: dict[int, Pipeline] = {}
        self.users: dict[int, User] = {}
        self.tasks: dict[int, Task] = {}
        self.notes: dict[int, Note] = {}
        self.tags: dict[str, list[Tag]] = {}
        self.events: list[Event] = []
        self.hooks: dict[int, Hook] = {}
        self.stage_hooks: list[StageHook] = []
        self._last_id = 1000

    def new_id(self) -> int:
        """Ids grow and are unique over all kinds, so that a mixed-up id is noticed."""
        self._last_id += 1
        return self._last_id

    def now(self) -> int:
        return self.clock.timestamp()

    def seen_at(self, host: str) -> str:
        """The address that goes into bodies; plain http is for loopback alone."""
        return f"http://{host}"

    def owner(self) -> Actor:
        """Who acts when nobody is named: the first user."""
        return Actor(next(iter(self.users), 0))

    def note_event(
        self,
        kind: str,
        entity: tuple[str, int],
        by: Actor,
        after: list[dict[str, Any]] | None = None,
        before: list[dict[str, Any]] | None = None,
    ) -> None:
        """Write a row of ``/events``; ``entity`` is (singular type, id)."""
        self.events.append(
            Event(
                id="01" + "".join(secrets.choice(_BASE32) for _ in range(24)),
                type=kind,
                entity_id=entity[1],
                entity_type=entity[0],
                created_by=by.stamp,
                created_at=self.now(),
                value_after=after or [],
                value_before=before or [],
                at=self.clock.now().timestamp(),
            )
        )

    def tagged(self, entity: str, wanted: list[Mapping[str, Any]]) -> list[Tag]:
        """Existing tags by id or name; unknown names are made, unknown ids refused."""
        found = []
        for index, row in enumerate(wanted):
            tag = self._tag(entity, row)
            if tag is None:
                raise Refused("NotSupportedChoice", f"tags_to_add.{index}.id", NOT_A_CHOICE)
            found.append(tag)
        return found

    def _tag(self, entity: str, row: Mapping[str, Any]) -> Tag | None:
        known = self.tags.setdefault(entity, [])
        if row.get("id") is not None:
            return next((tag for tag in known if tag.id == row["id"]), None)
        name = str(row.get("name", ""))
        same = next((tag for tag in known if tag.name == name), None)
        if same is None:
            same = Tag(self.new_id(), name)
            known.append(same)
        return same

    def closest_task_at(self, entity: str, entity_id: int) -> int | None:
        open_tasks = [
            task.complete_till
            for task in self.tasks.values()
            if task.entity_id == entity_id and task.entity_type == entity and not task.is_completed
        ]
        return min(open_tasks, default=None)


def touch(card: Card | Element, by: Actor, at: int) -> None:
    card.updated_at = at
    card.updated_by = by.stamp


def id_of(row: Any) -> int:
    """Accepts a row or its id, so that callers may hand over either."""
    return row if isinstance(row, int) else int(row.id)
