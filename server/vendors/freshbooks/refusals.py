"""FreshBooks' refusals: five error shapes read alike, and what each means for the sale.

Which shape comes depends on the family and on the API's version, and some errors come with HTTP
200, so every answer is looked at. Source: reference freshbooks §2.4 (shapes, errno table).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from server.core.errors import (
    AlreadyThere,
    CannotBill,
    Certainty,
    Outcome,
    Problem,
    Reconnect,
    TryLater,
)
from server.vendors.http import Reply, down, throttled
from server.vendors.oauth import forbidden

ACCESS_DENIED = 1003
UNKNOWN = 1012
TOO_LONG = 1017
DUPLICATE = 1029
READ_ONLY = 1038
INACTIVE = 1042
BUSY = 409
UNEXPECTED = 500


@dataclass(frozen=True)
class Fault:
    """One thing that FreshBooks finds wrong; what it leaves out is 0 or ""."""

    errno: int = 0
    field: str = ""
    message: str = ""
    value: str = ""


# FreshBooks' field, the mapping's key, and what a user calls it.
_FIELDS = {
    "customerid": ("client", "client"),
    "userid": ("client", "client"),
    "invoiceid": ("invoice", "invoice"),
    "invoice_number": ("numbering", "invoice number"),
    "currency_code": ("currency", "currency"),
    "code": ("currency", "currency"),
    "due_offset_days": ("due_days", "days until due"),
    "discount_value": ("discount.value", "discount"),
    "discount_description": ("discount.description", "text of the discount"),
    "po_number": ("po_number", "PO number"),
    "language": ("language", "language"),
    "notes": ("notes", "notes"),
    "terms": ("terms", "terms"),
    "lines": ("lines", "lines"),
    "name": ("lines.name", "name of a line"),
    "description": ("lines.description", "description of a line"),
    "qty": ("lines.quantity", "quantity of a line"),
    "unit_cost": ("lines.price", "price of a line"),
    "amount": ("lines.price", "price of a line"),
    "taxName1": ("lines.tax", "tax of a line"),
    "taxName2": ("lines.tax", "tax of a line"),
    "taxAmount1": ("lines.tax", "tax of a line"),
    "taxAmount2": ("lines.tax", "tax of a line"),
    "email": ("client.email", "client's e-mail"),
    "email_recipients": ("client.email", "client's e-mail"),
    "organization": ("client.organization", "client's organization"),
    "fname": ("client.first_name", "client's first name"),
    "lname": ("client.last_name", "client's last name"),
    "bus_phone": ("client.phone", "client's phone"),
    "p_street": ("client.street", "client's street"),
    "p_street2": ("client.street2", "client's street"),
    "p_city": ("client.city", "client's city"),
    "p_province": ("client.province", "client's province"),
    "p_code": ("client.postal_code", "client's postal code"),
    "p_country": ("client.country", "client's country"),
    "vat_name": ("client.vat_name", "name of the client's VAT number"),
    "vat_number": ("client.vat_number", "client's VAT number"),
}

_TODO = {
    1001: "Fill it in.",
    1011: "It was deleted in FreshBooks: restore it there, or choose another.",
    UNKNOWN: "FreshBooks does not have it: choose another.",
    TOO_LONG: "Shorten it.",
    READ_ONLY: "FreshBooks does not let it be set.",
}


def faults_of(body: Any) -> tuple[Fault, ...]:
    """What an answer complains of, in any of the shapes; () where it does not complain."""
    if not isinstance(body, dict):
        return ()
    return tuple(_classic(body)) or tuple(_google(body)) or tuple(_flat(body))


def outcome_of(reply: Reply, faults: tuple[Fault, ...]) -> Outcome:
    """What to do about an answer that is no success. What is not certain is UNCERTAIN."""
    errnos = {fault.errno for fault in faults}
    said = next((fault.message for fault in faults if fault.message), str(reply.status)).rstrip(".")
    if reply.status == 429:
        return throttled("freshbooks", reply)
    failed = reply.status >= 500 or (reply.status < 300 and UNEXPECTED in errnos)
    if not faults or failed or 300 <= reply.status < 400:
        return down("freshbooks", f"answered {reply.status}{'' if faults else ' without a result'}")
    if reply.status == BUSY or BUSY in errnos:
        sentence = "Somebody else is changing this in FreshBooks."
        return TryLater("freshbooks:busy", sentence, certainty=Certainty.REFUSED)
    if reply.status == 402 or INACTIVE in errnos:
        return forbidden("freshbooks", f"The FreshBooks account is not active: {said}.")
    if ACCESS_DENIED in errnos or (reply.status == 403 and READ_ONLY not in errnos):
        return Reconnect(
            "freshbooks",
            f"FreshBooks does not let this user do it ({said}): "
            "connect again as an owner, partner or manager, with every right that is asked for.",
        )
    taken = next((fault for fault in faults if fault.errno == DUPLICATE), None)
    if taken:
        return AlreadyThere(taken.value)
    return CannotBill([_problem(fault) for fault in faults])


def is_missing(reply: Reply, faults: tuple[Fault, ...]) -> bool:
    """Whether FreshBooks says, in its own shape, that it does not have the thing asked for."""
    return bool(faults) and (reply.status == 404 or all(f.errno == UNKNOWN for f in faults))


def _problem(fault: Fault) -> Problem:
    segment = fault.field.rpartition(".")[2]
    key, words = _FIELDS.get(segment, (fault.field or "invoice", fault.field or "invoice"))
    return Problem(
        field=key,
        reason=f"FreshBooks refuses the {words}: {fault.message[:300].rstrip('.')}.",
        todo=_TODO.get(fault.errno, "Correct it."),
    )


def _classic(body: dict[str, Any]) -> Iterator[Fault]:
    response = body.get("response")
    errors = response.get("errors") if isinstance(response, dict) else None
    for row in [errors] if isinstance(errors, dict) else errors or ():
        if isinstance(row, dict):
            yield _fault(row, row.get("errno"))


def _google(body: dict[str, Any]) -> Iterator[Fault]:
    details = body.get("details")
    if "code" not in body or not isinstance(details, list):
        return
    for row in details:
        if isinstance(row, dict):
            yield _fault(row.get("metadata") or {}, row.get("reason"))
    if not details:
        yield Fault(message=str(body.get("message") or ""))


def _flat(body: dict[str, Any]) -> Iterator[Fault]:
    """The events, auth, payments and projects families."""
    said = body.get("error_description") or body.get("message") or body.get("error")
    if said and ({"errno", "error", "error_type"} & body.keys()):
        details = body.get("details")
        more = [str(item) for item in details] if isinstance(details, list) else []
        yield Fault(errno=_int(body.get("errno")), message="; ".join([str(said), *more]))


def _fault(row: dict[str, Any], errno: Any) -> Fault:
    return Fault(
        errno=_int(errno),
        field=str(row.get("field") or ""),
        message=str(row.get("message") or ""),
        value=str(row.get("value") or ""),
    )


def _int(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
