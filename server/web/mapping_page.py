"""What the mapping's template asks for, beside the values of its controls."""

import re
from dataclasses import dataclass
from functools import cached_property

from server.core.vendor_lists import Lists
from server.web.mapping_controls import CATALOGS, Form, levels, name_of, rows
from server.web.mapping_labels import Labels
from server.web.mapping_words import parts, summary, titles

_ROW = re.compile(r"(.+?-\d+)(-|$)", re.ASCII)


@dataclass(frozen=True)
class ListTold:
    """One of Kommo's lists to choose; ``gone``: it is not there any more."""

    id: str
    name: str
    chosen: bool
    gone: bool = False


@dataclass(frozen=True)
class MappingPage:
    """``errors``, ``gone`` (fields that are not there any more) and ``theirs`` (what somebody else
    saved in the same row) are by control."""

    form: Form
    lists: Lists
    labels: Labels
    errors: dict[str, str]
    gone: dict[str, str]
    theirs: dict[str, str]

    def value(self, control: str) -> str:
        return self.form.get(control, "")

    @cached_property
    def _titles(self) -> dict[str, str]:
        return titles()

    def title(self, path: str) -> str:
        return self._titles[path]

    def name(self, path: str) -> str:
        return name_of(path)

    def levels(self, path: str) -> int:
        return levels(self.form, name_of(path))

    def rows(self, name: str, ending: str) -> range:
        return range(rows(self.form, name, ending))

    def is_open(self, path: str) -> bool:
        """Whether a source has a second choice, or something to say of one."""
        name = name_of(path)
        for level in range(1, self.levels(path)):
            said = (self.errors, self.gone, self.theirs)
            if self.form[f"{name}-{level}-kind"] != "none":
                return True
            if any(of_group(one, f"{name}-{level}") for one in said):
                return True
        return False

    def wrong(self, group: str) -> dict[str, str]:
        return of_group(self.errors, group)

    def warned(self, group: str) -> dict[str, str]:
        return of_group(self.gone, group)

    def other(self, group: str) -> dict[str, str]:
        return of_group(self.theirs, group)

    def parts(self) -> dict[str, str]:
        return parts()

    def summary(self) -> list[tuple[str, str, str]]:
        return summary(self.errors)

    def catalogs(self) -> list[ListTold]:
        """All that may stand on a deal, and what was chosen once."""
        chosen = {
            name.removeprefix(f"{CATALOGS}-")
            for name in self.form
            if name.startswith(f"{CATALOGS}-")
        }
        there = [
            ListTold(str(one.id), one.name, str(one.id) in chosen)
            for one in self.lists.catalogs
            if one.kind in ("products", "regular")
        ]
        lost = sorted(chosen - {one.id for one in there})
        return [*there, *(ListTold(one, one, True, gone=self.lists.is_known) for one in lost)]

    def tax_options(self) -> list[str]:
        """The choices of the field that says the tax."""
        field = self.lists.field(self.labels.key(self.value("taxes-field")))
        return [one.text for one in field.options] if field else []

    def is_made(self, code: str) -> bool:
        """Whether the deal has a field of this code."""
        return any(
            field.entity == "deal" and field.code.upper() == code.upper()
            for field in self.lists.fields
        )


def group_of(control: str) -> str:
    """The row whose part a control is: "notes-0-text" is of "notes-0"; else the control itself."""
    row = _ROW.match(control)
    return row[1] if row else control


def of_group(told: dict[str, str], group: str) -> dict[str, str]:
    """What is told of a control, or of those of its row: "notes-0" has "notes-0-text"."""
    return {
        control: said
        for control, said in told.items()
        if control == group or control.startswith(f"{group}-")
    }
