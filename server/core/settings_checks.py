"""What a well-formed settings document may still get wrong: things that two of its parts say."""

from collections.abc import Iterator
from datetime import date
from itertools import chain

from pydantic import BaseModel

from server.core.field_keys import entity_of
from server.core.keys import folded
from server.core.money import decimal_of
from server.core.said import say
from server.core.settings_model import Condition, Mapping, SettingsDocument, Source, WriteBack

Errors = Iterator[tuple[str, str]]

# Only there is a product at hand.
_PER_LINE = ("mapping.lines.", "mapping.taxes.")


def contradictions(document: SettingsDocument) -> list[tuple[str, str]]:
    """(dotted path, sentence) for each."""
    return list(
        chain(
            _slugs(document),
            _conditions(document),
            _again(document),
            _products(document.mapping),
            _tax_table(document.mapping),
            _client(document.mapping),
            _written_back(document.mapping.write_back),
        )
    )


def fields_of(part: BaseModel, path: str) -> Iterator[tuple[str, str]]:
    """(dotted path, field key) of every field that this part of the settings may read."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        here = f"{path}.{info.alias or name}"
        if isinstance(value, Source):
            yield from ((here, key) for key in value.keys())  # noqa: SIM118  # it is no dict
        elif isinstance(value, BaseModel):
            yield from fields_of(value, here)
        elif name == "field" and isinstance(value, str):
            yield here, value


def sources_of(part: BaseModel, path: str) -> Iterator[tuple[str, Source]]:
    """(dotted path, source) of every source in this part of the settings."""
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        here = f"{path}.{info.alias or name}"
        if isinstance(value, Source):
            yield here, value
        elif isinstance(value, BaseModel):
            yield from sources_of(value, here)


def _slugs(document: SettingsDocument) -> Errors:
    seen: set[str] = set()
    for index, rule in enumerate(document.rules):
        if rule.slug in seen:
            yield f"rules.{index}.slug", say("“%(slug)s” is taken by another rule", slug=rule.slug)
        seen.add(rule.slug)


def _conditions(document: SettingsDocument) -> Errors:
    for index, rule in enumerate(document.rules):
        for place, condition in enumerate(rule.conditions):
            path = f"rules.{index}.conditions.{place}"
            if entity_of(condition.field) == "product":
                must = say("must be a field of the deal, its contact or its company")
                yield f"{path}.field", must
            if wrong := _operand(condition):
                yield f"{path}.value", wrong


def _again(document: SettingsDocument) -> Errors:
    """From one of its own stages into the next, a deal would seem to enter anew."""
    for index, rule in enumerate(document.rules):
        if rule.again and len(rule.when) > 1:
            yield f"rules.{index}.again", say("needs a rule of one stage; make a rule for each")


def _operand(condition: Condition) -> str:
    value = condition.value
    if condition.test == "in":
        return "" if isinstance(value, tuple) and value else say("must be a list of values")
    if condition.test in ("filled", "empty"):
        if value in (None, "true"):
            return ""
        return say('has no meaning beside "%(test)s"; remove it', test=condition.test)
    if not isinstance(value, str):
        return say("must be one value")
    if condition.test in ("greater", "less") and decimal_of(value) is None and _day(value) is None:
        return say("must be a number or a date like 2026-12-31")
    return ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _products(mapping: Mapping) -> Errors:
    for path, key in fields_of(mapping, "mapping"):
        if entity_of(key) == "product" and not path.startswith(_PER_LINE):
            yield (
                path,
                say("“%(key)s” is known for each line only; use a field of the deal", key=key),
            )


def _tax_table(mapping: Mapping) -> Errors:
    seen: dict[str, str] = {}
    for value in mapping.taxes.table:
        twin = seen.setdefault(folded(value), value)
        if twin != value:
            yield f"mapping.taxes.table.{value}", say("is the same value as “%(twin)s”", twin=twin)


def _client(mapping: Mapping) -> Errors:
    needed = {"email": "email", "vat": "vat_number"}.get(mapping.client.match_by)
    if needed and getattr(mapping.client, needed) is None:
        yield f"mapping.client.{needed}", say("is missing, though clients are matched by it")


def _written_back(codes: WriteBack) -> Errors:
    seen: set[str] = set()
    for name, code in codes:
        if code is not None and code.upper() in seen:
            yield f"mapping.write_back.{name}", say("“%(code)s” is used for two things", code=code)
        seen.add((code or "").upper())
