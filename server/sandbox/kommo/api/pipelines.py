"""``/api/v4/leads/pipelines`` and their statuses (§4.6)."""

from typing import Any

from flask import Blueprint, Response

from server.sandbox.kommo.api import here, paging
from server.sandbox.kommo.api.problems import Problem
from server.sandbox.kommo.book.pipelines import MAX_PIPELINES, MAX_STAGES
from server.sandbox.kommo.book.records import LOST, WON, Pipeline, Stage

pipelines = Blueprint("pipelines", __name__, url_prefix="/api/v4/leads/pipelines")

PIPELINE_KEYS = frozenset(
    {"id", "name", "sort", "is_main", "is_unsorted_on", "request_id", "_embedded"}
)
STAGE_KEYS = frozenset({"id", "name", "sort", "color", "request_id", "descriptions"})


@pipelines.get("")
def read_list() -> Response:
    found = sorted(here.account().pipelines.values(), key=lambda one: one.sort)
    return paging.whole("pipelines", [_shape(one) for one in found if not one.is_archive])


@pipelines.get("/<int:pipeline_id>")
def read_one(pipeline_id: int) -> Response:
    return here.reply(_shape(_pipeline(pipeline_id)))


@pipelines.get("/<int:pipeline_id>/statuses")
def read_stages(pipeline_id: int) -> Response:
    return paging.whole("statuses", [_stage(one) for one in _pipeline(pipeline_id).stages])


@pipelines.get("/<int:pipeline_id>/statuses/<int:stage_id>")
def read_stage(pipeline_id: int, stage_id: int) -> Response:
    return here.reply(_stage(_one_stage(_pipeline(pipeline_id), stage_id)))


@pipelines.post("")
def create() -> Response:
    here.need_admin()
    made = []
    for index, row in enumerate(here.rows(PIPELINE_KEYS)):
        if len(here.account().pipelines) >= MAX_PIPELINES:
            raise Problem(400, "Too many pipelines")
        stages = [one for one in (row.get("_embedded") or {}).get("statuses") or []]
        own = [str(one.get("name")) for one in stages if one.get("id") not in (WON, LOST)]
        pipeline = here.account().add_pipeline(str(row.get("name")), own)
        for one in stages:
            if one.get("id") in (WON, LOST):
                pipeline.stage(one["id"]).name = str(one.get("name"))
        made.append({**_shape(pipeline), "request_id": here.request_id(row, index)})
    return paging.made("pipelines", made, totals=True)


@pipelines.patch("/<int:pipeline_id>")
def change(pipeline_id: int) -> Response:
    here.need_admin()
    pipeline, row = _pipeline(pipeline_id), here.one(PIPELINE_KEYS)
    for key in ("name", "sort", "is_unsorted_on"):
        if key in row:
            setattr(pipeline, key, row[key])
    return here.reply({**_shape(pipeline), "request_id": here.request_id(row, 0)})


@pipelines.delete("/<int:pipeline_id>")
def delete(pipeline_id: int) -> Response:
    here.need_admin()
    pipeline = _pipeline(pipeline_id)
    inside = [deal for deal in here.account().deals.values() if deal.pipeline_id == pipeline_id]
    if pipeline.is_main or inside:
        raise Problem(400, "The pipeline is in use")
    del here.account().pipelines[pipeline_id]
    return Response(status=204)


@pipelines.post("/<int:pipeline_id>/statuses")
def create_stages(pipeline_id: int) -> Response:
    here.need_admin()
    pipeline, made = _pipeline(pipeline_id), []
    for index, row in enumerate(here.rows(STAGE_KEYS)):
        if len(pipeline.stages) >= MAX_STAGES:
            raise Problem(400, "Too many stages")
        stage = here.account().add_stage(pipeline, str(row.get("name")), row.get("color"))
        made.append({**_stage(stage), "request_id": here.request_id(row, index)})
    return paging.made("statuses", made, totals=True)


@pipelines.patch("/<int:pipeline_id>/statuses/<int:stage_id>")
def change_stage(pipeline_id: int, stage_id: int) -> Response:
    here.need_admin()
    stage, row = _one_stage(_pipeline(pipeline_id), stage_id), here.one(STAGE_KEYS)
    for key in ("name", "sort", "color"):
        if key in row:
            setattr(stage, key, row[key])
    return here.reply({**_stage(stage), "request_id": here.request_id(row, 0)})


@pipelines.delete("/<int:pipeline_id>/statuses/<int:stage_id>")
def delete_stage(pipeline_id: int, stage_id: int) -> Response:
    here.need_admin()
    pipeline = _pipeline(pipeline_id)
    stage = _one_stage(pipeline, stage_id)
    if not stage.is_editable:
        raise Problem(403)
    pipeline.stages.remove(stage)
    for deal in here.account().deals.values():
        if (deal.pipeline_id, deal.status_id) == (pipeline_id, stage_id):
            deal.status_id = pipeline.first_stage.id
    return Response(status=204)


def _pipeline(pipeline_id: int) -> Pipeline:
    pipeline = here.account().pipelines.get(pipeline_id)
    if pipeline is None:
        raise Problem(404)
    return pipeline


def _one_stage(pipeline: Pipeline, stage_id: int) -> Stage:
    for stage in pipeline.stages:
        if stage.id == stage_id:
            return stage
    raise Problem(404)


def _shape(row: Pipeline) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "sort": row.sort,
        "is_main": row.is_main,
        "is_unsorted_on": row.is_unsorted_on,
        "is_archive": row.is_archive,
        "account_id": here.account().account_id,
        "_links": here.self_link("leads", "pipelines", row.id),
        "_embedded": {"statuses": [_stage(one) for one in row.stages]},
    }


def _stage(row: Stage) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "sort": row.sort,
        "is_editable": row.is_editable,
        "pipeline_id": row.pipeline_id,
        "color": row.color,
        "type": row.type,
        "account_id": here.account().account_id,
        "_links": here.self_link("leads", "pipelines", row.pipeline_id, "statuses", row.id),
    }
    if "descriptions" in here.with_():
        body["descriptions"] = []
    return body
