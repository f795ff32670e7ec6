"""The settings document as a file: what ``billhook settings`` and the page take and give."""

import json
from typing import Any

from server.core.said import say
from server.core.settings import InvalidSettings, SettingsDocument, validate

LARGEST = 1_000_000  # bytes; a hundred rules have forty thousand


def written(document: SettingsDocument) -> str:
    """As a person can read and change it."""
    return json.dumps(document.to_json(), indent=2, ensure_ascii=False) + "\n"


def read(raw: bytes) -> SettingsDocument:
    """Raises InvalidSettings with everything that is wrong."""
    return validate(_parsed(_text(raw)))


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise InvalidSettings([("", say("is larger than %(most)s bytes", most=f"{LARGEST:,}"))])
    try:
        return raw.decode("utf-8-sig")  # some editors put a mark in front
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise InvalidSettings(
            [("", say("is not text in UTF-8, see line %(line)s", line=line))]
        ) from wrong


def _parsed(text: str) -> Any:
    if not text.strip():
        raise InvalidSettings([("", say("is empty"))])
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as wrong:
        words = say(
            "is not JSON, line %(line)s, column %(column)s: %(why)s",
            line=wrong.lineno,
            column=wrong.colno,
            why=wrong.msg,
        )
        raise InvalidSettings([("", words)]) from wrong
    except RecursionError as wrong:
        raise InvalidSettings([("", say("is nested too deeply"))]) from wrong
    except InvalidSettings:
        raise
    except ValueError as wrong:  # a number of thousands of digits
        raise InvalidSettings([("", say("has a number that is too long"))]) from wrong


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON lets the last of two equal keys win; whoever wrote both meant something else."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidSettings([("", say("has “%(key)s” twice in one object", key=key))])
        found[key] = value
    return found


def _no_number(name: str) -> Any:
    raise InvalidSettings([("", say("has %(name)s, which is no number", name=name))])
