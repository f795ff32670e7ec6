"""What a person calls a field ("Deal: Order number"), and which field somebody means by a name.

Every name stands for one field: where two fields share one, the id is added. What the vendor does
not list (its predefined fields while it is dead, a field that was deleted) has a name too, so that
settings can always be shown and sent back.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from flask_babel import gettext as _

from server.core.field_keys import ATTRIBUTES, PREDEFINED, entity_of, is_built_in, what_is_wrong
from server.core.known_fields import ENTITIES, WORDS
from server.core.vendor_lists import KnownField, Lists


class Labels:
    """``used``: keys that the settings name now, listed by the vendor or not."""

    def __init__(self, lists: Lists, used: Iterable[str] = ()) -> None:
        self.known = lists.is_known
        self._lists = lists
        self._words, self._entities = _words(), _entities()
        self._catalogs = {one.id: one.name for one in lists.catalogs if one.kind != "products"}
        self._of: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        for field in lists.fields:
            self._add(field.key, self._named(field), field.other_key)
        for key in (*_always(), *used):
            if key not in self._of:
                self._add(key, self._spelled(key))

    def label(self, key: str) -> str:
        """The field's name; of a field that nobody knows, its key."""
        return self._of.get(key, key)

    def key(self, text: str) -> str:
        """The field that is meant by a name, with or without whose it is, or by a key; "" where
        there is none."""
        folded = _folded(text)
        if folded in self._keys:
            return self._keys[folded]
        named = [key for name, key in self._keys.items() if name.partition(": ")[2] == folded]
        if len(named) == 1:
            return named[0]
        return "" if what_is_wrong(text.strip()) else text.strip()

    def near(self, text: str) -> str:
        """The name whose field is called or spelled most like this; "" where none is."""
        names = {name.partition(": ")[2]: key for name, key in self._keys.items()} | self._keys
        names |= {key.casefold(): key for key in self._keys.values()}
        close = get_close_matches(_folded(text), names, n=1, cutoff=0.5)
        return self._of[names[close[0]]] if close else ""

    def offered(self, *, per_line: bool) -> list[str]:
        """The names to choose from; a product's only where a line is filled, and there first."""
        keys = [field.key for field in self._lists.fields] or [
            key for key in self._of if not what_is_wrong(key)
        ]
        of_lines = [self._of[key] for key in keys if entity_of(key) == "product"]
        rest = [self._of[key] for key in keys if entity_of(key) != "product"]
        return [*of_lines, *rest] if per_line else rest

    def is_gone(self, key: str) -> bool:
        """Whether the vendor has told its fields, and this one is not among them."""
        known = is_built_in(key) or self._lists.field(key) is not None
        return self.known and not known

    def _add(self, key: str, label: str, *others: str) -> None:
        number = key.split(".", 1)[-1].removeprefix("cf.")
        for name in (label, f"{label} ({number})", f"{label} ({key})", key):
            if self._keys.get(_folded(name), key) == key:
                break
        self._of[key] = name
        self._keys[_folded(name)] = key
        for other in filter(None, others):
            self._of[other] = name

    def _named(self, field: KnownField) -> str:
        """A field of a list that is no product list says which."""
        name = _plain(self._words.get(field.key, field.name)) or field.key
        catalog = self._catalogs.get(field.catalog_id or 0)
        return f"{_plain(catalog) if catalog else self._entities[field.entity]}: {name}"

    def _spelled(self, key: str) -> str:
        """The name of a field that is not in the lists, or of a part of one that is."""
        if key in self._words:
            return f"{self._entities[entity_of(key)]}: {self._words[key]}"
        whole, _dot, part = key.rpartition(".")
        if whole in self._of and not what_is_wrong(whole):
            return f"{self._of[whole]}: {_parts().get(part, part)}"
        return key


def _plain(name: str) -> str:
    """In a template a name stands in braces, so it has none itself."""
    return " ".join(name.replace("{", "(").replace("}", ")").split())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _always() -> list[str]:
    """Every account has these."""
    built_in = [f"{entity}.{name}" for entity, names in ATTRIBUTES.items() for name in names]
    return [*built_in, *sorted(PREDEFINED)]


def _entities() -> dict[str, str]:
    return {entity: str(_(word)) for entity, word in ENTITIES.items()}


def _words() -> dict[str, str]:
    """In the reader's language what reasons call these fields in English."""
    return {key: str(_(word)) for key, word in WORDS.items()}


def _parts() -> dict[str, str]:
    return {
        "address_line_1": _("line 1"),
        "address_line_2": _("line 2"),
        "city": _("city"),
        "state": _("state"),
        "zip": _("postal code"),
        "country": _("country"),
    }
