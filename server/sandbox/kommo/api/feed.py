"""``/api/v4/tasks`` and notes (§4.8, §4.9)."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.base import NOT_A_CHOICE, Refused
from server.sandbox.kommo.book.records import Note, Task

feed = Blueprint("feed", __name__, url_prefix="/api/v4")

TASK_KEYS = frozenset({
    "id", "text", "complete_till", "task_type_id", "entity_id", "entity_type", "duration",
    "responsible_user_id", "is_completed", "result", "created_by", "updated_by", "created_at",
    "updated_at", "request_id",
})  # fmt: skip
NOTE_KEYS = frozenset({
    "id", "entity_id", "note_type", "params", "created_by", "responsible_user_id", "request_id",
    "is_need_to_trigger_digital_pipeline",
})  # fmt: skip
ENTITY = "<any(leads, contacts, companies):entity>"
TASK_ORDER = {key: attrgetter(key) for key in ("created_at", "complete_till", "id")}


@feed.get("/tasks")
def read_tasks() -> Response:
    wanted = paging.filters()
    found = [task for task in here.account().tasks.values() if _meets(task, wanted)]
    return paging.page(paging.ordered(found, TASK_ORDER), "tasks", _task)


def _meets(task: Task, wanted: dict[str, Any]) -> bool:
    for key in ("id", "responsible_user_id", "entity_id", "task_type_id"):
        if key in wanted and getattr(task, key) not in paging.ints(wanted[key]):
            return False
    if "task_type" in wanted and task.task_type_id not in paging.ints(wanted["task_type"]):
        return False
    if "is_completed" in wanted and int(task.is_completed) not in paging.ints(
        wanted["is_completed"]
    ):
        return False
    if "entity_type" in wanted and task.entity_type not in paging.listed(wanted["entity_type"]):
        return False
    return paging.within(wanted.get("updated_at"), task.updated_at)


@feed.get("/tasks/<int:task_id>")
def read_task(task_id: int) -> Response:
    return here.reply(_task(_known(task_id)))


def _known(task_id: int) -> Task:
    task = here.account().tasks.get(task_id)
    if task is None:
        raise Problem(404)
    return task


@feed.post("/tasks")
def create_tasks() -> Response:
    bodies = here.rows(TASK_KEYS)
    here.check_all(bodies, lambda row: _check_task(row, None))
    made = []
    for index, row in enumerate(bodies):
        task = here.account().make_task(row, here.actor())
        made.append(
            {
                "id": task.id,
                "request_id": here.request_id(row, index),
                "_links": here.self_link("tasks", task.id),
            }
        )
    return paging.made("tasks", made)


@feed.patch("/tasks")
def change_tasks() -> Response:
    bodies = here.rows(TASK_KEYS)
    here.check_all(bodies, lambda row: _check_task(row, here.account().tasks.get(row.get("id", 0))))
    return paging.made("tasks", [_change(row["id"], row, i) for i, row in enumerate(bodies)])


@feed.patch("/tasks/<int:task_id>")
def change_task(task_id: int) -> Response:
    task = _known(task_id)
    row = here.one(TASK_KEYS)
    here.check_all([row], lambda one: _check_task(one, task))
    return here.reply(_change(task_id, row, 0))


def _check_task(row: Mapping[str, Any], task: Task | None) -> None:
    if "id" in row and task is None:
        raise Refused("NotSupportedChoice", "id", NOT_A_CHOICE)
    here.check_types(row, text=str, duration=int, is_completed=bool, entity_id=int, result=dict)
    here.account().check_task(row, task)


def _change(task_id: int, row: Mapping[str, Any], index: int) -> dict[str, Any]:
    task = here.account().change_task(here.account().tasks[task_id], row, here.actor())
    return {
        "id": task.id,
        "updated_at": task.updated_at,
        "request_id": here.request_id(row, index),
        "_links": here.self_link("tasks", task.id),
    }


def _task(row: Task) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_by": row.created_by,
        "updated_by": row.updated_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "responsible_user_id": row.responsible_user_id,
        "group_id": 0,
        "entity_id": row.entity_id,
        "entity_type": row.entity_type,
        "duration": row.duration,
        "is_completed": row.is_completed,
        "task_type_id": row.task_type_id,
        "text": row.text,
        # An empty PHP array: a list, where a filled one is an object.
        "result": {"text": row.result} if row.result else [],
        "complete_till": row.complete_till,
        "account_id": here.account().account_id,
        "_links": here.self_link("tasks", row.id),
    }


@feed.get(f"/{ENTITY}/notes")
@feed.get(f"/{ENTITY}/<int:entity_id>/notes")
def read_notes(entity: str, entity_id: int | None = None) -> Response:
    wanted = paging.filters()
    found = [
        note
        for note in here.account().notes.values()
        if note.entity_type == entity
        and entity_id in (None, note.entity_id)
        and ("id" not in wanted or note.id in paging.ints(wanted["id"]))
        and ("entity_id" not in wanted or note.entity_id in paging.ints(wanted["entity_id"]))
        and ("note_type" not in wanted or note.note_type in paging.listed(wanted["note_type"]))
        and paging.within(wanted.get("updated_at"), note.updated_at)
    ]
    orders = {key: attrgetter(key) for key in ("updated_at", "id")}
    return paging.page(paging.ordered(found, orders), "notes", _note)


@feed.get(f"/{ENTITY}/<int:entity_id>/notes/<int:note_id>")
def read_note(entity: str, entity_id: int, note_id: int) -> Response:
    return here.reply(_note(_known_note(entity, note_id, entity_id)))


def _known_note(entity: str, note_id: int, entity_id: int | None) -> Note:
    note = here.account().notes.get(note_id)
    if note is None or note.entity_type != entity or entity_id not in (None, note.entity_id):
        raise Problem(404)
    return note


@feed.post(f"/{ENTITY}/notes")
@feed.post(f"/{ENTITY}/<int:entity_id>/notes")
def create_notes(entity: str, entity_id: int | None = None) -> Response:
    bodies = here.rows(NOTE_KEYS)
    if entity_id is not None:
        bodies = [{**row, "entity_id": entity_id} for row in bodies]
    here.check_all(bodies, lambda row: here.account().check_note(entity, row))
    made = []
    for index, row in enumerate(bodies):
        note = here.account().make_note(entity, row, here.actor())
        made.append(
            {
                "id": note.id,
                "entity_id": note.entity_id,
                "request_id": here.request_id(row, index),
                "_links": here.self_link(entity, note.entity_id, "notes", note.id),
            }
        )
    return paging.made("notes", made)


@feed.patch(f"/{ENTITY}/notes/<int:note_id>")
@feed.patch(f"/{ENTITY}/<int:entity_id>/notes/<int:note_id>")
def change_note(entity: str, note_id: int, entity_id: int | None = None) -> Response:
    note = _known_note(entity, note_id, entity_id)
    here.account().change_note(note, here.one(NOTE_KEYS), here.actor())
    return here.reply(
        {
            "id": note.id,
            "entity_id": note.entity_id,
            "updated_at": note.updated_at,
            "_links": here.self_link(entity, note.entity_id, "notes", note.id),
        }
    )


def _note(row: Note) -> dict[str, Any]:
    return {
        "id": row.id,
        "entity_id": row.entity_id,
        "created_by": row.created_by,
        "updated_by": row.updated_by,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "responsible_user_id": row.responsible_user_id,
        "group_id": 0,
        "note_type": row.note_type,
        "params": row.params,
        "account_id": here.account().account_id,
        "_links": here.self_link(row.entity_type, row.entity_id, "notes", row.id),
    }
