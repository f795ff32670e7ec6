"""What a person does in FreshBooks' own pages; each act fires callbacks as FreshBooks would."""

from decimal import Decimal
from typing import Any

from server.sandbox.freshbooks import catalog, clients, credit_notes, invoices, payments
from server.sandbox.freshbooks.events import fire
from server.sandbox.freshbooks.invoice_view import shown
from server.sandbox.freshbooks.state import Books, Row

Amount = Decimal | str | int


class Business(Books):
    """The books with a user at the desk. All acts return the row and take FreshBooks' names."""

    def add_client(self, **fields: Any) -> Row:
        """``email=``, ``fname=``, ``organization=``, …"""
        with self.env.lock:
            row = clients.create(self, fields)
            fire(self, "client.create", row["id"])
            return row

    def edit_client(self, client_id: int, **fields: Any) -> Row:
        with self.env.lock:
            row = self.clients[client_id]
            self._fire_all(clients.update(self, row, fields), client_id)
            return row

    def delete_client(self, client_id: int) -> Row:
        """No cascade: the client's invoices stay."""
        return self.edit_client(client_id, vis_state=1)

    def archive_client(self, client_id: int) -> Row:
        return self.edit_client(client_id, vis_state=2)

    def add_invoice(self, client_id: int, lines: list[Row], **fields: Any) -> Row:
        """A draft; ``lines`` as in the API's body."""
        with self.env.lock:
            body = {"customerid": client_id, "create_date": self.today.isoformat(), "lines": lines}
            row = invoices.create(self, body | fields)
            fire(self, "invoice.create", row["id"])
            return row

    def edit_invoice(self, invoice_id: int, **fields: Any) -> Row:
        with self.env.lock:
            row = self.invoices[invoice_id]
            self._fire_all(invoices.update(self, row, fields), invoice_id)
            return row

    def mark_sent(self, invoice_id: int) -> Row:
        return self.edit_invoice(invoice_id, action_mark_as_sent=True)

    def email_invoice(self, invoice_id: int, *recipients: str) -> Row:
        return self.edit_invoice(
            invoice_id, action_email=True, email_recipients=list(recipients) or None
        )

    def delete_invoice(self, invoice_id: int) -> Row:
        """No cascade: its payments stay."""
        return self.edit_invoice(invoice_id, vis_state=1)

    def archive_invoice(self, invoice_id: int) -> Row:
        return self.edit_invoice(invoice_id, vis_state=2)

    def view(self, invoice_id: int) -> Row:
        """The client opens the invoice: sent becomes viewed; there is no event for it."""
        with self.env.lock:
            row = self.invoices[invoice_id]
            if row["status"] == 2:
                row["status"] = 3
                self.touch(self.invoices, row)
                if self.switches.view_fires_update:
                    fire(self, "invoice.update", invoice_id)
            return row

    def pay(
        self,
        invoice_id: int,
        amount: Amount,
        type: str = "Cash",
        *,
        date: str | None = None,
        note: str = "",
    ) -> Row:
        """Book a payment in the invoice's currency, today unless ``date`` is given."""
        with self.env.lock:
            body = {
                "invoiceid": invoice_id,
                "amount": {"amount": str(amount)},
                "date": date or self.today.isoformat(),
                "type": type,
                "note": note,
            }
            row = payments.create(self, body)
            self._fire_payment("payment.create", row)
            return row

    def delete_payment(self, payment_id: int) -> Row:
        with self.env.lock:
            row = self.payments[payment_id]
            payments.update(self, row, {"vis_state": 1})
            self._fire_payment("payment.delete", row)
            return row

    def add_credit_note(self, client_id: int, lines: list[Row], **fields: Any) -> Row:
        with self.env.lock:
            body = {"clientid": client_id, "lines": lines}
            row = credit_notes.create(self, body | fields)
            fire(self, "credit_note.create", row["id"])
            return row

    def add_tax(self, name: str, percent: Amount, number: str = "") -> Row:
        with self.env.lock:
            body = {"name": name, "amount": str(percent), "number": number}
            row = catalog.create_tax(self, body)
            fire(self, "tax.create", row["id"])
            return row

    def invoice_view(self, invoice_id: int, *includes: str) -> Row:
        """The invoice as the API prints it now, its status computed by the clock."""
        with self.env.lock:
            return shown(self, self.invoices[invoice_id], frozenset(includes))

    def _fire_all(self, events: list[str], object_id: int) -> None:
        for event in events:
            fire(self, event, object_id)

    def _fire_payment(self, event: str, row: Row) -> None:
        fire(self, event, row["id"])
        if self.switches.payment_fires_invoice_update:
            fire(self, "invoice.update", row["invoiceid"])
