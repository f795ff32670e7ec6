"""Somebody else saved settings meanwhile: who, when and what, for a form that is shown again."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from server.core.settings_diff import Difference, differences
from server.core.settings_model import SettingsDocument
from server.flows.change_settings import Overtaken


@dataclass(frozen=True)
class SavedMeanwhile:
    """One version; ``what`` are sentences, one for each rule and one for the mapping."""

    number: int
    author: str
    at: datetime
    what: tuple[str, ...]


def authors() -> dict[str, str]:
    """Those that are no persons, by the names under which they are kept."""
    command = _("command line")
    return {"connect": "Billhook", "settings import": command, "command line": command}


def saved_meanwhile(overtaken: Overtaken) -> list[SavedMeanwhile]:
    """Oldest first; what "frame/overtaken.html" shows."""
    told, before, names = [], overtaken.based_on, authors()
    for version in overtaken.since:
        what = _what(before, version.document)
        author = names.get(version.author, version.author)
        told.append(SavedMeanwhile(version.number, author, version.at, what))
        before = version.document
    return told


def _what(before: SettingsDocument, after: SettingsDocument) -> tuple[str, ...]:
    said = dict.fromkeys(_sentence(one) for one in differences(before, after))
    return tuple(said) or (_("Nothing differs."),)


def _sentence(one: Difference) -> str:
    if one.path[0] == "mapping":
        return str(_("The mapping was changed."))
    sentences = {
        "added": _("The rule “%(name)s” was added.", name=one.rule),
        "removed": _("The rule “%(name)s” was removed.", name=one.rule),
        "moved": _("The rules were put in another order."),
        "changed": _("The rule “%(name)s” was changed.", name=one.rule),
    }
    return str(sentences[one.kind])
