"""A Kommo hook's raw body as nested dicts, in linear time and within limits.

Anybody on the internet may post to a hook's URL, so sizes are checked before anything is built.
Kommo sends PHP-style bracket keys (``leads[status][0][id]=1``), its documentation shows JSON, and
digital-pipeline hooks were seen as both.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from server.vendors.inbound import BadHook

MAX_BODY = 1024 * 1024  # the largest hook ever seen is 3 KB
MAX_KEYS = 5_000
MAX_DEPTH = 12  # a contact's field value stands 8 deep
MAX_KEY_LENGTH = 500

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
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:  # percent-encoded bytes that are no UTF-8
        raise BadHook(400, "The body is not UTF-8.") from None
    root: dict[str, Any] = {}
    for key, value in pairs:
        _put(root, key, value)
    return root


def _put(root: dict[str, Any], key: str, value: str) -> None:
    # Counted before it is taken apart: the pattern alone is quadratic in opening brackets.
    if key.count("[") >= MAX_DEPTH:
        raise BadHook(400, f"A key is at most {MAX_DEPTH} deep.")
    if len(key) > MAX_KEY_LENGTH:
        raise BadHook(400, f"A key has at most {MAX_KEY_LENGTH} characters.")
    *path, leaf = [key.split("[", 1)[0], *_SEGMENT.findall(key)]
    node = root
    for segment in path:
        inner = node.get(segment)
        if not isinstance(inner, dict):
            inner = node[segment] = {}
        node = inner
    node[leaf or str(len(node))] = value  # a[]=1&a[]=2


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
