"""FreshBooks' faults at the calls that make an invoice, and minutes that pass."""

from server.sandbox import Fault
from tests.rig import Rig
from tests.stories.shop import CREATE

CLIENT = "POST /accounting/*/users/clients"
PUT = "PUT /accounting/*/invoices/invoices/*"


def fault(rig: Rig, kind: str, match: str = CREATE, **more: object) -> Fault:
    return rig.sandbox.faults.add(Fault(kind, match, "freshbooks", **more))  # type: ignore[arg-type]


def pass_time(rig: Rig, minutes: int) -> None:
    for _ in range(minutes):
        rig.later(minutes=1)
