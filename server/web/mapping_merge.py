"""A form that was overtaken: what was changed in it, on top of what somebody else has saved since.

Rows that only they changed are theirs; where both did, mine stands in the form and theirs is told.
"""

from server.web.mapping_controls import CATALOGS, SOURCES, Form, name_of, several_lines
from server.web.mapping_rows import FIXED, TABLE


def merged(mine: Form, base: Form, theirs: Form) -> tuple[Form, dict[str, str]]:
    """The form, and for each row that both have changed its first control with what they said."""
    ours, was, now = _groups(mine), _groups(base), _groups(theirs)
    form: Form = {}
    both: dict[str, str] = {}
    for group in dict.fromkeys([*now, *ours]):
        own, before, other = ours.get(group, {}), was.get(group, {}), now.get(group, {})
        untouched = _said(own) == _said(before)
        form |= other if untouched else own
        if not untouched and _said(other) not in (_said(before), _said(own)):
            both[next(iter(own or other))] = " · ".join(_shown(other)) or "–"
    return form, both


def _groups(form: Form) -> dict[str, Form]:
    """The controls by the row that they belong to."""
    lists = [*(name_of(path) for path in SOURCES), FIXED, TABLE, CATALOGS]
    found: dict[str, Form] = {}
    for name, value in form.items():
        group = next((one for one in lists if name.startswith(f"{one}-")), name)
        found.setdefault(group, {})[name] = several_lines(value)
    return found


def _said(form: Form) -> Form:
    return {name: value for name, value in form.items() if value not in ("", "none")}


def _shown(form: Form) -> list[str]:
    kinds = ("field", "text", "none", "on")
    return [value for value in _said(form).values() if value not in kinds]
