"""The right editor for a condition's value: by the field's type, and by how it is compared."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import get_args

from flask_babel import gettext as _

from server.core.keys import folded
from server.core.money import decimal_of
from server.core.settings_model import Test
from server.core.vendor_lists import KnownField, Option

LONGEST_VALUE = 500
TESTS = get_args(Test)
_NUMBERS = frozenset({"numeric", "price", "monetary"})
_DATES = frozenset({"date", "date_time", "birthday"})
_TESTS_OF = {
    "options": ("equals", "not", "in", "filled", "empty"),
    "yes_no": ("equals",),
    "number": ("equals", "not", "greater", "less", "in", "filled", "empty"),
    "date": ("equals", "not", "greater", "less", "filled", "empty"),
    "text": ("equals", "not", "in", "greater", "less", "filled", "empty"),
}


@dataclass(frozen=True)
class Choice:
    """``gone``: the settings name it, the field has it no more."""

    value: str
    text: str
    chosen: bool
    gone: bool = False


@dataclass(frozen=True)
class Editor:
    """``kind``: options, yes_no, number, date or text; ``test`` how the value is compared."""

    kind: str
    test: str
    options: tuple[Option, ...] = ()

    @property
    def tests(self) -> list[tuple[str, str]]:
        """(test, words) that make sense here, and the one that is there."""
        words = test_words(self.kind)
        offered = [*_TESTS_OF[self.kind]]
        if self.test in TESTS and self.test not in offered:
            offered.append(self.test)
        return [(test, words[test]) for test in offered]

    @property
    def asks_value(self) -> bool:
        """Whether the comparison is one with something."""
        return self.test not in ("filled", "empty")

    def fitting(self, test: str) -> str:
        """The test, or the nearest that this kind of field knows."""
        return test if test in _TESTS_OF[self.kind] else "equals"

    def choices(self, values: Sequence[str]) -> list[Choice]:
        """A select's options, and behind them what is chosen and no option any more."""
        taken = {value: _meant(value, self.options) for value in values if value.strip()}
        twice = Counter(folded(option.text) for option in self.options)
        known = [
            Choice(
                str(option.id) if twice[folded(option.text)] > 1 else option.text,
                option.text,
                option in taken.values(),
            )
            for option in self.options
        ]
        gone = [Choice(value, value, True, gone=True) for value, one in taken.items() if not one]
        return [*known, *gone]

    def kept(self, values: Sequence[str], before: "Editor") -> tuple[str, ...]:
        """Of what was entered for another field, what this one can have."""
        if before.kind != self.kind:
            return ()
        if self.kind != "options":
            return tuple(values)
        return tuple(value for value in values if _meant(value, self.options))

    def value(self, values: Sequence[str]) -> str | list[str] | None:
        """As the settings document has it."""
        if not self.asks_value:
            return None
        if self.test == "in":
            return lines_of(values)
        return values[0].strip() if values else ""


def editor_for(field: KnownField | None, test: str) -> Editor:
    """Of a field that is not known, text."""
    if field is None:
        return Editor("text", test)
    if field.options:
        return Editor("options", test, field.options)
    if field.type in _NUMBERS:
        return Editor("number", test)
    if field.type in _DATES:
        return Editor("date", test)
    return Editor("yes_no" if field.type == "checkbox" else "text", test)


def lines_of(values: Sequence[str]) -> list[str]:
    """Several values: ticked boxes, or lines of one text; each once."""
    lines = (line.strip() for value in values for line in value.splitlines())
    return list(dict.fromkeys(filter(None, lines)))


def test_words(kind: str) -> dict[str, str]:
    return {
        "equals": _("is"),
        "not": _("is not"),
        "in": _("is one of"),
        "greater": _("is after") if kind == "date" else _("is more than"),
        "less": _("is before") if kind == "date" else _("is less than"),
        "filled": _("is filled"),
        "empty": _("is empty"),
    }


def wrong_value(editor: Editor, values: Sequence[str]) -> str:
    """A sentence for beside the value, or ""."""
    if not editor.asks_value:
        return ""
    given = lines_of(values) if editor.test == "in" else [values[0].strip() if values else ""]
    if not any(given):
        return _nothing(editor)
    if max(map(len, given)) > LONGEST_VALUE:
        return str(_("Use at most %(most)s characters.", most=LONGEST_VALUE))
    if not all(one.isprintable() for one in given):
        return str(_("This has a character in it that cannot be read. Type it anew."))
    return next(filter(None, (_wrong(editor, one) for one in given)), "")


def _nothing(editor: Editor) -> str:
    chosen = editor.kind in ("options", "yes_no")
    return str(_("Choose a value.") if chosen else _("Enter a value."))


def _wrong(editor: Editor, value: str) -> str:
    if editor.kind == "options" and _meant(value, editor.options) is None:
        return str(_("“%(value)s” is no choice of this field. Choose another.", value=value))
    if editor.kind == "yes_no" and value not in ("true", "false"):
        return str(_("Choose a value."))
    number = decimal_of(value) is not None
    if editor.kind == "number" and not number:
        return str(_("Enter a number, like 1200.50."))
    if editor.kind == "date" and not _is_day(value):
        return str(_("Enter a date, like 2026-12-31."))
    if editor.test in ("greater", "less") and not number and not _is_day(value):
        return str(_("Enter a number or a date, like 2026-12-31."))
    return ""


def _meant(value: str, options: Sequence[Option]) -> Option | None:
    """The option that a rule means, by what it is called, its code or its id."""
    wanted = folded(value)
    for option in options:
        if wanted in (folded(option.text), folded(option.code), str(option.id)):
            return option
    return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
