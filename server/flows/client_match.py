"""Which of the clients at FreshBooks is the draft's: looking alone, nothing is made or kept.

FreshBooks takes twins without a word, so every row of a search is compared here; archived counts
as found, deleted does not. A job and the preview look by the same functions.
"""

from collections.abc import Sequence

from server.core.invoice import DraftClient
from server.core.keys import folded
from server.vendors.freshbooks.client import FoundClient, FreshbooksClient

ACTIVE, DELETED = 0, 1  # FreshBooks' vis_state; 2 is archived, and as good as active here


def matching(books: FreshbooksClient, client: DraftClient) -> list[FoundClient]:
    """Everyone who is this client by its key. Raises the outcomes."""
    rows: list[FoundClient] = []
    if client.email:
        rows += books.find_clients(email=client.email)
    by_firm = client.key.startswith(("company:", "vat:")) or not client.email
    if client.organization and by_firm:
        rows += books.find_clients(organization=client.organization)
    same = {row.id: row for row in rows if row.vis_state != DELETED and _is(row, client)}
    return list(same.values())


def chosen(found: Sequence[FoundClient]) -> FoundClient | None:
    """The client that is there already: the lowest active id, else the lowest archived one."""
    return min(found, key=lambda row: (row.vis_state != ACTIVE, row.id), default=None)


def _is(row: FoundClient, client: DraftClient) -> bool:
    """By what the key names; an id of Kommo's says nothing there, so by name or e-mail then."""
    match client.key.partition(":")[0]:
        case "email":
            return folded(row.email) == folded(client.email)
        case "vat":
            return _squeezed(row.vat_number) == _squeezed(client.vat_number)
        case "company":
            return folded(row.organization) == folded(client.organization)
        case _ if client.email:
            return folded(row.email) == folded(client.email)
        case _:
            return folded(row.organization) == folded(client.organization)


def _squeezed(vat_number: str) -> str:
    return folded(vat_number).replace(" ", "")
