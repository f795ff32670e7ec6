"""Validation errors in plain words: what the settings page and ``settings import`` show."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from server.core.messages import N_
from server.core.said import say

Context = Mapping[str, Any]

_A_NUMBER = N_("must be a number, like 21 or 5.5")
_WHOLE = N_("must be a whole number")
_OBJECT = N_("must be an object, written in {braces}")
_LIST = N_("must be a list, written in [brackets]")

_SENTENCES: dict[str, str | Callable[[Context], str]] = {
    "missing": N_("is missing"),
    "extra_forbidden": N_("is not known here; remove it or correct its spelling"),
    "literal_error": lambda context: say("must be %(expected)s", expected=context["expected"]),
    "string_type": N_("must be text"),
    "string_unicode": N_("must be readable text"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": lambda context: say(
        "must have at most %(most)s characters", most=context["max_length"]
    ),
    "string_pattern_mismatch": lambda context: say(
        "must consist of %(letters)s only", letters=_letters(context)
    ),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": N_("must be true or false"),
    "bool_parsing": N_("must be true or false"),
    "decimal_type": _A_NUMBER,
    "decimal_parsing": _A_NUMBER,
    "finite_number": _A_NUMBER,
    "greater_than_equal": lambda context: say("must be at least %(least)s", least=context["ge"]),
    "less_than_equal": lambda context: say("must be at most %(most)s", most=context["le"]),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "too_short": N_("must have at least one entry"),
    "value_error": lambda context: context["error"].args[0],
}
_ALPHABETS = {
    "^[a-z0-9-]+$": N_("small letters a-z, digits and hyphens"),
    "^[A-Za-z0-9_]+$": N_("letters A-Z, digits and underscores"),
}


def in_words(error: ValidationError) -> list[tuple[str, str]]:
    """(dotted path, sentence) for each error; the path of the document itself is ""."""
    return [
        (".".join(str(step) for step in row["loc"]), _sentence(row))
        for row in error.errors(include_url=False, include_input=False)
    ]


def _sentence(row: Mapping[str, Any]) -> str:
    words = _SENTENCES.get(row["type"])
    if words is None:
        return str(row["msg"])
    return say(words) if isinstance(words, str) else words(row.get("ctx", {}))


def _letters(context: Context) -> str:
    pattern = str(context["pattern"])
    return say(_ALPHABETS[pattern]) if pattern in _ALPHABETS else pattern
