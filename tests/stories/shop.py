"""A shop that uses Kommo and FreshBooks: what its people do, and what they then see."""

from decimal import Decimal
from typing import Any

from server.sandbox.kommo.book.records import Deal
from server.store import ledger
from server.store.ledger import AttemptRow, DocumentRow
from tests.rig import Rig

CREATE = "POST /accounting/*/invoices/invoices"
RULE = "issue"
_REST: dict[str, Any] = {}


class Shop:
    """``rig`` connected, with one rule on the stage "Issue invoice", switched on."""

    def __init__(
        self,
        rig: Rig,
        *,
        action: str = "mark_sent",
        mapping: dict[str, Any] = _REST,
        on: bool = True,
    ) -> None:
        self.rig = rig
        self.kommo = rig.kommo
        self.pipeline = next(iter(rig.kommo.pipelines.values()))
        self.products = rig.kommo.add_catalog("Products")
        rig.settings(self.document(action, mapping))
        if on:
            rig.rule_on(RULE)
        rig.pump()

    def document(self, action: str, mapping: dict[str, Any], **rule: Any) -> dict[str, Any]:
        place = {"pipeline_id": self.pipeline.id, "stage_id": self.stage("Issue invoice")}
        return {
            "rules": [{"slug": RULE, "name": "Issue", "when": [place], "action": action, **rule}],
            "mapping": mapping,
        }

    def stage(self, name: str) -> int:
        return self.pipeline.stage(name).id

    def product(self, price: str, name: str = "Chair", **fields: Any) -> Any:
        return self.kommo.add_element(self.products, name, price=price, fields=fields)

    def contact(self, email: str | None = "ann@acme.test", name: str = "Ann Lee") -> Any:
        return self.kommo.add_contact(name, email=email)

    def deal(self, price: Any = "100.00", *, stage: str = "Talks", **more: Any) -> Deal:
        """With a contact of its own unless ``contact`` is given."""
        more.setdefault("contact", None)
        if more["contact"] is None:
            more["contact"] = self.contact()
        if more.get("products"):
            more["products"] = [(p, Decimal(q), *rest) for p, q, *rest in more["products"]]
        return self.kommo.add_deal(
            more.pop("name", "Office chairs"),
            None if price is None else Decimal(price),
            pipeline_id=self.pipeline.id,
            stage_id=self.stage(stage),
            **more,
        )

    def move(self, deal: Deal, stage: str = "Issue invoice") -> None:
        self.kommo.move_deal(deal.id, self.stage(stage))

    def issue(self, deal: Deal) -> None:
        """The manager moves the deal; hooks and jobs run."""
        self.move(deal)
        self.rig.pump()

    @property
    def invoices(self) -> list[dict[str, Any]]:
        """FreshBooks' side, the deleted ones left out."""
        return [i for i in self.rig.books.invoices.values() if i["vis_state"] == 0]

    @property
    def clients(self) -> list[dict[str, Any]]:
        return [c for c in self.rig.books.clients.values() if c["vis_state"] == 0]

    def shown(self, deal: Deal, what: str = "STATUS") -> Any:
        """What the deal's card shows of its invoice; None before there is one."""
        return self.kommo.value_of(self.kommo.deals[deal.id], "leads", f"BILLHOOK_{what}")

    def tasks(self, deal: Deal) -> list[Any]:
        return [t for t in self.kommo.tasks.values() if t.entity_id == deal.id]

    def open_tasks(self, deal: Deal) -> list[Any]:
        return [t for t in self.tasks(deal) if not t.is_completed]

    def document_of(self, deal: Deal) -> DocumentRow:
        rows: list[DocumentRow] = self.rig.in_database(
            lambda session: ledger.of_source(session, self.rig.account_id, "kommo", str(deal.id))
        )
        (document,) = [row for row in rows if row.kind == "invoice"]
        return document

    def attempts(self, deal: Deal) -> list[AttemptRow]:
        document = self.document_of(deal)
        rows: list[AttemptRow] = self.rig.in_database(
            lambda session: ledger.attempts(session, document.id)
        )
        return rows

    def job_of(self, deal: Deal) -> Any:
        """The deal's last job."""
        return [j for j in self.rig.jobs() if j.subject == f"deal:{deal.id}"][-1]
