"""FreshBooks' callbacks: who sent one, and of what it speaks. It carries ids only: a hint.

Source: reference freshbooks §6.2 (handshake), §6.3 (delivery), §6.4 (signature).
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from server.vendors.inbound import BadHook

__all__ = ["SIGNATURE_HEADER", "BadHook", "FreshbooksHook", "genuine", "parse"]

SIGNATURE_HEADER = "X-FreshBooks-Hmac-SHA256"
VERIFY = "callback.verify"

MAX_BODY = 64 * 1024  # a real one has 200 bytes
_MAX_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class FreshbooksHook:
    """``name`` "invoice.update": the object ``object_id`` changed. ``callback.verify``: the
    callback ``object_id`` wants its ``verifier`` back, which is its signing secret from then on.
    """

    name: str
    object_id: int
    account_id: str
    verifier: str = field(default="", repr=False)

    @property
    def is_handshake(self) -> bool:
        return self.name == VERIFY


def parse(raw: bytes, content_type: str) -> FreshbooksHook:
    """Raises BadHook for what is too big, not a form, or lacks name, object and account."""
    kind = content_type.split(";", 1)[0].strip().lower()
    if kind != _FORM:
        raise BadHook(415, f"A callback is {_FORM}.")
    if len(raw) > MAX_BODY or raw.count(b"&") >= _MAX_FIELDS:
        raise BadHook(413, f"A callback has at most {MAX_BODY} bytes and {_MAX_FIELDS} fields.")
    try:
        fields = _fields(raw)
    except ValueError:
        raise BadHook(400, "The body is not a UTF-8 form.") from None
    name, object_id = fields.get("name", ""), fields.get("object_id", "")
    account_id = fields.get("account_id", "")
    if not (name and account_id and object_id.isascii() and object_id.isdigit()):
        raise BadHook(400, "A callback names its event, its object and its account.")
    if len(object_id) > 18 or len(name) > 100 or len(account_id) > 100:
        raise BadHook(400, "A callback's ids are short.")
    return FreshbooksHook(name, int(object_id), account_id, fields.get("verifier", ""))


def genuine(raw: bytes, header: str | None, verifier: str) -> bool:
    """Whether the body was signed with this callback's verifier; without one nothing is genuine.

    Signed is Python's ``json.dumps`` of the form's fields in their order on the wire.
    """
    if not (verifier and header) or len(raw) > MAX_BODY:
        return False
    try:
        message = json.dumps(_fields(raw)).encode()
    except ValueError:
        return False
    mac = hmac.new(verifier.encode(), message, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(mac), header.encode())


def _fields(raw: bytes) -> dict[str, str]:
    """In wire order. Raises ValueError where the body is no UTF-8."""
    return dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, errors="strict"))
