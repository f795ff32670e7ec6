"""The emulated vendors in a process of their own, and what the benchmarks ask of them.

Every public method of ``Box`` is called by name from the other side of a pipe.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any

from server.sandbox import Fault, Sandbox
from server.sandbox.kommo.account import Account

KOMMO_ID, FRESHBOOKS_ID = "5d0c9a1e-0000-4000-8000-0000000be0c4", "billhook-bench"
SECRET = "only-for-the-bench"  # noqa: S105  # the sandbox's, on this machine
STAGES = ("Talks", "Issue invoice")


class Box:
    """``accounts`` Kommo accounts, each with a FreshBooks business of its own; hooks go at once."""

    def __init__(self, sandbox: Sandbox, accounts: int) -> None:
        self._sandbox = sandbox
        self._shops = [self._shop(n) for n in range(accounts)]

    def addresses(self) -> dict[str, Any]:
        kommo, books = self._sandbox.kommo, self._sandbox.freshbooks
        return {
            "kommo_auth": kommo.auth_url,
            "kommo_hosts": [shop["kommo"].host for shop in self._shops],
            "books_auth": books.auth_url,
            "books_api": books.base_url,
            "books_app": books.app_url,
            "accounts": [
                {
                    "kommo": shop["kommo"].subdomain,
                    "identity": shop["owner"].id,
                    "realm": shop["books"].account_id,
                    "stage": (shop["pipeline"].id, shop["pipeline"].stage(STAGES[1]).id),
                    "kommo_id": shop["kommo"].account_id,
                }
                for shop in self._shops
            ],
        }

    def register(self, url: str) -> None:
        """What a developer fills into both vendors' portals."""
        self._sandbox.kommo.register_integration(
            KOMMO_ID, SECRET, f"{url}/oauth/kommo/callback", f"{url}/oauth/kommo/revoked"
        )
        self._sandbox.freshbooks.register_app(
            FRESHBOOKS_ID, SECRET, f"{url}/oauth/freshbooks/callback"
        )

    def unlimited(self) -> None:
        self._sandbox.kommo.switches.requests_per_second = 0
        self._sandbox.freshbooks.switches.rate_limits = False

    def slow(self, kommo: float, books: float) -> None:
        """Every call waits so many seconds; 0 and 0: none does."""
        self._sandbox.faults.clear()
        for vendor, seconds in (("kommo", kommo), ("freshbooks", books)):
            if seconds:
                self._sandbox.faults.add(Fault("slow", "*", vendor, times=None, seconds=seconds))

    def deals(self, account: int, how_many: int) -> list[int]:
        """New deals with two products, of the account's one contact and company."""
        shop = self._shops[account]
        pipeline = shop["pipeline"]
        return [
            shop["kommo"].add_deal(
                f"Order {n}", Decimal("250.00"),
                pipeline_id=pipeline.id, stage_id=pipeline.stage(STAGES[0]).id,
                contact=shop["contact"], company=shop["company"],
                products=[(element, Decimal(1)) for element in shop["products"]],
            ).id
            for n in range(how_many)
        ]  # fmt: skip

    def move(self, deals: list[tuple[int, int]]) -> None:
        """(account, deal id) each into the stage that bills."""
        for account, deal_id in deals:
            shop = self._shops[account]
            shop["kommo"].move_deal(deal_id, shop["pipeline"].stage(STAGES[1]).id)

    def move_unheard(self, account: int, deal_id: int) -> None:
        """Into the stage that bills, and its hook is lost."""
        self._sandbox.deliveries.drop_next()
        self.move([(account, deal_id)])

    def subscribed(self) -> bool:
        """Whether every account tells Billhook what happens."""
        return all(shop["kommo"].hooks for shop in self._shops)

    def linked(self, deals: list[tuple[int, int]]) -> int:
        """How many of these show the invoice's link."""
        return sum(self._link(account, deal_id) is not None for account, deal_id in deals)

    def seconds(self, deals: list[tuple[int, int]]) -> list[float]:
        """From the hook's leaving to the link's standing on the deal, each."""
        hooks = self._sandbox.deliveries.history
        written = {path: at for path, at in self._writings()}
        return [
            (written[f"/api/v4/leads/{deal_id}"] - self._moved_at(hooks, deal_id)).total_seconds()
            for _, deal_id in deals
        ]

    def taken(self) -> int:
        """Stage hooks that were answered 2xx."""
        hooks = self._sandbox.deliveries.history
        return sum(h.state == "taken" and b"leads%5Bstatus%5D" in h.body for h in hooks)

    def invoices(self) -> list[str]:
        """The reference on each, over all businesses."""
        return [
            str(invoice["po_number"])
            for shop in self._shops
            for invoice in shop["books"].invoices.values()
            if invoice["vis_state"] == 0
        ]

    def calls(self) -> list[tuple[str, str, int]]:
        """All since the last asking: (method, path, status), Kommo's first."""
        kommo, books = self._sandbox.kommo.calls, self._sandbox.freshbooks.calls
        made = [(method, path, status) for method, path, status in (*kommo, *books)]
        kommo.clear()
        books.clear()
        return made

    def idle(self) -> bool:
        return self._sandbox.deliveries.wait_idle(30.0)

    def forget(self) -> None:
        """What was delivered and called so far."""
        self._sandbox.deliveries.history.clear()
        self.calls()

    def _shop(self, n: int) -> dict[str, Any]:
        kommo: Account = self._sandbox.kommo.add_account(f"bench{n}")
        catalog = kommo.add_catalog("Products")
        company = kommo.add_company(f"Firm {n}")
        owner = self._sandbox.freshbooks.add_identity(f"owner{n}@bench.example", f"Owner {n}")
        return {
            "kommo": kommo,
            "pipeline": kommo.add_pipeline("Sales", list(STAGES)),
            "products": [
                kommo.add_element(catalog, name, sku=name, price=price)
                for name, price in (("Chair", "100.00"), ("Table", "150.00"))
            ],
            "company": company,
            "contact": kommo.add_contact(
                first_name="Ann", last_name="Lee", email=f"ann{n}@bench.example", company=company
            ),
            "owner": owner,
            "books": self._sandbox.freshbooks.add_business(owner, f"Business {n}", currency="EUR"),
        }

    def _link(self, account: int, deal_id: int) -> Any:
        kommo: Account = self._shops[account]["kommo"]
        if not any(field.code == "BILLHOOK_LINK" for field in kommo.fields_of("leads")):
            return None  # Billhook has not made its fields yet
        return kommo.value_of(kommo.deals[deal_id], "leads", "BILLHOOK_LINK")

    def _writings(self) -> Iterator[tuple[str, Any]]:
        for call in self._sandbox.kommo.calls:
            if call[0] == "PATCH" and call[2] == 200:
                yield call[1], call.at

    @staticmethod
    def _moved_at(hooks: list[Any], deal_id: int) -> Any:
        mark = f"leads%5Bstatus%5D%5B0%5D%5Bid%5D={deal_id}&".encode()
        return next(h.attempts[0].at for h in hooks if mark in h.body and h.attempts)


class Asked:
    """The box, from the other side of the pipe: ``asked.deals(0, 3)``."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            self._pipe.send((name, given))
            kind, answer = self._pipe.recv()
            if kind == "error":
                raise RuntimeError(f"the box, asked for {name}: {answer}")
            return answer

        return ask


@contextmanager
def boxed(accounts: int) -> Iterator[Asked]:
    """A box in a new process, ended with the block."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, accounts), daemon=True)
    process.start()
    try:
        yield Asked(ours)
    finally:
        ours.send(None)
        process.join(10)
        process.terminate()
        ours.close()


def _run(pipe: Connection, accounts: int) -> None:
    with Sandbox(auto=True) as sandbox:
        box = Box(sandbox, accounts)
        while (order := pipe.recv()) is not None:
            name, given = order
            try:
                pipe.send(("answer", getattr(box, name)(*given)))
            except Exception as error:  # noqa: BLE001  # it is told to who asked
                pipe.send(("error", repr(error)))
