"""What FreshBooks offers one business, each in one call or one walk over pages.

Every method raises the outcomes of ``core.errors``: TryLater, Reconnect; for a refusal CannotBill
(``field`` is the mapping's key, "client" for the customer) or AlreadyThere (a taken number).
A create of unknown outcome is TryLater with certainty UNCERTAIN: FreshBooks has no idempotency
key, so it is looked up and never simply sent again. Source: reference freshbooks §2-§4, §6.1.
"""

from collections.abc import Sequence
from datetime import date, datetime
from urllib.parse import quote

from server.core.errors import AlreadyThere, NotOurs
from server.core.invoice import DraftClient
from server.core.keys import folded
from server.core.said import say
from server.core.tokens import TokenHolder
from server.vendors.freshbooks import read
from server.vendors.freshbooks.api import FreshbooksApi
from server.vendors.freshbooks.read import (
    Callback,
    FoundClient,
    Identity,
    Invoice,
    Row,
    VisState,
)
from server.vendors.freshbooks.search import InvoiceSearch, eastern_day
from server.vendors.freshbooks.write import client_payload
from server.vendors.http import Caller

__all__ = ["Callback", "FoundClient", "FreshbooksClient", "Identity", "Invoice"]

# Lines are absent unless asked for, from a create too (§2.3).
_WITH_LINES: list[tuple[str, str | int]] = [("include[]", "lines")]


class FreshbooksClient:
    """``account_id`` is the short text id that stands in accounting paths ("aBc12D")."""

    def __init__(self, api_url: str, account_id: str, tokens: TokenHolder, caller: Caller) -> None:
        self._api = FreshbooksApi(api_url, tokens, caller)
        account = quote(account_id, safe="")
        self._clients = f"/accounting/account/{account}/users/clients"
        self._invoices = f"/accounting/account/{account}/invoices/invoices"
        self._callbacks = f"/events/account/{account}/events/callbacks"

    def me(self) -> Identity:
        """Who connected, and the businesses of theirs. Needs no account id."""
        return self._api.read(read.read_identity, self._api.result("GET", "/auth/api/v1/users/me"))

    def find_clients(self, *, email: str = "", organization: str = "") -> list[FoundClient]:
        """Active and archived clients of this e-mail (else: organization), lowest id first.

        Whether FreshBooks' searches mind case is unknown: it is asked as typed and by a likeness,
        and every row is compared as ``keys.folded`` does.
        """
        wanted = folded(email or organization)
        if not wanted:
            return []
        searches: list[tuple[str, str]] = [("search[organization_like]", organization)]
        if email:
            searches = [("search[email]", email), ("search[email_like]", wanted)]
        found: dict[int, FoundClient] = {}
        for search in searches:
            rows = self._api.rows(self._clients, "clients", [search])
            for client in self._api.read(
                lambda rows: [read.read_client(row) for row in rows], rows
            ):
                has = client.email if email else client.organization
                if folded(has) == wanted and client.vis_state != VisState.DELETED:
                    found[client.id] = client
        return [found[client_id] for client_id in sorted(found)]

    def find_people(self, first_name: str, last_name: str) -> list[FoundClient]:
        """Clients who are this name and nothing else, neither e-mail nor organization; lowest id
        first. Deleted ones are left out.
        """
        searches = [("search[lname_like]", last_name), ("search[fname_like]", first_name)]
        search = next((one for one in searches if one[1]), None)
        if search is None:
            return []
        rows = self._api.rows(self._clients, "clients", [search])
        clients = self._api.read(lambda rows: [read.read_client(row) for row in rows], rows)
        wanted = folded(f"{first_name} {last_name}")
        found = [
            client
            for client in clients
            if folded(client.name) == wanted
            and not (client.email or client.organization)
            and client.vis_state != VisState.DELETED
        ]
        return sorted(found, key=lambda client: client.id)

    def client(self, client_id: int) -> FoundClient | None:
        """None where FreshBooks does not know it. A deleted one is found: look at vis_state."""
        result = self._api.find("GET", f"{self._clients}/{client_id}")
        return self._client(result) if result else None

    def create_client(self, draft: DraftClient, currency: str) -> FoundClient:
        """Never refused for a known e-mail: FreshBooks takes twins (§4)."""
        payload = client_payload(draft, currency)
        return self._client(self._api.result("POST", self._clients, json=payload))

    def create_invoice(self, payload: Row) -> Invoice:
        """Always a draft. ``payload`` is ``write.invoice_payload``'s. Raises AlreadyThere with the
        number that is taken.
        """
        try:
            result = self._api.result("POST", self._invoices, params=_WITH_LINES, json=payload)
        except AlreadyThere as taken:
            raise AlreadyThere(taken.ref or payload["invoice"].get("invoice_number", "")) from None
        return self._invoice(result)

    def invoice(self, invoice_id: int) -> Invoice:
        """Raises NotOurs where FreshBooks does not know it. A deleted one is found."""
        path = f"{self._invoices}/{invoice_id}"
        result = self._api.find("GET", path, params=_WITH_LINES)
        if result is None:
            raise NotOurs(say("FreshBooks has no invoice %(id)s.", id=invoice_id))
        return self._invoice(result)

    def find_invoices(
        self,
        *,
        number: str | None = None,
        customer_id: int | None = None,
        dates: tuple[date, date] | None = None,
        updated_since: date | datetime | None = None,
        deleted: bool = False,
    ) -> list[Invoice]:
        """Invoices for which all that is given holds, lowest id first, with their tax.

        ``dates``: first and last create date. ``updated_since`` counts by New York's days, as
        FreshBooks does. ``deleted``: only the deleted ones, else only the others. Searches that
        FreshBooks does not know are ignored by it, so each row is compared (§2.3).
        """
        search = InvoiceSearch(number, customer_id, dates, eastern_day(updated_since), deleted)
        params = [*_WITH_LINES, *search.params()]
        rows = self._api.rows(self._invoices, "invoices", params)
        found = self._api.read(lambda rows: [read.read_invoice(row) for row in rows], rows)
        return sorted(filter(search.matches, found), key=lambda invoice: invoice.id)

    def mark_sent(self, invoice_id: int) -> Invoice:
        return self._put(invoice_id, {"action_mark_as_sent": True})

    def email_invoice(
        self, invoice_id: int, recipients: Sequence[str], *, subject: str = "", body: str = ""
    ) -> Invoice:
        """Mails it, which also sends it. Each call mails again: never send it twice blindly."""
        intent: Row = {
            "action_email": True,
            "email_recipients": list(recipients),
            "email_include_pdf": False,
        }
        if subject or body:
            intent["invoice_customized_email"] = {"subject": subject, "body": body}
        return self._put(invoice_id, intent)

    def delete_invoice(self, invoice_id: int) -> None:
        """To the trash; its payments stay (§2.2)."""
        self._put(invoice_id, {"vis_state": int(VisState.DELETED)})

    def share_link(self, invoice_id: int) -> str:
        """The page that the client opens without signing in; "" where what FreshBooks tells is no
        web address. It refuses it for a draft."""
        params = [("share_method", "share_link")]
        result = self._api.result("GET", f"{self._invoices}/{invoice_id}/share_link", params=params)
        return self._api.read(
            lambda node: read.web_address(str(node["share_link"]["share_link"])), result
        )

    def callbacks(self) -> list[Callback]:
        rows = self._api.rows(self._callbacks, "callbacks")
        return self._api.read(lambda rows: [read.read_callback(row) for row in rows], rows)

    def register_callback(self, event: str, uri: str) -> Callback:
        """``event``: "invoice", "payment.create", …; FreshBooks then posts a verifier to ``uri``,
        perhaps before this answers.
        """
        payload = {"callback": {"event": event, "uri": uri}}
        return self._callback(self._api.result("POST", self._callbacks, json=payload))

    def verify_callback(self, callback_id: int, verifier: str) -> Callback:
        return self._put_callback(callback_id, {"verifier": verifier})

    def resend_verification(self, callback_id: int) -> Callback:
        return self._put_callback(callback_id, {"resend": True})

    def delete_callback(self, callback_id: int) -> None:
        self._api.delete(f"{self._callbacks}/{callback_id}")

    def _put(self, invoice_id: int, intent: Row) -> Invoice:
        """One intent a call: FreshBooks applies the first phase and drops the rest (§2.2)."""
        path = f"{self._invoices}/{invoice_id}"
        return self._invoice(
            self._api.result("PUT", path, params=_WITH_LINES, json={"invoice": intent})
        )

    def _put_callback(self, callback_id: int, intent: Row) -> Callback:
        path = f"{self._callbacks}/{callback_id}"
        return self._callback(self._api.result("PUT", path, json={"callback": intent}))

    def _invoice(self, result: Row) -> Invoice:
        return self._api.read(lambda node: read.read_invoice(node["invoice"]), result)

    def _client(self, result: Row) -> FoundClient:
        return self._api.read(lambda node: read.read_client(node["client"]), result)

    def _callback(self, result: Row) -> Callback:
        return self._api.read(lambda node: read.read_callback(node["callback"]), result)
