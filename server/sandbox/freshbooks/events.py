"""What the callbacks can be told: names, who gets them, and the signed form post (reference §6)."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import urlencode

from server.sandbox.delivery import ONCE, Policy
from server.sandbox.freshbooks.state import Books, Row

VERBS = ("create", "update", "delete")
_NOUNS = """bill bill_vendor category client credit_note estimate expense invoice item payment
project recurring service tax time_entry"""
NOUNS = _NOUNS.split()
MAILED = ("estimate.sendByEmail", "invoice.sendByEmail")
KNOWN = frozenset([*NOUNS, *(f"{noun}.{verb}" for noun in NOUNS for verb in VERBS), *MAILED])

#: Retries are undocumented: a switch; three more tries make late posts and duplicates.
WAITS = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
POLICY = Policy(
    timeout=10.0,
    taken=lambda status: 200 <= status < 300,
    again=lambda attempts, status: WAITS[attempts - 1] if attempts <= len(WAITS) else None,
)


def signature(fields: dict[str, str], verifier: str) -> str:
    """HMAC-SHA256 over Python's json.dumps of the fields in wire order, values as strings."""
    message = json.dumps({key: str(value) for key, value in fields.items()})
    digest = hmac.new(verifier.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def fire(books: Books, event: str, object_id: int, *, by_api: bool = False) -> None:
    """Tell each verified callback that subscribed to the event or to its bare noun."""
    if by_api and not books.switches.own_writes_fire:
        return
    noun = event.partition(".")[0]
    for callback in list(books.callbacks.values()):
        if callback["verified"] and callback["event"] in (event, noun):
            fields = {"name": event, "object_id": str(object_id)} | _who(books)
            _post(books, callback, fields)


def shake_hands(books: Books, callback: Row) -> None:
    """The verification post: it carries the verifier, which is also the signing secret."""
    about = {"object_id": str(callback["id"]), "account_id": books.account_id}
    verifier = {"verifier": callback["verifier"]}
    if books.switches.handshake_fields == "2020":
        host = {"system": f"https://{books.account_id.lower()}.freshbooks.com"}
        fields = {"user_id": "1", "name": "callback.verify"} | verifier | about | host
    else:
        fields = {"name": "callback.verify"} | about | _who(books) | verifier
    _post(books, callback, fields)


def _who(books: Books) -> dict[str, str]:
    """The acting staff user, never the client."""
    return {
        "account_id": books.account_id,
        "business_id": str(books.business_id),
        "identity_id": str(books.owner.id),
        "user_id": "1",
    }


def _post(books: Books, callback: Row, fields: dict[str, str]) -> None:
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-FreshBooks-Hmac-SHA256": signature(fields, callback["verifier"]),
        "User-Agent": "FreshBooks Event Delivery",
    }
    books.env.deliveries.queue(
        "freshbooks",
        callback["uri"],
        urlencode(fields).encode(),
        headers,
        policy=POLICY if books.switches.callbacks_retry else ONCE,
        label=fields["name"],
    )
