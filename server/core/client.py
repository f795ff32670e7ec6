"""Whom an invoice is for: the sale's contact and company, as the mapping sees them."""

import re

from server.core import settings_model as settings
from server.core.invoice import DraftClient
from server.core.keys import client_key
from server.core.said import say
from server.core.sources import Reader

# Enough to catch what a mail server would: a person corrects the rest.
_E_MAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s.,;<>()\"]+")
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_TEXTS = (
    "organization",
    "first_name",
    "last_name",
    "street",
    "street2",
    "city",
    "province",
    "postal_code",
    "country",
    "vat_name",
    "vat_number",
)


def draft_client(reader: Reader, mapped: settings.Client, action: str) -> DraftClient:
    """The client; what is wrong goes to the reader's problems, and then the key may be empty.

    ``action`` "email" wants an e-mail by whatever clients are matched.
    """
    party = reader.sale.party
    if party.contact_id is None and party.company_id is None:
        if not reader.problems.about("contact", "company"):
            reader.problems.add(
                "client",
                say("The deal has no contact and no company."),
                say("Add one to the deal in %(where)s.", where=reader.sale.source_name),
            )
        return DraftClient("")
    texts = {name: reader.line_of_text(f"client.{name}", getattr(mapped, name)) for name in _TEXTS}
    email = read_email(reader, mapped.email)
    needed = "email" in (action, mapped.match_by)
    if needed and not email and not reader.problems.about("client.email"):
        reader.problems.add("client.email", *_no_email(reader, mapped))
    return DraftClient(
        key=_key(reader, mapped, email, texts["vat_number"]),
        email=email,
        phone=reader.first_text("client.phone", mapped.phone),
        language=language(reader, "client.language", mapped.language),
        **texts,
    )


def language(reader: Reader, path: str, source: settings.Source | None) -> str:
    """A two-letter code, as text or as the code of a select's choice ("English", en); or "" with a
    problem noted when it is anything else."""
    value = reader.first(path, source)
    if value is None:
        return ""
    for spelling in (value.text, value.enum_code or ""):
        if _LANGUAGE.fullmatch(spelling.strip().lower()):
            return spelling.strip().lower()
    reader.problems.add(
        path,
        say("“%(value)s” is no language code.", value=value.text),
        say("Use two letters, like en or pt."),
    )
    return ""


def read_email(reader: Reader, source: settings.Source | None) -> str:
    """The address; "" where there is none, or where it is none and that is noted."""
    email = reader.first_text("client.email", source)
    if not email or _E_MAIL.fullmatch(email):
        return email
    reader.problems.add(
        "client.email",
        say("“%(value)s” is not an e-mail address.", value=email),
        say("Correct it in %(where)s.", where=reader.sale.source_name),
    )
    return ""


def _no_email(reader: Reader, mapped: settings.Client) -> tuple[str, str]:
    if mapped.email is None:
        return (
            say("No field is chosen for the client's e-mail."),
            say("Choose one in Billhook's settings."),
        )
    of_company = reader.sale.party.contact_id is None
    reason = say("The company has no e-mail.") if of_company else say("The contact has no e-mail.")
    return reason, say("Add one in %(where)s.", where=reader.sale.source_name)


def _key(reader: Reader, mapped: settings.Client, email: str, vat_number: str) -> str:
    party, where = reader.sale.party, reader.sale.source_name
    if mapped.match_by == "email":
        return client_key(email=email) if email else ""  # its absence is noted already
    if mapped.match_by == "vat":
        if any(letter.isalnum() for letter in vat_number):
            return client_key(vat_id=vat_number)
        reason = say("The client has no VAT number, and clients are matched by it.")
        todo = say("Fill it in in %(where)s.", where=where)
        reader.problems.add("client.vat_number", reason, todo)
        return ""
    if mapped.match_by == "company":
        if party.company_id is not None:
            return client_key(company_id=str(party.company_id))
        reason = say("The deal has no company, and clients are matched by it.")
        todo = say("Add the company in %(where)s.", where=where)
        reader.problems.add("client.match_by", reason, todo)
        return ""
    if party.contact_id is not None:
        return client_key(contact_id=str(party.contact_id))
    reason = say("The deal has no contact, and clients are matched by it.")
    todo = say("Add the contact in %(where)s.", where=where)
    reader.problems.add("client.match_by", reason, todo)
    return ""
