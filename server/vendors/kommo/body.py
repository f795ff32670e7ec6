"""A Kommo hook's raw body as nested dicts, in linear time and within limits.

Anybody on the internet may post to a hook's URL, so sizes are checked before anything is built.
Kommo sends PHP-style bracket keys (``leads[status][0][id]=1``), its documentation shows JSON, and
digital-pipeline hooks were seen as both.
"""

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from server.vendors.inbound import BadHook

MAX_BODY = 1024 * 1024  # the largest hook ever seen is 3 KB
MAX_KEYS = 5_000
MAX_DEPTH = 12  # a contact's field value stands 8 deep
MAX_KEY_LENGTH = 500
MAX_ESCAPED = 12 * MAX_KEY_LENGTH  # a character is four bytes at most, a byte %XX
REMEMBERED = 1000  # keys, some 6 MB if a stranger fills them with the longest

_SEGMENT = re.compile(r"\[([^\]]*)\]")
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


def read_body(raw: bytes, content_type: str) -> dict[str, Any]:
    """The body as nested dicts (of strings when it was a form). Raises BadHook."""
    kind = content_type.split(";", 1)[0].strip().lower()
    if kind not in (_FORM, _JSON):
        raise BadHook(415, f"A hook is {_FORM} or {_JSON}.")
    if len(raw) > MAX_BODY:
        raise BadHook(413, f"A hook has at most {MAX_BODY} bytes.")
    if not raw.strip():
        raise BadHook(400, "The body is empty.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadHook(400, "The body is not UTF-8.") from None
    return _from_json(text) if kind == _JSON else _from_form(text)


def _from_form(text: str) -> dict[str, Any]:
    if text.count("&") >= MAX_KEYS:
        raise BadHook(413, f"A hook has at most {MAX_KEYS} keys.")
    root: dict[str, Any] = {}
    try:
        for pair in filter(None, text.split("&")):
            key, _, value = pair.partition("=")
            if len(key) > MAX_ESCAPED:
                raise _too_long()
            _put(root, _path(key), unquote_plus(value, errors="strict"))
    except UnicodeDecodeError:
        raise BadHook(400, "The body is not UTF-8.") from None
    return root


def _put(root: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    node = root
    for segment in path[:-1]:
        inner = node.get(segment)
        if not isinstance(inner, dict):
            inner = node[segment] = {}
        node = inner
    node[path[-1] or str(len(node))] = value  # a[]=1&a[]=2


@lru_cache(REMEMBERED)
def _path(escaped: str) -> tuple[str, ...]:
    """``leads%5Badd%5D%5B0%5D%5Bid%5D`` as (leads, add, 0, id): Kommo's keys are ever the same."""
    key = unquote_plus(escaped, errors="strict")
    # Counted before it is taken apart: the pattern alone is quadratic in opening brackets.
    if key.count("[") >= MAX_DEPTH:
        raise BadHook(400, f"A key is at most {MAX_DEPTH} deep.")
    if len(key) > MAX_KEY_LENGTH:
        raise _too_long()
    return key.split("[", 1)[0], *_SEGMENT.findall(key)


def _too_long() -> BadHook:
    return BadHook(400, f"A key has at most {MAX_KEY_LENGTH} characters.")


def _from_json(text: str) -> dict[str, Any]:
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        raise BadHook(400, "The body is not JSON.") from None
    if not isinstance(root, dict):
        raise BadHook(400, "The body is not a JSON object.")
    _measure(root)
    return root


def _measure(root: dict[str, Any]) -> None:
    level: list[Any] = [root]
    keys = 0
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for node in level:
            inner += node.values() if isinstance(node, dict) else node
        keys += len(inner)
        level = [node for node in inner if isinstance(node, dict | list)]
        if keys > MAX_KEYS:
            raise BadHook(413, f"A hook has at most {MAX_KEYS} keys.")
        if not level:
            return
    raise BadHook(400, f"A hook is at most {MAX_DEPTH} deep.")
