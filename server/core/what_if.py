"""What a rule would have billed, summed up deal by deal; and what not, grouped by the reason.

Each deal is judged in the stage that it entered, as it would have been at that moment, but with
the fields that it has today: nobody keeps yesterday's.
"""

from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from server.core.errors import CannotBill
from server.core.mapping import draft
from server.core.rules import Entry, LeftOut, StageOrder, decide
from server.core.said import from_json, say, to_json
from server.core.sale import Place, Sale
from server.core.settings_model import Mapping, Rule

Kind = Literal["rule", "problem", "billed", "deleted", "later"]

FIRST = 100  # deals that are named with their amounts
NAMED = 20  # deals that each reason names
REASONS = 50  # what is beyond them stands together
_EVER = datetime.min.replace(tzinfo=UTC)
_REST = say("Other reasons.")


@dataclass(frozen=True)
class WouldBill:
    """``amount`` is the invoice's total, in major units."""

    deal_id: int
    name: str
    amount: Decimal
    currency: str
    entered_at: datetime


@dataclass
class Group:
    """Deals that share a reason; ``deals`` are the first of them, (id, name)."""

    kind: Kind
    reason: str
    count: int = 0
    deals: list[tuple[int, str]] = field(default_factory=list)

    def add(self, deal_id: int, name: str) -> None:
        self.count += 1
        if len(self.deals) < NAMED:
            self.deals.append((deal_id, name))


@dataclass
class Tally:
    """``deals`` = ``count`` + what the groups hold. ``sums``: currency to the invoices' sum.

    ``afterwards`` groups deals that are among the billed: they were lost or moved back since.
    """

    deals: int = 0
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    first: list[WouldBill] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    afterwards: list[Group] = field(default_factory=list)

    def leave(self, kind: Kind, reason: str, deal_id: int, name: str = "") -> None:
        """This deal would not have been billed."""
        self.deals += 1
        _add(self.groups, kind, reason, (deal_id, name))

    def take(
        self, sale: Sale, entered: Entry, rule: Rule, mapping: Mapping, stages: StageOrder
    ) -> None:
        """Judge this deal."""
        deal = (int(sale.source_id), sale.title)
        place = Place(entered.pipeline_id, entered.stage_id)
        then = _decided(replace(sale, place=place), entered, rule, stages)
        if isinstance(then, LeftOut):
            self.leave("rule", then.reason, *deal)
            return
        try:
            invoice = draft(sale, mapping, action=rule.action, today=entered.at.date())
        except CannotBill as refused:
            self.leave("problem", refused.problems[0].sentence, *deal)
            return
        self.deals += 1
        self.count += 1
        total = invoice.total
        self.sums[total.currency] = self.sums.get(total.currency, Decimal(0)) + total.amount
        if len(self.first) < FIRST:
            self.first.append(WouldBill(*deal, total.amount, total.currency, entered.at))
        now = _decided(sale, entered, rule.model_copy(update={"still_in_stage": False}), stages)
        if isinstance(now, LeftOut):
            _add(self.afterwards, "later", now.reason, deal)

    def to_json(self) -> dict[str, Any]:
        body = asdict(self)
        body["sums"] = {currency: str(total) for currency, total in self.sums.items()}
        body["first"] = [
            {**asdict(one), "amount": str(one.amount), "entered_at": one.entered_at.isoformat()}
            for one in self.first
        ]
        for name in ("groups", "afterwards"):
            for group, row in zip(getattr(self, name), body[name], strict=True):
                row["said"] = to_json(group.reason)
        return body

    @classmethod
    def from_json(cls, body: AnyMapping[str, Any]) -> "Tally":
        return cls(
            deals=body["deals"],
            count=body["count"],
            sums={currency: Decimal(total) for currency, total in body["sums"].items()},
            first=[
                WouldBill(
                    **{
                        **row,
                        "amount": Decimal(row["amount"]),
                        "entered_at": datetime.fromisoformat(row["entered_at"]),
                    }
                )
                for row in body["first"]
            ],
            groups=[_group(row) for row in body["groups"]],
            afterwards=[_group(row) for row in body["afterwards"]],
        )


def _decided(sale: Sale, entered: Entry, rule: Rule, stages: StageOrder) -> object:
    return decide(sale, [rule], [entered], {rule.slug: _EVER}, stages=stages)


def _add(groups: list[Group], kind: Kind, reason: str, deal: tuple[int, str]) -> None:
    found = next((one for one in groups if (one.kind, one.reason) == (kind, reason)), None)
    if found is None and len(groups) >= REASONS:
        found = next((one for one in groups if one.reason == _REST), None)
        reason = _REST
    if found is None:
        found = Group(kind, reason)
        groups.append(found)
    found.add(*deal)


def _group(row: AnyMapping[str, Any]) -> Group:
    deals = [(deal_id, name) for deal_id, name in row["deals"]]
    reason = from_json(row.get("said", row["reason"]))
    return Group(row["kind"], reason, row["count"], deals)
