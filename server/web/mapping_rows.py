"""The mapping's lists in its form: rates of tax, and what each value of a tax field means.

A row that was not touched stays to the letter; an empty one is none. Rows are added and taken away
in the form alone, so that nothing that was typed is lost.
"""

from dataclasses import dataclass

from flask_babel import gettext as _

from server.web.mapping_controls import RATES, Form, rows

FIXED, TABLE, FIELD = "taxes-fixed", "taxes-table", "taxes-field"
Rates = list[dict[str, str]]
Row = tuple[str, ...]


@dataclass
class Told:
    """Where each part of the document was typed, and what is wrong with it."""

    places: dict[str, str]
    errors: dict[str, str]


def fixed_rates(form: Form, shown: Form, before: Rates, told: Told) -> Rates:
    """The rates that hold where no field says otherwise."""
    told.places["mapping.taxes.fixed"] = f"{FIXED}-0-name"
    if not rows(form, FIXED, "name"):
        return before
    return _rates(form, FIXED, "mapping.taxes.fixed", told, _kept(shown, FIXED, before))


def tax_table(form: Form, shown: Form, before: dict[str, Rates], told: Told) -> dict[str, Rates]:
    """What each value of the tax field means."""
    told.places["mapping.taxes.table"] = f"{TABLE}-0-value"
    count = rows(form, TABLE, "value")
    if not count:
        return before
    kept = {
        _row(shown, f"{TABLE}-{index}"): (value, rates)
        for index, (value, rates) in enumerate(before.items())
    }
    found: dict[str, Rates] = {}
    for index in range(count):
        row = f"{TABLE}-{index}"
        was = kept.pop(_row(form, row), None)
        value = was[0] if was else form[f"{row}-value"].strip()
        path = f"mapping.taxes.table.{value}"
        rates = _rates(form, row, path, told, {})
        if not (was or value or rates):
            continue
        if value in found:
            told.errors[f"{row}-value"] = _("“%(value)s” is here twice.", value=value)
        elif not (was or value):
            told.errors[f"{row}-value"] = _("Write the value that the field has.")
        told.places[path] = f"{row}-value"
        found[value] = was[1] if was else rates
    return found


def last(form: Form, where: str) -> str:
    """The last row of FIXED or TABLE: "taxes-fixed-2"."""
    return f"{where}-{rows(form, where, _first(where)) - 1}"


def beside(form: Form, row: str) -> str:
    """The row that has the place of one that is dropped; else the last."""
    end = last(form, row.rpartition("-")[0])
    return min(row, end, key=lambda one: (len(one), one))


def added(form: Form, where: str) -> Form:
    """With one more empty row of FIXED or TABLE."""
    index = rows(form, where, _first(where))
    if where == FIXED:
        return {**form, f"{where}-{index}-name": "", f"{where}-{index}-percent": ""}
    return {**form, **_table_row(index)}


def filled(form: Form, values: list[str]) -> tuple[Form, list[str]]:
    """With a row for each of these values that has none, and these rows; empty rows are used
    first."""
    count = rows(form, TABLE, "value")
    there = {form[f"{TABLE}-{index}-value"].strip().casefold() for index in range(count)}
    free = [i for i in range(count) if not form[f"{TABLE}-{i}-value"].strip()]
    form, new = dict(form), []
    for value in values:
        if value.strip().casefold() in there:
            continue
        index = free.pop(0) if free else rows(form, TABLE, "value")
        form = {**_table_row(index), **form, f"{TABLE}-{index}-value": value}
        new.append(f"{TABLE}-{index}")
    return form if free else added(form, TABLE), new


def dropped(form: Form, row: str) -> Form:
    """Without one row, "taxes-fixed-2"; the others move up."""
    where, _dash, number = row.rpartition("-")
    if where not in (FIXED, TABLE) or not number.isdecimal():
        return form
    gone, out = int(number), {}
    for name, value in form.items():
        index, dash, ending = name.removeprefix(f"{where}-").partition("-")
        if name.startswith(f"{where}-") and index.isdecimal() and dash:
            if int(index) == gone:
                continue
            if int(index) > gone:
                name = f"{where}-{int(index) - 1}-{ending}"
        out[name] = value
    return out if rows(out, where, _first(where)) else added(out, where)


def _first(where: str) -> str:
    """How the first control of a row is called."""
    return "name" if where == FIXED else "value"


def percent(typed: str) -> str:
    """A percent as people write it, "7,7 %", as the document has it."""
    plain = typed.strip().removesuffix("%").strip()
    return plain.replace(",", ".") if plain.count(",") == 1 and "." not in plain else plain


def _rates(form: Form, name: str, path: str, told: Told, kept: dict[Row, dict[str, str]]) -> Rates:
    found: Rates = []
    for index in range(rows(form, name, "name")):
        control, here = f"{name}-{index}", f"{path}.{len(found)}"
        row = _rate(form, control)
        if row == ("", ""):
            continue
        told.places[here] = told.places[f"{here}.name"] = f"{control}-name"
        told.places[f"{here}.percent"] = f"{control}-percent"
        typed = {"name": row[0].strip(), "percent": percent(row[1])}
        found.append(kept.get(row, typed))
    return found


def _kept(shown: Form, name: str, before: Rates) -> dict[Row, dict[str, str]]:
    return {_rate(shown, f"{name}-{index}"): rate for index, rate in enumerate(before)}


def _rate(form: Form, control: str) -> Row:
    return form.get(f"{control}-name", ""), form.get(f"{control}-percent", "")


def _row(form: Form, row: str) -> Row:
    """All that a row of the table says."""
    rates = [_rate(form, f"{row}-{index}") for index in range(rows(form, row, "name"))]
    said = [part for rate in rates if rate != ("", "") for part in rate]
    return form.get(f"{row}-value", ""), *said


def _table_row(index: int) -> Form:
    row = f"{TABLE}-{index}"
    rates = [f"{row}-{place}-{what}" for place in range(RATES) for what in ("name", "percent")]
    return dict.fromkeys([f"{row}-value", *rates], "")
