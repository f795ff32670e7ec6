"""A FreshBooks callback: believed by its signature alone, and kept.

Nothing registers callbacks yet, so no account has a verifier and every callback is refused; what
one means for an invoice comes with the registration. Source: reference freshbooks §6.
"""

from server.core.errors import NotOurs
from server.core.said import say
from server.flows.world import World
from server.store import inbox
from server.store.first_look import Hook
from server.vendors.freshbooks.hooks import SIGNATURE_HEADER, genuine, parse


def take(world: World, hook: Hook, raw: bytes, content_type: str, signature: str) -> None:
    """Keep it. Raises BadHook for what is no callback, NotOurs where it is not signed by the
    verifier of ours."""
    told = parse(raw, content_type)
    if hook.verifier_sealed is None:
        raise NotOurs("No callback is registered for this address.")
    owner = f"hook:{hook.account_id}:freshbooks"
    verifier: str = world.vault.open(owner, hook.verifier_sealed)
    if not genuine(raw, signature, verifier):
        raise NotOurs("The signature is not that of our callback.")
    with world.database.write() as session:
        inbox.keep(
            session,
            account_id=hook.account_id,
            kind="freshbooks",
            headers={"Content-Type": content_type, SIGNATURE_HEADER: signature},
            body=raw,
            subjects=[[told.name, told.object_id]],
            verdict=say("kept; nothing acts on it yet"),
            received_at=world.clock.now(),
        )
