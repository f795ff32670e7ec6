"""Pipelines and their stages; 142 (won) and 143 (lost) stand in every pipeline."""

from collections.abc import Sequence

from server.sandbox.kommo.book.base import NOT_A_CHOICE, Book, Refused
from server.sandbox.kommo.book.records import LOST, WON, Pipeline, Stage

COLORS = ("#99ccff", "#ffff99", "#ffcc66", "#ffcccc", "#ccccff", "#c1e0ff", "#98cbff")
MAX_PIPELINES = 50
MAX_STAGES = 100


class Pipelines(Book):
    """What a deal moves through."""

    def add_pipeline(
        self, name: str, stages: Sequence[str] = ("First contact", "Offer", "Decision")
    ) -> Pipeline:
        """A pipeline with the incoming stage, ``stages``, and the two closed ones."""
        with self.lock:
            pipeline = Pipeline(
                self.new_id(), name, len(self.pipelines) + 1, is_main=not self.pipelines
            )
            self.pipelines[pipeline.id] = pipeline
            self._add(pipeline, self.new_id(), "Incoming leads", 10, kind=1, color="#c1c1c1")
            for stage in stages:
                self.add_stage(pipeline, stage)
            self._add(pipeline, WON, "Closed - won", 10000, color="#CCFF66")
            self._add(pipeline, LOST, "Closed - lost", 11000, color="#D5D8DB")
            return pipeline

    def add_stage(self, pipeline: Pipeline, name: str, color: str | None = None) -> Stage:
        """A stage behind the others, before the closed ones."""
        place = sum(stage.sort < 10000 for stage in pipeline.stages)
        color = color or COLORS[place % len(COLORS)]
        return self._add(pipeline, self.new_id(), name, 10 * (place + 1), color=color)

    @staticmethod
    def _add(
        pipeline: Pipeline, stage_id: int, name: str, sort: int, *, color: str, kind: int = 0
    ) -> Stage:
        fixed = stage_id in (WON, LOST) or kind == 1
        stage = Stage(stage_id, name, sort, pipeline.id, color, type=kind, is_editable=not fixed)
        pipeline.stages.append(stage)
        pipeline.stages.sort(key=lambda one: one.sort)
        return stage

    @property
    def main_pipeline(self) -> Pipeline:
        """Every account has one: it is made when it is first needed and none was added."""
        mains = [pipeline for pipeline in self.pipelines.values() if pipeline.is_main]
        return mains[0] if mains else self.add_pipeline("Pipeline")

    def place(
        self, pipeline_id: int | None, stage_id: int | None, at: tuple[int, int] | None = None
    ) -> tuple[int, int]:
        """(pipeline, stage) of a new deal or of a move from ``at``. Raises Refused.

        A stage alone is looked for in the deal's own pipeline (142 and 143 are in all of them); a
        pipeline alone means its first stage.
        """
        if pipeline_id is not None and pipeline_id not in self.pipelines:
            raise Refused("NotSupportedChoice", "pipeline_id", NOT_A_CHOICE)
        here = at[0] if at else self.main_pipeline.id
        chosen = self.pipelines[pipeline_id if pipeline_id is not None else here]
        if stage_id is None:
            if at and chosen.id == at[0]:
                return at
            return chosen.id, chosen.first_stage.id
        if stage_id not in {stage.id for stage in chosen.stages}:
            raise Refused("NotSupportedChoice", "status_id", NOT_A_CHOICE)
        return chosen.id, stage_id
