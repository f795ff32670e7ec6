"""What a person does on the desk: as a Kommo user, as a FreshBooks user, as the weather."""

from collections.abc import Callable
from datetime import timedelta
from decimal import InvalidOperation
from typing import Any

from server.sandbox.freshbooks.acts import Business
from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.base import Refused

from . import switchboard
from .amounts import amount_in
from .board import account_of
from .desk import Desk
from .new_deal import make_deal
from .said import Impossible

__all__ = ["Impossible", "perform"]

Order = dict[str, Any]
#: A century: nobody watches longer, and dates stay dates.
MOST_SECONDS = 100 * 366 * 86_400


def perform(desk: Desk, what: str, order: Order) -> str:
    """Do it and say it. Raises Impossible, or the vendor's own refusal."""
    part, _, rest = what.partition("/")
    try:
        act = PARTS[part]
    except KeyError:
        raise Impossible(f"the desk cannot {what}") from None
    try:
        return act(desk, rest, order)
    except KeyError as missing:
        raise Impossible(f"there is no {missing.args[0]}") from missing
    except (Impossible, Refused):
        raise
    except (TypeError, ValueError, InvalidOperation, PermissionError) as wrong:
        raise Impossible(_sentence(wrong)) from wrong


def _sentence(wrong: Exception) -> str:
    return "that is not a number" if isinstance(wrong, InvalidOperation) else str(wrong)


def _account(desk: Desk) -> Account:
    account = account_of(desk.sandbox)
    if account is None:
        raise Impossible("there is no Kommo account yet")
    return account


def deals(desk: Desk, rest: str, order: Order) -> str:
    """``""`` adds one, ``<id>`` changes it, ``<id>/move`` and ``<id>/delete``."""
    account = _account(desk)
    if not rest:
        return make_deal(account, order)
    number, _, verb = rest.partition("/")
    deal = account.deals[int(number)]
    if verb == "move":
        stage_id, pipeline_id = int(order["stage"]), int(order["pipeline"])
        account.move_deal(deal.id, stage_id, pipeline_id)
        return f"{deal.name}: moved to {account.pipelines[pipeline_id].stage(stage_id).name}."
    if verb == "delete":
        account.delete_deal(deal.id)
        return f"{deal.name}: in the trash."
    if verb:
        raise Impossible(f"a deal cannot {verb}")
    _change_deal(account, deal.id, order)
    return f"{deal.name}: saved."


def _change_deal(account: Account, deal_id: int, order: Order) -> None:
    """Only what is named changes; an empty text empties the field."""
    deal = account.deals[deal_id]
    changes: Order = {}
    if "price" in order:
        changes["price"] = amount_in(str(order["price"]))
    if order.get("name"):
        changes["name"] = str(order["name"])
    if order.get("fields"):
        changes["fields"] = {int(key): _typed(text) for key, text in order["fields"].items()}
    if changes:
        account.update_deal(deal_id, **changes)
    if order.get("contact"):
        row = {"to_entity_type": "contacts", "to_entity_id": int(order["contact"])}
        account.check_link("leads", row)
        account.link("leads", deal_id, row, account.owner())
    if "email" in order and deal.main_contact_id is not None:
        email = str(order["email"]).strip() or None
        account.update_contact(deal.main_contact_id, fields={"EMAIL": email})


def _typed(value: Any) -> Any:
    return None if value == "" else value


def tasks(desk: Desk, rest: str, order: Order) -> str:
    """``<id>/done``."""
    task = _account(desk).complete_task(int(rest.partition("/")[0]), str(order.get("result", "")))
    return f"Task done: {task.text}"


def invoices(desk: Desk, rest: str, order: Order) -> str:
    """``<id>/<verb>``, as FreshBooks' own user or, for ``view``, the client."""
    number, _, verb = rest.partition("/")
    business = _business_with(desk, int(number))
    row = business.invoices[int(number)]
    if verb not in VERBS:
        raise Impossible(f"an invoice cannot {verb}")
    word = VERBS[verb](business, row, order)
    return f"Invoice {row['invoice_number']}: {word}."


def _pay(business: Business, row: Order, order: Order) -> str:
    amount = amount_in(str(order.get("amount") or row["outstanding"]))
    if amount is None:
        raise Impossible("say how much is paid")
    business.pay(row["id"], amount, "Bank Transfer")
    return f"{amount} {row['currency_code']} paid"


def _view(business: Business, row: Order, order: Order) -> str:
    if row["status"] == 1:
        raise Impossible("the client cannot see a draft")
    business.view(row["id"])
    return "seen by the client"


def _done(act: Callable[[Business, int], object], word: str) -> Callable[..., str]:
    def do(business: Business, row: Order, order: Order) -> str:
        act(business, row["id"])
        return word

    return do


VERBS: dict[str, Callable[[Business, Order, Order], str]] = {
    "view": _view,
    "pay": _pay,
    "send": _done(Business.mark_sent, "marked as sent"),
    "delete": _done(Business.delete_invoice, "deleted"),
    "restore": _done(lambda business, key: business.edit_invoice(key, vis_state=0), "restored"),
}


def _business_with(desk: Desk, invoice_id: int) -> Business:
    for business in desk.sandbox.freshbooks.businesses:
        if invoice_id in business.invoices:
            return business
    raise Impossible(f"there is no invoice {invoice_id}")


def faults(desk: Desk, rest: str, order: Order) -> str:
    """``""`` puts ``order["put"]`` on; ``clear`` ends ``order["key"]``, or all."""
    if rest == "clear":
        desk.orders.clear(str(order.get("key", "")))
        return "Cleared."
    return f"On: {desk.orders.put(str(order['put']))}"


def clock(desk: Desk, rest: str, order: Order) -> str:
    """``{"advance": seconds}``; time goes forward here."""
    seconds = float(order["advance"])
    if not 0 < seconds <= MOST_SECONDS:
        raise Impossible("the clock goes forward, by a century at most")
    desk.sandbox.clock.advance(timedelta(seconds=seconds))
    return f"It is now {desk.sandbox.clock.now():%d %B %Y, %H:%M} UTC."


def switches(desk: Desk, rest: str, order: Order) -> str:
    """``{"vendor", "name", "value"}``."""
    return switchboard.turn(desk.sandbox, str(order["vendor"]), str(order["name"]), order["value"])


PARTS: dict[str, Callable[[Desk, str, Order], str]] = {
    "deals": deals,
    "tasks": tasks,
    "invoices": invoices,
    "faults": faults,
    "clock": clock,
    "switches": switches,
}
