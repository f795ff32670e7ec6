"""Which invoices are meant: asked of FreshBooks, and checked on every row that comes back.

FreshBooks ignores a search key that it does not know and returns everything, so only keys that were
seen to be honoured are sent, and none is trusted. Source: reference freshbooks §2.3.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from server.vendors.freshbooks.read import EASTERN, Invoice, VisState


@dataclass(frozen=True)
class InvoiceSearch:
    """All that is given must hold. ``dates``: first and last create date, both included.

    ``since``: changed on that day or later, by New York's days, as FreshBooks counts.
    """

    number: str | None = None
    customer_id: int | None = None
    dates: tuple[date, date] | None = None
    since: date | None = None
    deleted: bool = False

    def params(self) -> list[tuple[str, str | int]]:
        asked: list[tuple[str, str | int]] = []
        if self.number is not None:
            asked.append(("search[invoice_number]", self.number))
        if self.customer_id is not None:
            asked.append(("search[customerid]", self.customer_id))
        if self.dates:
            # Whether date_max includes its day is unknown: one more is asked for.
            after = self.dates[1] + timedelta(days=1)
            asked += [
                ("search[date_min]", self.dates[0].isoformat()),
                ("search[date_max]", after.isoformat()),
            ]
        if self.since:
            asked.append(("search[updated_min]", self.since.isoformat()))
        if self.deleted:
            asked.append(("search[vis_state]", int(VisState.DELETED)))
        return asked

    def matches(self, invoice: Invoice) -> bool:
        return (
            (self.number is None or invoice.number == self.number)
            and (self.customer_id is None or invoice.customer_id == self.customer_id)
            and (self.dates is None or self.dates[0] <= invoice.create_date <= self.dates[1])
            and (self.since is None or _changed_since(invoice, self.since))
            and (invoice.vis_state == VisState.DELETED) == self.deleted
        )


def eastern_day(moment: date | datetime | None) -> date | None:
    """The day that it is in New York; a plain date is taken as it is."""
    return moment.astimezone(EASTERN).date() if isinstance(moment, datetime) else moment


def _changed_since(invoice: Invoice, since: date) -> bool:
    return invoice.updated is None or invoice.updated.astimezone(EASTERN).date() >= since
