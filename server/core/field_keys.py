"""How a mapping names a field: ``deal.cf.12``, ``contact.code.EMAIL``, ``product.price``.

A field that has parts, as an address has, names one at its end: ``company.code.ADDRESS.city``.
The readers of the vendors fill a sale under these keys; the settings are checked against them.
"""

import re

from server.core.said import say

ATTRIBUTES = {
    "deal": ("id", "name", "price", "responsible_user_id", "created_at", "tags"),
    "contact": ("id", "name", "first_name", "last_name"),
    "company": ("id", "name"),
    "product": ("id", "name", "quantity", "price"),
}

# The vendor's predefined fields: asked for by default, and no fault where an account lacks one.
PREDEFINED = frozenset(
    f"{entity}.code.{code}"
    for entity in ("contact", "company")
    for code in ("EMAIL", "PHONE", "WEB", "ADDRESS", "POSITION")
)

_CUSTOM = re.compile(
    r"(cf\.[1-9][0-9]{0,18}|code\.[A-Za-z0-9_]{1,255})(\.[A-Za-z0-9_]+)?", re.ASCII
)


def entity_of(key: str) -> str:
    """Whose field it is: deal, contact, company or product."""
    return key.partition(".")[0]


def is_attribute(key: str) -> bool:
    """Whether it belongs to the record itself and is in no list of fields."""
    entity, _dot, name = key.partition(".")
    return name in ATTRIBUTES.get(entity, ())


def is_built_in(key: str) -> bool:
    """Whether the field is there in every account, filled or not."""
    return is_attribute(key) or ".".join(key.split(".")[:3]) in PREDEFINED


def what_is_wrong(key: str) -> str:
    """A sentence for whoever typed the key, or "" when it is well formed."""
    entity, _dot, name = key.partition(".")
    if entity not in ATTRIBUTES:
        return say(
            "“%(key)s” is no field: it must begin with deal, contact, company or product.", key=key
        )
    if name in ATTRIBUTES[entity] or _CUSTOM.fullmatch(name):
        return ""
    known = ", ".join(f"{entity}.{attribute}" for attribute in ATTRIBUTES[entity])
    return say(
        "“%(key)s” is no field: use %(known)s, %(entity)s.cf.<id> or %(entity)s.code.<CODE>.",
        key=key,
        known=known,
        entity=entity,
    )
