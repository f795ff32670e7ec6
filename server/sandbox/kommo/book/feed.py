"""Tasks and notes: what stands in a card's feed."""

from collections.abc import Mapping
from typing import Any

from server.sandbox.kommo.book import v2
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.links import Links
from server.sandbox.kommo.book.parties import SINGULAR
from server.sandbox.kommo.book.records import Actor, Note, Task

Row = Mapping[str, Any]
TASK_TYPES = {1: "FOLLOW_UP", 2: "MEETING"}
NOTE_PARAMS: dict[str, tuple[str, ...]] = {
    "common": ("text",),
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "call_in": ("uniq", "duration", "source", "link", "phone"),
    "call_out": ("uniq", "duration", "source", "link", "phone"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "geolocation": ("text", "address", "longitude", "latitude"),
    "attachment": ("file_uuid", "version_uuid", "file_name"),
    "message_cashier": ("status", "text"),
}


class Feed(Links):
    """Tasks for people, notes for the record."""

    def check_task(self, row: Row, task: Task | None = None) -> None:
        """Raises Refused: text and complete_till are required of a new one."""
        for key in ("text", "complete_till") if task is None else ():
            if row.get(key) in (None, ""):
                raise Refused("FieldMissing", key, "This field is missing.")
        if not isinstance(row.get("complete_till", 0), int):
            raise Refused("InvalidType", "complete_till", "This value should be of type int.")
        user = row.get("responsible_user_id")
        if user is not None and user not in self.users:
            raise Refused("NotSupportedChoice", "responsible_user_id", NOT_A_CHOICE)
        if row.get("task_type_id", 1) not in TASK_TYPES:
            raise Refused("NotSupportedChoice", "task_type_id", NOT_A_CHOICE)
        if row.get("entity_id") is not None:
            self.check_entity(str(row.get("entity_type")), row["entity_id"], "entity_id")

    def check_entity(self, entity: str, entity_id: Any, path: str) -> None:
        """Raises Refused for a card that is not there."""
        cards: dict[str, Mapping[int, Any]] = {
            "leads": self.deals,
            "contacts": self.contacts,
            "companies": self.companies,
        }
        card = cards.get(entity, {}).get(entity_id)
        if card is None or card.is_deleted:
            raise Refused("NotSupportedChoice", path, NOT_A_CHOICE)

    def make_task(self, row: Row, by: Actor) -> Task:
        with self.lock:
            self.check_task(row)
            at = self.now()
            task = Task(
                self.new_id(), str(row["text"]), row["complete_till"], by.stamp, by.stamp, at, at,
                row.get("responsible_user_id") or by.user_id,
                entity_id=row.get("entity_id"), entity_type=row.get("entity_type"),
                task_type_id=row.get("task_type_id", 1), duration=row.get("duration", 0),
            )  # fmt: skip
            self.tasks[task.id] = task
            if row.get("is_completed"):
                self._complete(task, row, by)
            self.note_event("task_added", ("task", task.id), by)
            self._tell_task(task, "add", by)
            return task

    def change_task(self, task: Task, row: Row, by: Actor) -> Task:
        with self.lock:
            self.check_task(row, task)
            for key in ("text", "complete_till", "task_type_id", "duration"):
                if key in row:
                    setattr(task, key, row[key])
            task.responsible_user_id = row.get("responsible_user_id") or task.responsible_user_id
            if row.get("is_completed") and not task.is_completed:
                self._complete(task, row, by)
            task.updated_at, task.updated_by = self.now(), by.stamp
            self._tell_task(task, "update", by)
            return task

    def complete_task(self, task_id: int, result: str = "", by: Actor | None = None) -> Task:
        """As a user ticks it off."""
        row = {"is_completed": True, "result": {"text": result}}
        return self.change_task(self.tasks[task_id], row, by or self.owner())

    def _complete(self, task: Task, row: Row, by: Actor) -> None:
        task.is_completed = True
        task.result = (row.get("result") or {}).get("text") or None
        self.note_event("task_completed", ("task", task.id), by)

    def _tell_task(self, task: Task, action: str, by: Actor) -> None:
        row = v2.task_row(task, self.account_id, self.timezone)
        self.fire(f"{action}_task", ("task", action, row), by)

    def check_note(self, entity: str, row: Row) -> None:
        """Raises Refused for an unknown type, missing params, or a card that is not there."""
        kind = row.get("note_type")
        if kind not in NOTE_PARAMS:
            raise Refused("NotSupportedChoice", "note_type", NOT_A_CHOICE)
        params = row.get("params")
        if not isinstance(params, Mapping):
            raise Refused("FieldMissing", "params", "This field is missing.")
        for name in NOTE_PARAMS[str(kind)]:
            if params.get(name) is None:
                raise Refused("FieldMissing", f"params.{name}", "This field is missing.")
        self.check_entity(entity, row.get("entity_id"), "entity_id")

    def make_note(self, entity: str, row: Row, by: Actor) -> Note:
        with self.lock:
            self.check_note(entity, row)
            at = self.now()
            note = Note(
                self.new_id(), row["entity_id"], entity, row["note_type"], dict(row["params"]),
                by.stamp, by.stamp, at, at, row.get("responsible_user_id") or by.user_id,
            )  # fmt: skip
            self.notes[note.id] = note
            card = (SINGULAR[entity], note.entity_id)
            self.note_event(f"{note.note_type}_note_added", card, by, [{"note": {"id": note.id}}])
            root = "leads" if entity == "leads" else "contacts"
            row2 = v2.note_row(note, self.account_id)
            self.fire(f"note_{SINGULAR[entity]}", (root, "note", row2), by)
            return note

    def change_note(self, note: Note, row: Row, by: Actor) -> Note:
        with self.lock:
            if isinstance(row.get("params"), Mapping):
                note.params = {**note.params, **row["params"]}
            note.updated_at, note.updated_by = self.now(), by.stamp
            return note
