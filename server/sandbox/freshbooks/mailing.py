"""E-mail to clients: recorded, never sent, and never the same twice by itself (reference §3.5)."""

from typing import Any

from server.sandbox.freshbooks import checks
from server.sandbox.freshbooks.errors import invalid
from server.sandbox.freshbooks.state import Books, Mail, Row


def mail_invoice(books: Books, row: Row, body: Row) -> Mail:
    """Each call mails again: ``action_email`` is not idempotent."""
    custom = body.get("invoice_customized_email") or {}
    if not isinstance(custom, dict):
        raise invalid(1004, "must be an object.", "invoice_customized_email", obj="invoice")
    subject = custom.get("subject") or body.get("email_subject")
    mail = Mail(
        id=books.env.next_id("mail"),
        invoice_id=row["id"],
        recipients=_recipients(books, row, body.get("email_recipients")),
        subject=str(subject or f"{books.name} sent you an invoice ({row['invoice_number']})"),
        body=str(custom.get("body") or body.get("email_body") or ""),
        with_pdf=bool(body.get("email_include_pdf")),
        at=books.now,
    )
    books.mails[mail.id] = mail
    return mail


def _recipients(books: Books, row: Row, asked: Any) -> tuple[str, ...]:
    """Who is named, else the client's own address."""
    if asked in (None, []):
        own = books.clients[row["customerid"]]["email"]
        if not own:
            message = "'email_recipients' is a required field"
            raise invalid(1001, message, "email_recipients", obj="invoice")
        return (own,)
    if not isinstance(asked, list):
        raise invalid(1004, "must be a list.", "email_recipients", asked, "invoice")
    try:
        return tuple(checks.email(address) for address in asked)
    except checks.Bad as bad:
        raise invalid(bad.errno, str(bad), "email_recipients", asked, "invoice") from None
