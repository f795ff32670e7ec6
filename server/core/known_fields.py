"""Which fields the source of a sale has, filled or not, and what a person calls them.

A reader that lists filled fields only cannot tell an empty one from one that was deleted, and a
reason that names "deal.cf.12" helps nobody. The vendors' lists know both (``vendor_lists``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from server.core.field_keys import entity_of, is_built_in
from server.core.messages import N_
from server.core.said import say

ENTITIES = {
    "deal": N_("Deal"),
    "contact": N_("Contact"),
    "company": N_("Company"),
    "product": N_("Product"),
}
_CODES = {
    "EMAIL": N_("E-mail"),
    "PHONE": N_("Phone"),
    "WEB": N_("Website"),
    "ADDRESS": N_("Address"),
    "POSITION": N_("Position"),
}
WORDS = {
    "deal.id": N_("ID"),
    "deal.name": N_("Name"),
    "deal.price": N_("Amount"),
    "deal.created_at": N_("Created on"),
    "deal.tags": N_("Tags"),
    "deal.responsible_user_id": N_("Responsible user's ID"),
    "contact.id": N_("ID"),
    "contact.name": N_("Name"),
    "contact.first_name": N_("First name"),
    "contact.last_name": N_("Last name"),
    "company.id": N_("ID"),
    "company.name": N_("Name"),
    "product.id": N_("ID"),
    "product.name": N_("Name"),
    "product.quantity": N_("Quantity"),
    "product.price": N_("Price chosen on the deal"),
    **{f"contact.code.{code}": word for code, word in _CODES.items()},
    **{f"company.code.{code}": word for code, word in _CODES.items()},
}
"""What every account has, by key; the rest is called as the vendor calls it."""


@dataclass(frozen=True)
class KnownFields:
    """``names``: each key, in each of its spellings, to its name at the source. ``boxes``: the keys
    of what can be ticked."""

    names: Mapping[str, str]
    boxes: frozenset[str]

    def has(self, key: str) -> bool:
        """Whether there is such a field, or one of which it is a part."""
        return is_built_in(key) or key in self.names or _whole(key) in self.names


def called(key: str, known: KnownFields | None) -> str:
    """ "Deal: Order number"; the key where nobody knows the name."""
    own = WORDS.get(key)
    name = say(own) if own else _name(key, known)
    if not name:
        return key
    return say("%(whose)s: %(name)s", whose=say(ENTITIES[entity_of(key)]), name=name)


def _name(key: str, known: KnownFields | None) -> str:
    names = known.names if known else {}
    return names.get(key) or names.get(_whole(key), "")


def _whole(key: str) -> str:
    return ".".join(key.split(".")[:3])
