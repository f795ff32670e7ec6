"""Text with fields in it: ``Order {deal.name}``; ``{{`` and ``}}`` stand for the braces."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.core.field_keys import what_is_wrong
from server.core.said import say

_PIECE = re.compile(r"\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+")


class BadTemplate(ValueError):
    """The template cannot be read; the message is for whoever wrote it."""


@dataclass(frozen=True)
class Placeholder:
    key: str


def parse(text: str) -> tuple[str | Placeholder, ...]:
    """Its pieces in order. Raises BadTemplate."""
    return tuple(_pieces(text))


def fields_in(text: str) -> tuple[str, ...]:
    """The keys of the fields that it shows. Raises BadTemplate."""
    return tuple(piece.key for piece in parse(text) if isinstance(piece, Placeholder))


def render(text: str, value_of: Callable[[str], str]) -> str:
    """The text with each field's value in its place. Raises BadTemplate."""
    pieces = parse(text)
    return "".join(
        value_of(piece.key) if isinstance(piece, Placeholder) else piece for piece in pieces
    )


def _pieces(text: str) -> Iterator[str | Placeholder]:
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece in ("{{", "}}"):
            yield piece[0]
        elif piece in ("{", "}"):
            raise BadTemplate(
                say(
                    "A single “%(brace)s” at character %(place)s: a field is written "
                    "{deal.name}, a brace itself is written twice.",
                    brace=piece,
                    place=match.start() + 1,
                )
            )
        elif piece.startswith("{"):
            yield Placeholder(_key(piece))
        else:
            yield piece


def _key(piece: str) -> str:
    key = piece[1:-1].strip()
    wrong = what_is_wrong(key) if key else say("“{}” names no field: write {deal.name}.")
    if wrong:
        raise BadTemplate(wrong)
    return key
