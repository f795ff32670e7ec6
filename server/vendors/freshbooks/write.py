"""A frozen draft as FreshBooks' request: always a draft invoice, only forms seen to work.

Source: reference freshbooks §3.1 (create), §2.5 (scalars), §3.3 (two taxes, percent discount), §4.
"""

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from server.core.errors import CannotBill, Problem
from server.core.invoice import DraftClient, DraftLine, InvoiceDraft
from server.core.money import digits
from server.core.said import say

ReferencePlace = Literal["invoice_number", "po_number", "notes"]

_MOST_TAXES = 2  # a line has two pairs of tax fields
_USUAL_DECIMALS = 2


def where_reference_goes(draft: InvoiceDraft, numbering: str) -> ReferencePlace:
    """Where our mark stands on this invoice. ``numbering`` is the mapping's kind: "freshbooks",
    "reference" or "sequence". Freeze the answer with the attempt.
    """
    if numbering == "reference":
        return "invoice_number"
    return "notes" if draft.po_number else "po_number"


def invoice_payload(
    draft: InvoiceDraft,
    *,
    customer_id: int,
    create_date: date,
    number: str | None,
    reference: str,
    reference_place: str,
) -> dict[str, Any]:
    """The body of a create. ``number`` None: FreshBooks numbers it itself. ``reference_place`` is
    what ``where_reference_goes`` said when the attempt was frozen.

    Raises CannotBill for more taxes than FreshBooks has places for.
    """
    invoice = {
        "customerid": customer_id,
        "create_date": create_date.isoformat(),
        "currency_code": draft.currency,
        "invoice_number": reference if reference_place == "invoice_number" else number,
        "po_number": reference if reference_place == "po_number" else draft.po_number,
        "notes": _notes(draft, reference) if reference_place == "notes" else draft.notes,
        "terms": draft.terms,
        "language": draft.language,
        "due_offset_days": _days_until_due(draft, create_date),
        "lines": [_line(line, draft.currency, index) for index, line in enumerate(draft.lines, 1)],
    }
    if draft.discount_percent:
        invoice["discount_value"] = _plain(draft.discount_percent)
        invoice["discount_description"] = draft.discount_description
    return {"invoice": _filled(invoice)}


def _days_until_due(draft: InvoiceDraft, create_date: date) -> int | None:
    """A due date is not written, only how far away it is (reference §3.2); one that has passed is
    today's."""
    if draft.due_on is None:
        return draft.due_days
    return max(0, (draft.due_on - create_date).days)


def client_payload(client: DraftClient, currency: str) -> dict[str, Any]:
    """The body of a client's create; what is unknown is left out."""
    return {
        "client": _filled(
            {
                "email": client.email,
                "organization": client.organization,
                "fname": client.first_name,
                "lname": client.last_name,
                "bus_phone": client.phone,
                "p_street": client.street,
                "p_street2": client.street2,
                "p_city": client.city,
                "p_province": client.province,
                "p_code": client.postal_code,
                "p_country": client.country,
                "vat_name": client.vat_name,
                "vat_number": client.vat_number,
                "language": client.language,
                "currency_code": currency,
            }
        )
    }


def _line(line: DraftLine, currency: str, index: int) -> dict[str, Any]:
    if len(line.taxes) > _MOST_TAXES:
        raise CannotBill(
            [
                Problem(
                    f"lines.{index}.tax",
                    say(
                        "“%(name)s” has %(count)s taxes; FreshBooks takes two a line.",
                        name=line.name,
                        count=len(line.taxes),
                    ),
                    say("Combine them in Billhook's settings."),
                )
            ]
        )
    body: dict[str, Any] = {
        "type": 0,
        "name": line.name,
        "description": line.description,
        "qty": _plain(line.quantity),
        "unit_cost": {"amount": _amount(line.unit_cost, currency), "code": currency},
    }
    for place, tax in enumerate(line.taxes, 1):
        body[f"taxName{place}"] = tax.name
        body[f"taxAmount{place}"] = _plain(tax.percent)
    return body


def _notes(draft: InvoiceDraft, reference: str) -> str:
    return f"{draft.notes.rstrip()}\n{reference}".lstrip()


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None and value != ""}


def _plain(number: Decimal) -> str:
    """ "2.5", "2", "21": exact, no exponent, no zeros behind."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(amount: Decimal, currency: str) -> str:
    """Exact, with two decimals at least where the currency has them."""
    text = _plain(amount)
    decimals = min(_USUAL_DECIMALS, digits(currency))
    return text if len(text.partition(".")[2]) >= decimals else f"{amount:.{decimals}f}"
