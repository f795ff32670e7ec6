"""What an account has at its vendor, for whoever chooses from it: stages, fields, lists.

Vendors fill it, the settings page shows it, and settings are compared with it: a rule may name a
stage that was deleted since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, get_args

from server.core.field_keys import entity_of, is_attribute, is_built_in
from server.core.known_fields import KnownFields
from server.core.messages import N_
from server.core.rules import StageOrder
from server.core.said import joined, say
from server.core.settings_checks import fields_of
from server.core.settings_model import Rule, SettingsDocument

_CHOOSE = say("Choose another.")
_NO_PIPELINE = N_("The rule “%(rule)s” names a pipeline that does not exist any more in Kommo.")
_NO_STAGE = N_("The rule “%(rule)s” names a stage that does not exist any more in Kommo.")
_NO_FIELD = {
    "deal": N_("The deal's field %(key)s does not exist any more in Kommo."),
    "contact": N_("The contact's field %(key)s does not exist any more in Kommo."),
    "company": N_("The company's field %(key)s does not exist any more in Kommo."),
    "product": N_("The product's field %(key)s does not exist any more in Kommo."),
}

StageKind = Literal["open", "won", "lost", "unsorted"]
Entity = Literal["deal", "contact", "company", "product"]
OWNERS: tuple[Entity, ...] = get_args(Entity)


@dataclass(frozen=True)
class Stage:
    """``color`` as the vendor has it ("#99ccff"), "" where it tells none. "unsorted" holds what
    nobody has accepted as a deal yet."""

    stage_id: int
    name: str
    color: str
    kind: StageKind


@dataclass(frozen=True)
class Pipeline:
    pipeline_id: int
    name: str
    stages: tuple[Stage, ...]  # in their order


@dataclass(frozen=True)
class Option:
    """One choice of a select; ``code`` is an integration's name of it, "" where it has none."""

    id: int
    text: str
    code: str = ""


@dataclass(frozen=True)
class KnownField:
    """A field that a mapping or a condition may name by ``key``.

    ``type`` is the vendor's ("text", "select", "date"); a built-in one has "text", "numeric",
    "date" or "tags". ``other_key`` names the same field, where it has an id and a code.
    ``catalog_id``: the list of a product's field.
    """

    key: str
    name: str
    entity: Entity
    type: str
    options: tuple[Option, ...] = ()
    code: str = ""
    other_key: str = ""
    catalog_id: int | None = None


@dataclass(frozen=True)
class Catalog:
    """A list of things; ``kind`` "products" is what is sold, "regular" any other."""

    id: int
    name: str
    kind: str


@dataclass(frozen=True)
class Lists:
    """``fetched_at`` None: the vendor never told. ``notice`` says, in a sentence, why what is here
    may be old; "" when it is fresh. ``read_again``: whose fields were read alone since, and when.
    """

    pipelines: tuple[Pipeline, ...] = ()
    fields: tuple[KnownField, ...] = ()
    catalogs: tuple[Catalog, ...] = ()
    fetched_at: datetime | None = None
    notice: str = ""
    read_again: Mapping[Entity, datetime] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return self.fetched_at is not None

    def pipeline(self, pipeline_id: int) -> Pipeline | None:
        return next((one for one in self.pipelines if one.pipeline_id == pipeline_id), None)

    def stage(self, pipeline_id: int, stage_id: int) -> Stage | None:
        pipeline = self.pipeline(pipeline_id)
        stages = pipeline.stages if pipeline else ()
        return next((one for one in stages if one.stage_id == stage_id), None)

    def field(self, key: str) -> KnownField | None:
        """By any of its spellings; a part of a field that has parts may be its own or the field."""
        whole = ".".join(key.split(".")[:3])
        return self._by_key.get(key) or self._by_key.get(whole)

    @cached_property
    def _by_key(self) -> dict[str, KnownField]:
        spelled = [(name, one) for one in self.fields for name in (one.other_key, one.key) if name]
        return dict(reversed(spelled))  # of twins the first counts

    @cached_property
    def known_fields(self) -> KnownFields | None:
        """For whoever judges a sale; None where the vendor never told."""
        if not (self.is_known or self.read_again):
            return None
        names = {key: one.name for key, one in self._by_key.items()}
        boxes = frozenset(key for key, one in self._by_key.items() if one.type == "checkbox")
        return KnownFields(names, boxes)

    def fields_at(self, entity: Entity) -> datetime | None:
        """When the vendor told of its fields last."""
        return self.read_again.get(entity, self.fetched_at)

    def with_fields(self, entity: Entity, fields: Sequence[KnownField], at: datetime) -> "Lists":
        """With this entity's fields as they were read alone."""
        return replace(self._with(entity, fields), read_again={**self.read_again, entity: at})

    def has_lost(self, entity: Entity, fields: Sequence[KnownField]) -> bool:
        """Whether there are none in this answer, though there were some here: that is no proof that
        they are gone."""
        return not _own(entity, fields) and bool(_own(entity, self.fields))

    def trusting(self, last: "Lists") -> "Lists":
        """With the fields of the last list, where there were some and this one has none."""
        lists = self
        for entity in OWNERS:
            if last.has_lost(entity, self.fields) and (entity != "product" or self.catalogs):
                lists = lists._with(entity, [one for one in last.fields if one.entity == entity])
        return lists

    def _with(self, entity: Entity, fields: Sequence[KnownField]) -> "Lists":
        others = [one for one in self.fields if one.entity != entity]
        placed = sorted([*others, *fields], key=lambda one: OWNERS.index(one.entity))
        return replace(self, fields=tuple(placed))

    def product_catalogs(self) -> list[int]:
        """The lists whose elements are sold."""
        return [one.id for one in self.catalogs if one.kind == "products"]

    def stage_order(self) -> StageOrder:
        stages = [stage for pipeline in self.pipelines for stage in pipeline.stages]
        return StageOrder(
            {p.pipeline_id: [stage.stage_id for stage in p.stages] for p in self.pipelines},
            won=frozenset(stage.stage_id for stage in stages if stage.kind == "won"),
            lost=frozenset(stage.stage_id for stage in stages if stage.kind == "lost"),
        )

    def to_json(self) -> dict[str, Any]:
        """Without the notice: that is of one look."""
        body = asdict(replace(self, notice=""))
        again = {entity: at.isoformat() for entity, at in self.read_again.items()}
        at = self.fetched_at.isoformat() if self.fetched_at else None
        return {**body, "fetched_at": at, "read_again": again}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Lists":
        """Raises KeyError, TypeError or ValueError on what another version has written."""
        at = body["fetched_at"]
        return cls(
            pipelines=tuple(
                Pipeline(**{**row, "stages": tuple(Stage(**stage) for stage in row["stages"])})
                for row in body["pipelines"]
            ),
            fields=tuple(
                KnownField(**{**row, "options": tuple(Option(**one) for one in row["options"])})
                for row in body["fields"]
            ),
            catalogs=tuple(Catalog(**row) for row in body["catalogs"]),
            fetched_at=datetime.fromisoformat(at) if at else None,
            read_again={
                entity: datetime.fromisoformat(at) for entity, at in body["read_again"].items()
            },
        )


def missing_in(document: SettingsDocument, lists: Lists) -> list[tuple[str, str]]:
    """(dotted path, sentence) for each stage and field that the settings name and the account does
    not have any more. Where the lists are not known nothing is missing."""
    if not lists.is_known:
        return []
    found = [
        problem
        for index, rule in enumerate(document.rules)
        for problem in _missing_in_rule(f"rules.{index}", rule, lists)
    ]
    for index, catalog_id in enumerate(document.mapping.lines.catalogs):
        if all(one.id != catalog_id for one in lists.catalogs):
            path = f"mapping.lines.catalogs.{index}"
            gone = say("This list does not exist any more in Kommo. Choose another.")
            found.append((path, gone))
    for path, key in fields_of(document.mapping, "mapping"):
        if _is_missing(key, lists):
            found.append((path, joined([_gone(key), _CHOOSE])))
    return list(dict.fromkeys(found))


def _missing_in_rule(path: str, rule: Rule, lists: Lists) -> Iterator[tuple[str, str]]:
    for index, place in enumerate(rule.when):
        here = f"{path}.when.{index}"
        if lists.pipeline(place.pipeline_id) is None:
            which, sentence = "pipeline_id", _NO_PIPELINE
        elif lists.stage(place.pipeline_id, place.stage_id) is None:
            which, sentence = "stage_id", _NO_STAGE
        else:
            continue
        yield f"{here}.{which}", joined([say(sentence, rule=rule.name), _CHOOSE])
    for index, condition in enumerate(rule.conditions):
        if _is_missing(condition.field, lists):
            asks = say("The rule “%(rule)s” asks for it.", rule=rule.name)
            sentence = joined([_gone(condition.field), asks, _CHOOSE])
            yield f"{path}.conditions.{index}.field", sentence


def _own(entity: Entity, fields: Sequence[KnownField]) -> list[KnownField]:
    """Those of the entity that are no attributes of every account's."""
    return [one for one in fields if one.entity == entity and not is_attribute(one.key)]


def _is_missing(key: str, lists: Lists) -> bool:
    return not is_built_in(key) and lists.field(key) is None


def _gone(key: str) -> str:
    return say(_NO_FIELD[entity_of(key)], key=key)
