"""Fields as a person chooses them, "Deal: Order number", and back to the keys that settings name.

A label that two fields would share carries the field's own id. A key may also be typed as it is:
where Kommo has never told its fields, keys are all there is.
"""

from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches

from flask_babel import gettext as _

from server.core.field_keys import entity_of, is_built_in, what_is_wrong
from server.core.vendor_lists import KnownField, Lists

ENTITIES = ("deal", "contact", "company")  # whose fields a whole sale has
ALL = (*ENTITIES, "product")


class FieldNames:
    """Of one account's lists; only fields of ``entities`` are offered and found by label."""

    def __init__(self, lists: Lists, entities: Iterable[str] = ENTITIES) -> None:
        self.lists = lists
        self._fields = [field for field in lists.fields if field.entity in set(entities)]
        plain = Counter(_folded(_plain(field)) for field in self._fields)
        self._labels = {
            field.key: _plain(field) if plain[_folded(_plain(field))] == 1 else _exact(field)
            for field in self._fields
        }
        self._keys = {_folded(label): key for key, label in self._labels.items()}

    @property
    def labels(self) -> list[str]:
        """All that can be chosen, in the vendor's order."""
        return list(self._labels.values())

    def label(self, key: str) -> str:
        """What a person reads for a key; the key itself where no field is known by it."""
        known = self.lists.field(key)
        if known is None:
            return key
        label = self._labels.get(known.key) or _plain(known)
        part = key.removeprefix(known.key).removeprefix(known.other_key or known.key)
        return label + part.replace(".", ": ")

    def key(self, typed: str) -> str:
        """The key of a label, in any spelling of it, or of a key; "" where there is no such one."""
        typed = " ".join(typed.split())
        found = self._keys.get(_folded(typed), "") or self._by_name(typed)
        return found or (typed if not what_is_wrong(typed) and self._may_be(typed) else "")

    def near(self, typed: str) -> str:
        """The label that comes nearest to what was typed, or ""."""
        names = {_folded(_plain(field).partition(": ")[2]): field.key for field in self._fields}
        found = get_close_matches(_folded(typed), [*self._keys, *names], n=1, cutoff=0.5)
        if not found:
            return ""
        return self._labels[self._keys.get(found[0]) or names[found[0]]]

    def field(self, key: str) -> KnownField | None:
        return self.lists.field(key) if key else None

    def _by_name(self, typed: str) -> str:
        """Without the entity before it, where that is enough to tell."""
        named = [field.key for field in self._fields if _folded(field.name) == _folded(typed)]
        return named[0] if len(named) == 1 else ""

    def _may_be(self, key: str) -> bool:
        """Whether a well-formed key names a field that can be there."""
        if not self.lists.is_known or is_built_in(key):
            return True
        return self.lists.field(key) is not None


def entity_names() -> dict[str, str]:
    return {
        "deal": _("Deal"),
        "contact": _("Contact"),
        "company": _("Company"),
        "product": _("Product"),
    }


def _plain(field: KnownField) -> str:
    return f"{entity_names()[field.entity]}: {field.name}"


def _exact(field: KnownField) -> str:
    return f"{_plain(field)} ({field.key.removeprefix(entity_of(field.key) + '.')})"


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
