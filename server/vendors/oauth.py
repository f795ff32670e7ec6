"""What the vendors' OAuth have in common: our app, the token reply, a call with a token.

Who keeps tokens and who may refresh them is the store's business; a vendor only asks its holder.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from server.core.errors import Certainty, Outcome, Reconnect, TryLater
from server.core.messages import N_
from server.core.said import say
from server.core.tokens import TokenHolder
from server.vendors.http import VENDOR_NAMES, Reply, down, throttled

NOT_ACCEPTED = N_("%(vendor)s no longer accepts our access.")


@dataclass(frozen=True)
class OAuthApp:
    """Our registration at one vendor. ``redirect_uri`` must equal the saved one exactly."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


def with_token(
    vendor: str,
    tokens: TokenHolder,
    send: Callable[[str], Reply],
    *,
    stale: Callable[[Reply], bool],
) -> Reply:
    """Sends with the current token, and once more with a newer one where the reply is ``stale``.

    ``send`` gets the access token. Sending again is safe even for a create: 401 means that nothing
    was done. Raises Reconnect when the newer token is answered 401 as well.
    """
    token = tokens.current()
    reply = send(token.access)
    if stale(reply):
        reply = send(tokens.refreshed(token).access)
        if reply.status == 401:
            raise Reconnect(vendor, say(NOT_ACCEPTED, vendor=VENDOR_NAMES[vendor]))
    return reply


def token_body(vendor: str, reply: Reply) -> dict[str, Any]:
    """The token endpoint's answer. Raises Reconnect when the code or refresh token is dead,
    TryLater when that is not known, or when the fault is the server's own configuration.
    """
    body = json_object(reply)
    if reply.status == 200 and body and body.get("access_token") and body.get("refresh_token"):
        return body
    raise _refused(vendor, reply, body)


def json_object(reply: Reply) -> dict[str, Any] | None:
    """The body where it is a JSON object, whatever the status."""
    try:
        body = reply.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refused(vendor: str, reply: Reply, body: dict[str, Any] | None) -> Outcome:
    name = VENDOR_NAMES[vendor]
    if reply.status == 429:
        return throttled(vendor, reply)
    if body and body.get("error") in ("invalid_client", "unauthorized_client"):
        unknown = say("%(vendor)s does not know this server's client id and secret.", vendor=name)
        return forbidden(vendor, unknown)
    if reply.status == 403:  # Kommo's block of our address answers so, in HTML, here as well
        return forbidden(vendor, say("%(vendor)s refuses this server.", vendor=name))
    if reply.status == 404 or (body and reply.status in (400, 401)):
        return Reconnect(vendor, say(NOT_ACCEPTED, vendor=name))
    answered = N_("%(vendor)s answered a token request with %(status)s.")
    return down(vendor, answered, status=reply.status)


def forbidden(vendor: str, sentence: str, *, certainty: Certainty = Certainty.REFUSED) -> TryLater:
    """The account or the server may not do this now; it resumes by itself when it may."""
    return TryLater(f"{vendor}:forbidden", sentence, certainty=certainty)
