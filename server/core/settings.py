"""An account's settings document: read strictly, refused in plain words, exported as one JSON.

The settings page, ``billhook settings import`` and the JSON Schema all stand on these functions.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from server.core.mapping_checks import unusable
from server.core.said import say
from server.core.settings_checks import contradictions
from server.core.settings_model import (
    Client,
    Condition,
    Discount,
    Lines,
    Mapping,
    Numbering,
    Rule,
    SettingsDocument,
    Source,
    Taxes,
    TaxRate,
    Trigger,
    WriteBack,
)
from server.core.settings_words import in_words

__all__ = [
    "Client",
    "Condition",
    "Discount",
    "InvalidSettings",
    "Lines",
    "Mapping",
    "Numbering",
    "Rule",
    "SettingsDocument",
    "Source",
    "TaxRate",
    "Taxes",
    "Trigger",
    "WriteBack",
    "as_stored",
    "default_settings",
    "json_schema",
    "validate",
]

_DEEPEST = 30  # a document of ours has 8 levels; each "or" adds one


class InvalidSettings(ValueError):
    """``errors`` are (dotted path, sentence): ("rules.0.when.1.stage_id", "is missing")."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path or 'the document'} {words}" for path, words in errors))
        self.errors = tuple(errors)


def validate(data: Any) -> SettingsDocument:
    """The document from parsed JSON. Raises InvalidSettings with everything that is wrong."""
    document = as_stored(data)
    if errors := [*contradictions(document), *unusable(document.mapping)]:
        raise InvalidSettings(errors)
    return document


def as_stored(data: Any) -> SettingsDocument:
    """Likewise a document that was saved, of which only the shape is looked at: what is refused by
    now was not when it was saved, and shall stop no more than what it says."""
    if _too_deep(data, _DEEPEST):
        raise InvalidSettings([("", say("is nested too deeply"))])
    try:
        return SettingsDocument.model_validate(data)
    except ValidationError as error:
        raise InvalidSettings(in_words(error)) from error


def default_settings(triggers: Sequence[tuple[int, int]] = ()) -> SettingsDocument:
    """A mapping that suits most accounts, and one rule for these (pipeline, stage), if any.

    Without triggers there is no rule: only the account knows its pipelines.
    """
    when = [{"pipeline_id": pipeline, "stage_id": stage} for pipeline, stage in triggers]
    rule = {"slug": "invoice", "name": "Issue an invoice", "when": when}
    return validate({"rules": [rule] if when else [], "mapping": {}})


def json_schema() -> dict[str, Any]:
    """What ``billhook settings schema`` prints."""
    return SettingsDocument.model_json_schema(by_alias=True)


def _too_deep(data: Any, left: int) -> bool:
    if not isinstance(data, dict | list | tuple):
        return False
    items = data.values() if isinstance(data, dict) else data
    return left == 0 or any(_too_deep(item, left - 1) for item in items)
