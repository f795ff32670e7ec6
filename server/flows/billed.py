"""What of a deal is billed already, and as what the next invoice counts.

A deal has one invoice in each series; a rule that bills again on re-entry makes one for every
entering that Kommo lists, numbered as it bills them.
"""

from collections.abc import Sequence

from server.core.errors import CannotBill, Problem
from server.core.keys import DealId
from server.core.rules import Bill
from server.core.settings import Rule
from server.flows import issue
from server.flows.run import Run
from server.store import ledger, numbered, settings
from server.store.ledger import DocumentRow, Key


class Billed:
    """``done``: invoices for which nothing is left to do, or that a person decides about.
    ``problems``: what keeps others from being finished; their series wait with them."""

    def __init__(self, run: Run, deal_id: DealId, documents: Sequence[DocumentRow]) -> None:
        self._run = run
        self._deal_id = deal_id
        self.documents = documents
        self.done: list[DocumentRow] = []
        self.problems: list[Problem] = []
        self._stuck: list[DocumentRow] = []

    @classmethod
    def of(cls, run: Run, deal_id: DealId) -> "Billed":
        """What was begun is finished first. Raises the outcomes, but for CannotBill."""
        with run.world.database.read() as session:
            rows = ledger.of_source(session, run.account_id, "kommo", str(deal_id))
        billed = cls(run, deal_id, [row for row in rows if row.kind == "invoice"])
        for row in billed.documents:
            billed._resume(row)
        return billed

    def _resume(self, document: DocumentRow) -> None:
        try:
            done = issue.resume(self._run, document)
        except CannotBill as refused:
            self.refused(refused)
            self._stuck.append(document)
        else:
            self.done += [done] if done else []

    def refused(self, refused: CannotBill) -> None:
        self.problems += [one for one in refused.problems if one not in self.problems]

    def open_purposes(self, rules: Sequence[Rule]) -> list[str]:
        """Those of these rules that may still be billed, in the rules' order."""
        stuck = {row.purpose for row in self._stuck}
        closed = stuck | {row.purpose for row in self.done}
        again = {rule.purpose for rule in rules if rule.again} - stuck
        return [
            purpose
            for purpose in dict.fromkeys(rule.purpose for rule in rules)
            if purpose not in closed or purpose in again
        ]

    def key_for(self, decision: Bill) -> Key | None:
        """Of the invoice that answers this entering; None: it is made, or the deal's one is."""
        rule = decision.rule
        done = [row for row in self.done if row.purpose == rule.purpose]
        sequence = self._again(decision, done) if rule.again else self._once(rule, done)
        if sequence is None or any(row.sequence == sequence for row in done):
            return None
        return Key(self._run.account_id, "kommo", str(self._deal_id), rule.purpose, sequence)

    def _once(self, rule: Rule, done: Sequence[DocumentRow]) -> int | None:
        """What was claimed and surely not made is claimed again."""
        if done:
            return None
        claimed = [row.sequence for row in self.documents if row.purpose == rule.purpose]
        return max(claimed, default=0)

    def _again(self, decision: Bill, done: Sequence[DocumentRow]) -> int | None:
        rule, event = decision.rule, decision.entry.event
        whose = (self._run.account_id, self._deal_id, rule.purpose, event)
        with self._run.phase() as session:
            known = numbered.number_if_any(session, *whose)
            if known is not None:
                return known
            since = settings.again_since(session, self._run.account_id).get(rule.slug)
            by_it = any(row.rule_slug == rule.slug for row in done)
            # A first invoice of another rule, or of before it billed again, is the deal's one.
            if done and not (by_it and since is not None and decision.entry.at >= since):
                return None
            return numbered.number_of(session, *whose)
