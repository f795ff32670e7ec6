"""What Kommo calls the fields that rules ask for, and which of them are gone.

Kommo leaves empty fields out of a deal, so one without a value may have been deleted: then the
account's own list of fields is looked at. That a field is there may have been told ten minutes
ago; that it is gone counts only of this very run, for the field may be younger than any list.
Its entity's fields alone are read; where that fails, the last list counts if it has the field.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from server.core.errors import TryLater
from server.core.field_keys import entity_of, is_built_in
from server.core.messages import N_
from server.core.sale import Sale
from server.core.settings import Rule
from server.core.sources import look_up
from server.core.vendor_lists import Entity, KnownField, Lists
from server.flows.run import FRESH, Run
from server.flows.vendor_lists import keep_fields, last_known
from server.vendors.http import down
from server.vendors.kommo.lists import read_fields

_NONE = N_("%(vendor)s does not list its fields at the moment.")


class AskedFields:
    """Of these rules, in one run."""

    def __init__(self, run: Run, rules: Sequence[Rule]) -> None:
        asked = (condition.field for rule in rules for condition in rule.conditions)
        self._run = run
        self._keys = {key for key in asked if not is_built_in(key)}
        self._lists = last_known(run.world, run.account_id) if self._keys else Lists()
        self._asked: dict[Entity, TryLater | None] = {}  # in this run, and what came instead

    def told(self, sale: Sale) -> Sale:
        """The sale, which knows them. Raises the outcomes."""
        for key in self._keys:
            if not look_up(sale, key):
                self._make_sure(key)
        return replace(sale, known=self._lists.known_fields)

    def _make_sure(self, key: str) -> None:
        entity = cast("Entity", entity_of(key))
        if entity not in self._asked and not (self._has(key) and self._is_fresh(entity)):
            self._asked[entity] = self._read(entity)
        failure = self._asked.get(entity)
        if failure is not None and not self._has(key):
            raise failure

    def _has(self, key: str) -> bool:
        known = self._lists.known_fields
        return known is not None and known.has(key)

    def _is_fresh(self, entity: Entity) -> bool:
        at = self._lists.fields_at(entity)
        return at is not None and at > self._run.now() - FRESH

    def _read(self, entity: Entity) -> TryLater | None:
        """Why it could not be read, if so."""
        try:
            found = self._found(entity)
        except TryLater as failure:
            return failure
        run = self._run
        with run.phase() as session:
            self._lists = keep_fields(session, run.account_id, entity, found, run.now())
        return None

    def _found(self, entity: Entity) -> tuple[KnownField, ...]:
        found = read_fields(self._run.kommo, entity)
        if self._lists.has_lost(entity, found):
            raise down("kommo", _NONE)
        return found
