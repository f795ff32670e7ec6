"""What a preview tells of a deal: the invoice or what is missing, the verdict, the client."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from server.core.errors import Problem
from server.core.invoice import InvoiceDraft
from server.core.would_bill import Verdict
from server.flows.which_client import ClientChoice
from server.vendors.freshbooks.write import ReferencePlace


@dataclass(frozen=True)
class DealFigures:
    """The deal as Kommo shows it. ``products_total`` is Σ quantity × price, None where there are no
    products or one has no price; ``read_at`` says how old the figures are."""

    deal_id: int
    name: str
    amount: Decimal | None
    products_total: Decimal | None
    products: int
    currency: str
    pipeline: str
    stage: str
    url: str
    read_at: datetime


@dataclass(frozen=True)
class Existing:
    """An invoice of this deal that stands in the ledger. ``state`` is a DocumentState's value,
    ``purpose`` says of which series it is."""

    purpose: str
    document_id: int
    number: str
    state: str
    status: str
    amount: str
    currency: str
    link: str


@dataclass(frozen=True)
class Preview:
    """``draft`` None: it cannot be billed, ``problems`` say why (or ``notices``, where the deal
    could not even be read; ``deal`` and ``verdict`` are None then). ``today`` is the date that an
    invoice made now would have; ``reference`` says where Billhook's own reference stands on it."""

    deal: DealFigures | None = None
    draft: InvoiceDraft | None = None
    problems: tuple[Problem, ...] = ()
    verdict: Verdict | None = None
    client: ClientChoice | None = None
    existing: tuple[Existing, ...] = ()
    notices: tuple[str, ...] = ()
    today: date | None = None
    reference: ReferencePlace | None = None

    @property
    def made(self) -> Existing | None:
        """The invoice that the deciding rule would make, where it was made already."""
        rule = self.verdict.rule if self.verdict else None
        if rule is None or rule.again:
            return None
        same = (one for one in self.existing if one.purpose == rule.purpose and one.number)
        return next(same, None)
