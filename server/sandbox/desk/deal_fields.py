"""Custom fields as a person reads and fills them; the invoice that stands on a deal."""

from datetime import UTC, datetime
from typing import Any

from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Contact, Deal, Field, Value

Row = dict[str, Any]

#: Kommo's types as the page's inputs.
INPUTS = {
    "text": "text",
    "textarea": "textarea",
    "url": "text",
    "numeric": "number",
    "monetary": "number",
    "select": "select",
    "radiobutton": "select",
    "checkbox": "checkbox",
    "date": "date",
}
#: What fits on a card beside name, amount and people.
CHIPS, SHORT = 2, 20


def editable(field: Field) -> bool:
    """A person fills it here: not what only integrations fill, nor types without an input."""
    return not field.is_api_only and field.type in INPUTS


def form_fields(field: Field, values: list[Value]) -> Row:
    """The field with its value as an input takes it and as it is read."""
    return {
        "id": field.id,
        "name": field.name,
        "input": INPUTS[field.type] if editable(field) else "",
        "value": _typed(field, values),
        "shown": _read(field, values),
        "choices": [choice.value for choice in field.enums or []],
    }


def _typed(field: Field, values: list[Value]) -> Any:
    value = values[0].get("value") if values else None
    if field.type == "checkbox":
        return bool(value)
    if field.type == "date" and value is not None:
        return _day(value)
    return "" if value is None else str(value)


def _read(field: Field, values: list[Value]) -> str:
    if field.type == "checkbox":
        return "yes" if values and values[0].get("value") else "no"
    if field.type == "date" and values:
        return _day(values[0]["value"])
    return shown(values)


def _day(seconds: Any) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()


def shown(values: list[Value]) -> str:
    return ", ".join(str(one.get("value", "")) for one in values)


def is_currency(field: Field) -> bool:
    return "currency" in f"{field.code} {field.name}".lower()


def currency_of(account: Account, deal: Deal) -> str:
    """The deal's own currency, where a field says one."""
    for field in account.fields_of("leads"):
        if is_currency(field) and deal.fields.get(field.id):
            return shown(deal.fields[field.id])
    return ""


def chips(account: Account, deal: Deal) -> list[Row]:
    """A few filled fields for the card; the currency stands beside the amount already."""
    found = [
        {"name": field.name, "value": _read(field, deal.fields[field.id])}
        for field in account.fields_of("leads")
        if deal.fields.get(field.id) and not field.is_api_only and not is_currency(field)
    ]
    return [chip for chip in found if len(chip["value"]) <= SHORT][:CHIPS]


def invoice_on(account: Account, deal: Deal) -> Row | None:
    """What Billhook wrote on the deal, by its fields' codes; None where nothing stands there."""
    written = {
        (account.fields[key].code or "").removeprefix("BILLHOOK_").lower(): values[0]
        for key, values in deal.fields.items()
        if values and (account.fields[key].code or "").startswith("BILLHOOK_")
    }
    if not written:
        return None
    status = written.get("status", {})
    word = str(status.get("value", ""))
    return {
        "number": str(written.get("number", {}).get("value", "")),
        "amount": str(written.get("amount", {}).get("value", "")),
        "link": str(written.get("link", {}).get("value", "")),
        "status": word,
        "tone": str(status.get("enum_code") or word).lower(),
    }


def mail_of(account: Account, contact: Contact) -> str:
    value = account.value_of(contact, "contacts", "EMAIL")
    return "" if value is None else str(value)
