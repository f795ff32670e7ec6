"""Validation errors in plain words: what the settings page and ``settings import`` show."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

Context = Mapping[str, Any]

_A_NUMBER = "must be a number, like 21 or 5.5"
_WHOLE = "must be a whole number"
_OBJECT = "must be an object, written in {braces}"
_LIST = "must be a list, written in [brackets]"

_SENTENCES: dict[str, str | Callable[[Context], str]] = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; remove it or correct its spelling",
    "literal_error": lambda context: f"must be {context['expected']}",
    "string_type": "must be text",
    "string_unicode": "must be readable text",
    "string_too_short": "must not be empty",
    "string_too_long": lambda context: f"must have at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"must consist of {_letters(context)} only",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "decimal_type": _A_NUMBER,
    "decimal_parsing": _A_NUMBER,
    "finite_number": _A_NUMBER,
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "too_short": "must have at least one entry",
    "value_error": lambda context: str(context["error"]),
}
_ALPHABETS = {
    "^[a-z0-9-]+$": "small letters a-z, digits and hyphens",
    "^[A-Za-z0-9_]+$": "letters A-Z, digits and underscores",
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
    return words if isinstance(words, str) else words(row.get("ctx", {}))


def _letters(context: Context) -> str:
    pattern = str(context["pattern"])
    return _ALPHABETS.get(pattern, pattern)
