"""Ids, and the keys by which one thing is recognised as the same again."""

import base64
import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import Any, NewType

from server.core.errors import Problem

AccountId = NewType("AccountId", int)  # our tenant
ConnectionId = NewType("ConnectionId", int)
JobId = NewType("JobId", int)
DocumentId = NewType("DocumentId", int)
AttemptId = NewType("AttemptId", int)
EventId = NewType("EventId", int)
DealId = NewType("DealId", int)  # Kommo's lead id
ClientId = NewType("ClientId", int)  # FreshBooks' client id
InvoiceId = NewType("InvoiceId", int)  # FreshBooks' invoice id

REFERENCE_PREFIX = "BH"
_REFERENCE_LENGTH = 10  # 50 bits: a clash within one business is out of reach, a number stays short


def reference(home: str, source: str, source_id: str, purpose: str, sequence: int) -> str:
    """Our mark on what we make upstream: ``BH`` and 10 base32 characters.

    ``home`` is the vendor's own id of where the sale lives ("kommo:7039099"), never a local id,
    so that a reinstalled Billhook finds what an earlier one made.
    """
    text = "\x1f".join((home, source, source_id, purpose, str(sequence)))
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()
    return REFERENCE_PREFIX + digest[:_REFERENCE_LENGTH]


def digest(value: Any) -> str:
    """SHA-256 over a canonical JSON form: equal content, equal digest."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def folded(text: str) -> str:
    """How e-mails and VAT ids are compared: no outer space, casefolded, one spelling of accents.

    Unicode's canonical caseless matching: decomposed before the folding, composed at the end.
    """
    loose = unicodedata.normalize("NFD", text.strip()).casefold()
    return unicodedata.normalize("NFC", loose)


def client_key(
    *, email: str = "", vat_id: str = "", company_id: str = "", contact_id: str = ""
) -> str:
    """By what a client is recognised: e-mail, else VAT id, else the vendor's own id."""
    if email:
        return f"email:{folded(email)}"
    if vat_id:
        return f"vat:{''.join(letter for letter in folded(vat_id) if letter.isalnum())}"
    if company_id:
        return f"company:{company_id}"
    if contact_id:
        return f"contact:{contact_id}"
    raise ValueError("a client without any mark would be everybody's")


def problems_fingerprint(problems: Sequence[Problem]) -> str:
    """The same problems give the same task once, whatever their order."""
    return digest(sorted((p.field, p.reason) for p in problems))[:16]
