"""What Kommo calls the fields that rules ask for, and which of them are gone.

Kommo leaves empty fields out of a deal, so one without a value may have been deleted: then the
account's own list of fields is looked at, and read again where it is older than ten minutes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from server.core.field_keys import is_built_in
from server.core.sale import Sale
from server.core.settings import Rule
from server.core.sources import look_up
from server.core.vendor_lists import Lists
from server.flows.run import FRESH, Run
from server.flows.vendor_lists import keep, last_known
from server.vendors.kommo.lists import read_lists

NEWER = timedelta(minutes=1)  # than this a field may be that the list does not have


class AskedFields:
    """Of these rules, in one run."""

    def __init__(self, run: Run, rules: Sequence[Rule]) -> None:
        asked = (condition.field for rule in rules for condition in rule.conditions)
        self._run = run
        self._keys = {key for key in asked if not is_built_in(key)}
        self._lists = last_known(run.world, run.account_id) if self._keys else Lists()

    def told(self, sale: Sale) -> Sale:
        """The sale, which knows them. Raises the outcomes."""
        if any(self._is_doubtful(sale, key) for key in self._keys):
            self._read()
        return replace(sale, known=self._lists.known_fields)

    def _is_doubtful(self, sale: Sale, key: str) -> bool:
        if look_up(sale, key):
            return False
        known, at = self._lists.known_fields, self._lists.fetched_at
        young = FRESH if known and known.has(key) else NEWER
        return at is None or at <= self._run.now() - young

    def _read(self) -> None:
        run = self._run
        self._lists = read_lists(run.kommo, run.now())
        with run.phase() as session:
            keep(session, run.account_id, self._lists, run.now())
