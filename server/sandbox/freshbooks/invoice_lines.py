"""An invoice's (or credit note's) lines as they come in, and what they add up to."""

from decimal import Decimal
from typing import Any

from server.sandbox.freshbooks import checks
from server.sandbox.freshbooks.arithmetic import TaxedLine, totals
from server.sandbox.freshbooks.errors import invalid, refused
from server.sandbox.freshbooks.money import plain, printed, rounded
from server.sandbox.freshbooks.state import Books, Row

LINE_FIELDS: dict[str, checks.Check] = {
    "type": checks.whole,
    "name": checks.full_text,
    "description": checks.full_text,
    "qty": checks.number,
    "unit_cost": checks.money,
    "taxName1": checks.text,
    "taxAmount1": checks.percent,
    "taxName2": checks.text,
    "taxAmount2": checks.percent,
    "compounded_tax": checks.flag,
}

#: Keys of an invoice's line whose value never matters to an invoicer.
CONSTANT: Row = {
    "basecampid": 0,
    "date": None,
    "expenseid": 0,
    "modern_project_id": None,
    "modern_time_entries": [],
    "retainer_id": None,
    "retainer_period_id": None,
}


def accepted_lines(books: Books, value: Any, code: str) -> list[Row]:
    """The new set of lines; they replace the old as a set (reference §2.2)."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise invalid(1004, "lines must be a list of objects.", "lines", obj="invoice")
    if len(value) > books.switches.max_lines:
        limit = books.switches.max_lines
        raise invalid(1017, f"lines exceeds the maximum length of {limit}.", "lines")
    return [_line(books, entry, code, place) for place, entry in enumerate(value, start=1)]


def _line(books: Books, entry: Row, code: str, place: int) -> Row:
    found = checks.accept(entry, LINE_FIELDS, "line", books.switches)
    cost, cost_code = found.pop("unit_cost", (Decimal(0), None))
    if cost_code not in (None, code):
        raise invalid(1004, f"unit_cost must be in {code}.", "unit_cost.code", cost_code, "line")
    if found.get("type", 0) not in (0, 1):
        raise invalid(1004, "type is not supported.", "type", found["type"], "line")
    line: Row = {
        "lineid": place,
        "type": 0,
        "name": "",
        "description": "",
        "qty": Decimal(1),
        "unit_cost": rounded(cost, code, books.switches),
        "compounded_tax": False,
        **found,
    }
    _refuse_negative(books, line)
    _add_taxes(books, line)
    return line


def _refuse_negative(books: Books, line: Row) -> None:
    if books.switches.negative_lines == "accepted":
        return
    for key in ("qty", "unit_cost"):
        if line[key] < 0:
            raise invalid(1025, f"{key} may not be negative.", key, line[key], "line")


def _add_taxes(books: Books, line: Row) -> None:
    """Taxes go by name and percent; the number is the server's, by the tax of that name."""
    for n in ("1", "2"):
        name, amount = line.setdefault(f"taxName{n}", ""), line.setdefault(f"taxAmount{n}", 0)
        if amount and not name:
            raise invalid(1001, f"'taxName{n}' is a required field", f"taxName{n}", obj="line")
        known = (tax for tax in books.taxes.values() if tax["name"] == name)
        line[f"taxNumber{n}"] = next((tax["number"] for tax in known), None)
    if line["taxName1"] and line["taxName1"] == line["taxName2"]:
        raise refused(422, 1026, "Taxes on a line must differ.", field="taxName2", object="line")


def add_up(books: Books, row: Row) -> None:
    """Fill the row's amounts and each line's amount from its lines and discount."""
    code = row["currency_code"]
    lines = [
        TaxedLine(line["qty"], line["unit_cost"], _taxes_of(line), line["compounded_tax"])
        for line in row["lines"]
    ]
    sums = totals(lines, row.get("discount_value", Decimal(0)), code, books.switches)
    for line, amount in zip(row["lines"], sums.line_amounts, strict=True):
        line["amount"] = amount
    row |= {"subtotal": sums.subtotal, "discount_total": -sums.discount, "tax": sums.tax}
    row["amount"] = sums.total


def _taxes_of(line: Row) -> tuple[tuple[str, Decimal], ...]:
    return tuple(
        (line[f"taxName{n}"], Decimal(line[f"taxAmount{n}"]))
        for n in ("1", "2")
        if line[f"taxName{n}"]
    )


def shown_line(books: Books, row: Row, line: Row, id_key: str) -> Row:
    """One line of a reply; ``id_key`` is invoiceid or creditid."""
    code = row["currency_code"]
    taxes = {
        key: plain(Decimal(line[key])) if key.startswith("taxAmount") else line[key]
        for n in ("1", "2")
        for key in (f"taxName{n}", f"taxAmount{n}")
    }
    shown = {
        id_key: row["id"],
        "name": line["name"],
        "description": line["description"],
        "qty": plain(line["qty"]),
        "unit_cost": printed(line["unit_cost"], code, books.switches),
        "amount": printed(line["amount"], code, books.switches),
        "compounded_tax": line["compounded_tax"],
        "taskno": line["lineid"],
        **taxes,
    }
    if id_key == "creditid":
        return shown
    return shown | {
        "lineid": line["lineid"],
        **CONSTANT,
        "taxNumber1": line["taxNumber1"],
        "taxNumber2": line["taxNumber2"],
        "type": line["type"],
        "updated": row["updated"],
    }
