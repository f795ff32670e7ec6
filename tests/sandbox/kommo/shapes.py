"""Compares shapes: every key of a documented sample is there, with the same JSON type."""

from collections.abc import Iterator
from typing import Any

#: Keys of older or other products, which this reply does not have to have.
NOT_OURS = {
    "enum",  # today's multitext value says enum_code
    "next", "prev", "first", "last",  # links of the page that was documented
}  # fmt: skip
#: Lists that may be empty here although the sample shows a row.
MAY_BE_EMPTY = {"descriptions", "roles", "groups", "customers", "required_statuses"}


def lacks(sample: Any, ours: Any, path: str = "") -> Iterator[str]:
    """What ``ours`` lacks of ``sample``; null on either side fits any type."""
    if sample is None or ours is None:
        return
    if kind(sample) != kind(ours):
        yield f"{path}: {kind(sample)} in the sample, {kind(ours)} here"
    elif isinstance(sample, dict):
        for key, value in sample.items():
            if key in ours:
                yield from lacks(value, ours[key], f"{path}.{key}")
            elif key not in NOT_OURS:
                yield f"{path}.{key} is missing"
    elif isinstance(sample, list) and sample:
        if not ours and path.rpartition(".")[2] not in MAY_BE_EMPTY:
            yield f"{path} is empty"
        for index, row in enumerate(ours):
            fits = [list(lacks(one, row, f"{path}[{index}]")) for one in sample]
            yield from min(fits, key=len)


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__
