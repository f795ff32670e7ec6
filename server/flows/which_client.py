"""Which client of FreshBooks an invoice would go to, and why; nothing is made, nothing kept.

The same looking as a job's (``client_match``); only the words are more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from server.core.invoice import DraftClient
from server.core.keys import digest
from server.core.said import joined, say
from server.flows.attempt import unsettled
from server.flows.client_match import ACTIVE, chosen, matching
from server.flows.glance import Glance
from server.store import ledger
from server.store.ledger import ClientLinkRow, Key
from server.vendors.freshbooks.client import FoundClient
from server.vendors.freshbooks.read import VisState

Kind = Literal["remembered", "matched", "several", "new", "being_made", "unknown"]

_BY = {"email": say("e-mail"), "vat": say("VAT number"), "company": say("the company's name")}
_ARCHIVED = say("It is archived in FreshBooks, which may refuse the invoice: restore it there.")


@dataclass(frozen=True)
class ClientChoice:
    """``sentence`` says who and why; ``client_id`` is "" for one that is to be made or unknown."""

    kind: Kind
    sentence: str
    client_id: str = ""
    name: str = ""


def which_client(glance: Glance, client: DraftClient) -> ClientChoice:
    """Raises the outcomes."""
    home = f"freshbooks:{glance.freshbooks_connection.external_id}"
    with glance.world.database.read() as session:
        known = ledger.linked_client(session, home, client.key)
        key = Key(glance.account_id, "client", digest(client.key), "client")
        document = ledger.look(session, key)
        attempt = ledger.last_attempt(session, document.id) if document else None
    gone: list[str] = []
    if known is not None:
        if remembered := _remembered(glance, known):
            return remembered
        lost = say(
            "The client %(id)s that was used before is gone in FreshBooks.", id=known.upstream_id
        )
        gone.append(lost)
    found = matching(glance.freshbooks, client)
    best = chosen(found)
    if best is not None:
        return _matched(found, best, client, gone)
    if known is None and attempt is not None and unsettled(attempt):
        sentence = say("Another deal is making this client now; it will be used for this one too.")
        return ClientChoice("being_made", sentence)
    who = joined((part for part in (_draft_name(client), client.email) if part), ", ")
    told = joined([*gone, say("%(who)s will be created.", who=who)])
    return ClientChoice("new", told, name=_draft_name(client))


def _remembered(glance: Glance, known: ClientLinkRow) -> ClientChoice | None:
    """None: it is gone upstream, where a job would match once again."""
    row = glance.freshbooks.client(int(known.upstream_id))
    if row is None or row.vis_state == VisState.DELETED:
        return None
    said: list[str] = [say("%(who)s, remembered from an earlier invoice.", who=_shown(row))]
    return ClientChoice("remembered", _with_state(said, row), str(row.id), _name(row))


def _matched(
    found: Sequence[FoundClient], best: FoundClient, client: DraftClient, gone: list[str]
) -> ClientChoice:
    kind = client.key.partition(":")[0]
    by = _BY.get(kind) or (_BY["email"] if client.email else _BY["company"])
    if len(found) == 1:
        by_it = [*gone, say("%(who)s, matched by %(what)s.", who=_shown(best), what=by)]
        return ClientChoice("matched", _with_state(by_it, best), str(best.id), _name(best))
    several = say(
        "%(count)s clients match by %(what)s; the oldest is used: %(who)s.",
        count=len(found),
        what=by,
        who=_shown(best),
    )
    return ClientChoice("several", _with_state([*gone, several], best), str(best.id), _name(best))


def _with_state(said: list[str], row: FoundClient) -> str:
    return joined(said if row.vis_state == ACTIVE else [*said, _ARCHIVED])


def _shown(row: FoundClient) -> str:
    return joined([_name(row), f"({row.id})"])


def _name(row: FoundClient) -> str:
    return row.organization or row.name or row.email or say("A client without a name")


def _draft_name(client: DraftClient) -> str:
    person = f"{client.first_name} {client.last_name}".strip()
    return client.organization or person or client.vat_name or client.email or say("A new client")
