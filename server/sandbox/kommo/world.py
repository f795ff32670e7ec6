"""All of Kommo on this machine."""

from typing import Any

from server.sandbox.clock import SandboxClock
from server.sandbox.delivery import Deliveries
from server.sandbox.faults import Faults
from server.sandbox.ports import Ports
from .switches import KommoSwitches


class KommoWorld:
    """All accounts and integrations."""

    def __init__(
        self,
        *,
        clock: SandboxClock,
        faults: Faults,
        deliveries: Deliveries,
        switches: KommoSwitches | None = None,
    ) -> None:
        self.clock = clock
        self.faults = faults
        self.deliveries = deliveries
        self.switches = switches or KommoSwitches()
        self.calls: list[tuple[str, str, int]] = []
        self.unknown_calls: list[tuple[str, str]] = []

    def start(self, ports: Ports) -> None:
        """Open the ports."""

    def stop(self) -> None:
        """Close the ports."""

    def state(self) -> dict[str, Any]:
        return {}
