"""One rule of a settings document is put in, taken out or moved; the rest stays as it is.

The documents are JSON as ``SettingsDocument.to_json`` gives them, and are not changed: whoever
saves one has it validated as a whole.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from typing import Any

Document = dict[str, Any]

LONGEST = 48  # of a slug made from a name; a number may follow


def slug_for(name: str, taken: Collection[str]) -> str:
    """A slug that a person recognises the name in, and no other rule has: "won-deals-2"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-") or "rule"
    slug, number = stem, 1
    while slug in taken:
        number += 1
        slug = f"{stem}-{number}"
    return slug


def put(document: Document, rule: dict[str, Any]) -> Document:
    """In the place of the rule of its slug, else behind the others."""
    rules = list(document["rules"])
    places = [place for place, one in enumerate(rules) if one["slug"] == rule["slug"]]
    if places:
        rules[places[0]] = rule
    else:
        rules.append(rule)
    return {**document, "rules": rules}


def without(document: Document, slug: str) -> Document:
    return {**document, "rules": [one for one in document["rules"] if one["slug"] != slug]}


def moved(document: Document, slug: str, by: int) -> Document:
    """``by`` places down (-1: one up), as far as there are places; an unknown slug stays away."""
    slugs = [one["slug"] for one in document["rules"]]
    if slug not in slugs:
        return document
    place = slugs.index(slug)
    slugs.insert(max(0, place + by), slugs.pop(place))
    return ordered(document, slugs)


def ordered(document: Document, slugs: Sequence[str]) -> Document:
    """In the order of ``slugs``; rules that are not named there follow, unknown slugs are none."""
    wanted = {slug: place for place, slug in enumerate(slugs)}
    rules = sorted(document["rules"], key=lambda one: wanted.get(one["slug"], len(wanted)))
    return {**document, "rules": rules}
