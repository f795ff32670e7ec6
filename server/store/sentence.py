"""A column for what a person reads: the English text, and what it was made of (``core.said``), so
that a page can say it in the reader's language."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from server.core.said import from_json, to_json
from server.store.db import writable


class Sentence(TypeDecorator[str]):
    """A text, or a ``Said`` that comes back as one. Never None."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else _writable(to_json(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else from_json(value)


def _writable(body: Any) -> Any:
    if isinstance(body, str):
        return writable(body)
    if "money" in body:
        return body
    facts = {name: _writable(fact) for name, fact in body["facts"].items()}
    return {"template": body["template"], "facts": facts}
