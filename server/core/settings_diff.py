"""What differs between two settings documents: what the history of settings tells of each version.

Rules are told apart by their slug, which never changes, so a rule that was renamed is the same
rule. Only rules whose order among each other has changed are "moved": those that make room for
another one are where they were.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from server.core.settings_model import Rule, SettingsDocument, Source

Kind = Literal["added", "removed", "moved", "changed"]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One value that is another now.

    ``path``: ("rules", slug) where a whole rule was added, removed or moved, ("rules", slug, key)
    or ("mapping", ..., key) for a value in it; keys as in the JSON document. ``before``, ``after``:
    the model's own values, None for none; for "moved" the rule's place, from 1.
    ``rule``: its name now, "" where the difference is in the mapping. ``place``: of a rule that
    was added or moved, from 1.
    """

    path: Path
    kind: Kind
    before: Any
    after: Any
    rule: str = ""
    place: int = 0


def differences(before: SettingsDocument, after: SettingsDocument) -> list[Difference]:
    """Empty if, and only if, the documents are equal. Rules first, in their order now."""
    return [
        *_of_rules(before.rules, after.rules),
        *_of_parts(("mapping",), before.mapping, after.mapping),
    ]


def _of_rules(before: Sequence[Rule], after: Sequence[Rule]) -> Iterator[Difference]:
    earlier = {rule.slug: place for place, rule in enumerate(before, 1)}
    kept = {rule.slug for rule in after}
    for rule in before:
        if rule.slug not in kept:
            yield Difference(("rules", rule.slug), "removed", rule, None, rule.name)
    moved = _moved([earlier[rule.slug] for rule in after if rule.slug in earlier])
    for place, rule in enumerate(after, 1):
        path = ("rules", rule.slug)
        was = earlier.get(rule.slug)
        if was is None:
            yield Difference(path, "added", None, rule, rule.name, place)
            continue
        if was in moved:
            yield Difference(path, "moved", was, place, rule.name, place)
        yield from _of_parts(path, before[was - 1], rule, rule.name)


def _of_parts(
    path: Path, before: BaseModel, after: BaseModel, rule: str = ""
) -> Iterator[Difference]:
    for name, info in type(before).model_fields.items():
        here = (*path, info.alias or name)
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _of_entries(here, old, new)
        elif _has_parts(old) and _has_parts(new):
            yield from _of_parts(here, old, new, rule)
        else:
            yield Difference(here, "changed", old, new, rule)


def _of_entries(path: Path, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old != new:
            yield Difference((*path, key), "changed", old, new)


def _has_parts(value: Any) -> bool:
    """A source is one value: to tell its halves apart helps nobody."""
    return isinstance(value, BaseModel) and not isinstance(value, Source)


def _moved(places: Sequence[int]) -> set[int]:
    """The fewest of these (different) numbers without which the rest are in ascending order."""
    ends: list[int] = []  # the lowest end of an ascending row of each length
    lengths: list[int] = []
    for place in places:
        length = bisect_left(ends, place)
        ends[length : length + 1] = [place]
        lengths.append(length)
    stay, wanted = set(), len(ends) - 1
    for place, length in zip(reversed(places), reversed(lengths), strict=True):
        if length == wanted:
            stay.add(place)
            wanted -= 1
    return set(places) - stay
