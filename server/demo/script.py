"""The story told in the terminal: what is done in Kommo, and what comes of it.

Each act asserts what it shows; the first one that does not come true ends the story with a
sentence and exit code 1.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from server.demo.start import DemoFailed, Stage, at_rest, wait_for
from server.sandbox import Fault
from server.sandbox.seed import ISSUE_INVOICE

CREATE = "POST /accounting/*/invoices/invoices"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Teller:
    """Moves deals as a user of Kommo does, and says what the deal then shows."""

    stage: Stage
    say: Say

    def move(self, name: str) -> int:
        demo = self.stage.demo
        deal = demo.deals[name]
        self.say(f'\n> In Kommo, "{name}" is moved to "{ISSUE_INVOICE}".')
        demo.kommo.move_deal(deal.id, demo.sales.stage(ISSUE_INVOICE).id)
        return deal.id

    def shown(self, deal_id: int, code: str) -> Any:
        kommo = self.stage.demo.kommo
        try:
            return kommo.value_of(kommo.deals[deal_id], "leads", code)
        except KeyError:
            return None  # the field is not made yet

    def number(self, deal_id: int) -> str:
        """Waits until the deal shows its invoice, and tells it."""
        wait_for(lambda: bool(self.shown(deal_id, "BILLHOOK_NUMBER")), "the invoice on the deal")
        wait_for(lambda: self.shown(deal_id, "BILLHOOK_STATUS") == "Sent", "the status on the deal")
        number = str(self.shown(deal_id, "BILLHOOK_NUMBER"))
        self.say(
            f"  The deal shows invoice {number}, {self.shown(deal_id, 'BILLHOOK_AMOUNT')}, "
            f"{self.shown(deal_id, 'BILLHOOK_STATUS')}"
        )
        self.say(f"  {self.shown(deal_id, 'BILLHOOK_LINK')}")
        return number

    def task(self, deal_id: int) -> Any:
        """The deal's first task; None before there is one."""
        tasks = self.stage.demo.kommo.tasks.values()
        return next((task for task in tasks if task.entity_id == deal_id), None)

    def told(self, deal_id: int) -> None:
        """Waits until somebody is asked for help, and tells who and how."""
        wait_for(lambda: self.task(deal_id) is not None, "the task in Kommo")
        task, users = self.task(deal_id), self.stage.demo.kommo.users
        self.say(f"  Task for {users[task.responsible_user_id].name}: {task.text}")

    def invoices(self) -> list[dict[str, Any]]:
        return list(self.stage.demo.freshbooks.invoices.values())

    def made(self, number: str) -> dict[str, Any]:
        found = [i for i in self.invoices() if i["invoice_number"] == number]
        if len(found) != 1:
            raise DemoFailed(f"{len(found)} invoices have the number {number}")
        return found[0]

    def later(self, by: timedelta) -> None:
        minutes = round(by.total_seconds() / 60)
        if minutes:
            self.say(f"  ({minutes} minutes pass)")
        self.stage.sandbox.clock.advance(by)

    def expect(self, true: bool, what: str) -> None:
        if not true:
            raise DemoFailed(what)
        self.say(f"  ✓ {what}")


def tell(stage: Stage, say: Say) -> None:
    """The whole story. Raises DemoFailed."""
    teller = Teller(stage, say)
    for act in (_plain, _twice, _lost_reply, _no_email, _down):
        act(teller)
    made = teller.invoices()
    teller.expect(len(made) == 5, f"five deals, {len(made)} invoices: none lost, none twice")


def _plain(teller: Teller) -> None:
    deal_id = teller.move("Upholstery and assembly")
    invoice = teller.made(teller.number(deal_id))
    for line in invoice["lines"]:
        teller.say(
            f"    {line['name']:<36} {line['qty']} × {line['unit_cost']} = {line['amount']} "
            f"+ {line['taxAmount1']} % {line['taxName1']}"
        )
    teller.say(f"    tax {invoice['tax']}, total {invoice['amount']} {invoice['currency_code']}")
    # 2.5 × 38.40 + 2.5 × 45.00 = 208.50, and 21 % of it
    teller.expect(invoice["amount"] == Decimal("252.29"), "quantity 2.5 and VAT, to the cent")


def _twice(teller: Teller) -> None:
    teller.stage.sandbox.deliveries.duplicate_next(4)
    deal_id = teller.move("Bespoke wardrobe")
    teller.say("  Kommo sends each of its hooks twice.")
    number = teller.number(deal_id)
    teller.expect(
        len(teller.invoices()) == 2 and teller.made(number)["amount"] == Decimal("1200.75"),
        "one invoice, over 1200.75 USD",
    )


def _lost_reply(teller: Teller) -> None:
    teller.stage.sandbox.faults.add(Fault("lose_reply", CREATE, "freshbooks"))
    deal_id = teller.move("Chairs for the terrace")
    teller.say("  FreshBooks makes the invoice, but its reply is lost on the way.")
    wait_for(lambda: len(teller.invoices()) == 3, "the invoice at FreshBooks")
    teller.say("  Billhook does not know. It waits two minutes, looks, and finds its reference.")
    teller.later(timedelta(minutes=3))
    teller.number(deal_id)
    teller.expect(len(teller.invoices()) == 3, "adopted, not made again")


def _no_email(teller: Teller) -> None:
    kommo = teller.stage.demo.kommo
    deal_id = teller.move("Kitchen shelves (no e-mail)")
    teller.told(deal_id)
    contact = next(iter(kommo.deals[deal_id].contacts))
    teller.say("> The manager adds the e-mail to the contact.")
    kommo.update_contact(contact, fields={"EMAIL": "jonas@petraitis.example"})
    teller.number(deal_id)
    wait_for(lambda: teller.task(deal_id).is_completed, "the task's completion")
    teller.expect(len(teller.invoices()) == 4, "billed by itself, and the task is completed")


def _down(teller: Teller) -> None:
    faults = teller.stage.sandbox.faults
    fault = faults.add(Fault("error_before", "*", "freshbooks", times=None, status=503))
    deal_id = teller.move("Three copies and a shelf")
    teller.say(
        "  FreshBooks is down: the first try and the retries after 1, 5 and 30 minutes fail."
    )
    # Whether the first try counts hangs on which of the move's two hooks comes before it.
    for wait in (0, 3, 6, 31, 31):
        tried = _tries(teller)
        teller.later(timedelta(minutes=wait))
        wait_for(partial(_tried_since, teller, tried), "the next try")
        wait_for(partial(at_rest, teller.stage.url), "the end of the try")
        if wait == 31 and _asked(teller, deal_id):
            break
    teller.told(deal_id)
    faults.remove(fault.id)
    teller.say("> FreshBooks is back.")
    teller.later(timedelta(minutes=6))
    teller.number(deal_id)
    wait_for(lambda: teller.task(deal_id).is_completed, "the task's completion")
    teller.expect(len(teller.invoices()) == 5, "billed by itself once FreshBooks answered")


def _asked(teller: Teller, deal_id: int) -> bool:
    """The task is written a moment after the last try."""
    with suppress(DemoFailed):
        wait_for(lambda: teller.task(deal_id) is not None, "the task in Kommo", seconds=2)
        return True
    return False


def _tried_since(teller: Teller, before: int) -> bool:
    return _tries(teller) > before


def _tries(teller: Teller) -> int:
    return len(teller.stage.sandbox.freshbooks.calls)
