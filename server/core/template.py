"""Text with fields in it: ``Order {deal.name}``. Braces hold a field and nothing else, so that what
is written as in other tools, ``{{deal.name}}``, is refused and not printed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.core import field_keys
from server.core.said import say

_PIECE = re.compile(r"(\{+)([^{}]*)(\}+)|[{}]|[^{}]+")
_SHOWN = 20  # letters after a brace, for whoever looks for it


class BadTemplate(ValueError):
    """The template cannot be read; ``sentence`` is for whoever wrote it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class Placeholder:
    """``doubled``: it is not in one brace on each side."""

    key: str
    doubled: bool = False


def pieces(text: str) -> Iterator[str | Placeholder]:
    """Its pieces in order; what stands in braces is not looked at. Raises BadTemplate for a brace
    that has no other half."""
    for match in _PIECE.finditer(text):
        piece, left, inside, right = match.group(), *match.groups()
        if left:
            yield Placeholder(inside.strip(), doubled=(left, right) != ("{", "}"))
        elif piece in ("{", "}"):
            raise BadTemplate(_half(text, match.start()))
        else:
            yield piece


def parse(text: str) -> tuple[str | Placeholder, ...]:
    """Its pieces in order, each with a field's key. Raises BadTemplate."""
    found = tuple(pieces(text))
    for piece in found:
        if isinstance(piece, Placeholder) and (wrong := _wrong_with(piece)):
            raise BadTemplate(wrong)
    return found


def fields_in(text: str) -> tuple[str, ...]:
    """The keys of the fields that it shows; none where it cannot be read."""
    try:
        return tuple(piece.key for piece in parse(text) if isinstance(piece, Placeholder))
    except BadTemplate:
        return ()


def what_is_wrong(text: str) -> str:
    """The sentence for whoever wrote it, "" where it can be read."""
    try:
        parse(text)
    except BadTemplate as bad:
        return bad.sentence
    return ""


def render(text: str, value_of: Callable[[str], str]) -> str:
    """The text with each field's value in its place. Raises BadTemplate."""
    return "".join(
        value_of(piece.key) if isinstance(piece, Placeholder) else piece for piece in parse(text)
    )


def labelled(text: str, label_of: Callable[[str], str]) -> str:
    """The text with each field's label for its key; as it is where it cannot be read."""
    try:
        return render(text, lambda key: f"{{{label_of(key)}}}")
    except BadTemplate:
        return text


def too_many_braces(name: str) -> str:
    """The sentence for a field that stands in more than one brace on each side."""
    return say("A field stands in one brace on each side: write {%(name)s}.", name=name)


def _wrong_with(field: Placeholder) -> str:
    if not field.key:
        return say("“{}” names no field: write {deal.name}.")
    return field_keys.what_is_wrong(field.key) or (
        too_many_braces(field.key) if field.doubled else ""
    )


def _half(text: str, at: int) -> str:
    seen = text[at : at + _SHOWN].split("\n")[0] if text[at] == "{" else text[: at + 1][-_SHOWN:]
    return say(
        "“%(seen)s” has a brace without its other half. A field is written {deal.name}; other "
        "braces cannot be used.",
        seen=seen.strip(),
    )
