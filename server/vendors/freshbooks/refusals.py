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
from server.core.messages import N_
from server.core.said import say
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
    "customerid": ("client", N_("the client")),
    "userid": ("client", N_("the client")),
    "invoiceid": ("invoice", N_("the invoice")),
    "invoice_number": ("numbering", N_("the invoice number")),
    "currency_code": ("currency", N_("the currency")),
    "code": ("currency", N_("the currency")),
    "due_offset_days": ("due_days", N_("the days until due")),
    "discount_value": ("discount.value", N_("the discount")),
    "discount_description": ("discount.description", N_("the text of the discount")),
    "po_number": ("po_number", N_("the PO number")),
    "language": ("language", N_("the language")),
    "notes": ("notes", N_("the notes")),
    "terms": ("terms", N_("the terms")),
    "lines": ("lines", N_("the lines")),
    "name": ("lines.name", N_("the name of a line")),
    "description": ("lines.description", N_("the description of a line")),
    "qty": ("lines.quantity", N_("the quantity of a line")),
    "unit_cost": ("lines.price", N_("the price of a line")),
    "amount": ("lines.price", N_("the price of a line")),
    "taxName1": ("lines.tax", N_("the tax of a line")),
    "taxName2": ("lines.tax", N_("the tax of a line")),
    "taxAmount1": ("lines.tax", N_("the tax of a line")),
    "taxAmount2": ("lines.tax", N_("the tax of a line")),
    "email": ("client.email", N_("the client's e-mail")),
    "email_recipients": ("client.email", N_("the client's e-mail")),
    "organization": ("client.organization", N_("the client's organization")),
    "fname": ("client.first_name", N_("the client's first name")),
    "lname": ("client.last_name", N_("the client's last name")),
    "bus_phone": ("client.phone", N_("the client's phone")),
    "p_street": ("client.street", N_("the client's street")),
    "p_street2": ("client.street2", N_("the client's street")),
    "p_city": ("client.city", N_("the client's city")),
    "p_province": ("client.province", N_("the client's province")),
    "p_code": ("client.postal_code", N_("the client's postal code")),
    "p_country": ("client.country", N_("the client's country")),
    "vat_name": ("client.vat_name", N_("the name of the client's VAT number")),
    "vat_number": ("client.vat_number", N_("the client's VAT number")),
}

_TODO = {
    1001: N_("Fill it in."),
    1011: N_("It was deleted in FreshBooks: restore it there, or choose another."),
    UNKNOWN: N_("FreshBooks does not have it: choose another."),
    TOO_LONG: N_("Shorten it."),
    READ_ONLY: N_("FreshBooks does not let it be set."),
}
_ELSE = N_("Correct it.")  # not within say(...), where the catalogues would not see it
_NO_RESULT = N_("%(vendor)s answered %(status)s without a result.")
_NOT_THIS_USER = N_(
    "FreshBooks does not let this user do it (%(why)s): connect again as an owner, partner or "
    "manager, with every right that is asked for."
)


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
        why = N_("%(vendor)s answered %(status)s.") if faults else _NO_RESULT
        return down("freshbooks", why, status=reply.status)
    if reply.status == BUSY or BUSY in errnos:
        sentence = say("Somebody else is changing this in FreshBooks.")
        return TryLater("freshbooks:busy", sentence, certainty=Certainty.REFUSED)
    if reply.status == 402 or INACTIVE in errnos:
        inactive = say("The FreshBooks account is not active: %(why)s.", why=said)
        return forbidden("freshbooks", inactive)
    if ACCESS_DENIED in errnos or (reply.status == 403 and READ_ONLY not in errnos):
        return Reconnect("freshbooks", say(_NOT_THIS_USER, why=said))
    taken = next((fault for fault in faults if fault.errno == DUPLICATE), None)
    if taken:
        return AlreadyThere(taken.value)
    return CannotBill([_problem(fault) for fault in faults])


def is_missing(reply: Reply, faults: tuple[Fault, ...]) -> bool:
    """Whether FreshBooks says, in its own shape, that it does not have the thing asked for."""
    return bool(faults) and (reply.status == 404 or all(f.errno == UNKNOWN for f in faults))


def _problem(fault: Fault) -> Problem:
    segment = fault.field.rpartition(".")[2]
    key, words = _FIELDS.get(segment, (fault.field or "invoice", ""))
    words = words or ("" if fault.field else N_("the invoice"))
    what = say(words) if words else say("the %(field)s", field=fault.field)
    why = fault.message[:300].rstrip(".")
    return Problem(
        field=key,
        reason=say("FreshBooks refuses %(what)s: %(why)s.", what=what, why=why),
        todo=say(_TODO.get(fault.errno, _ELSE)),
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
