"""The outside world in a box: Kommo and FreshBooks over real HTTP, with their quirks.

Tests, demo and benchmarks stand on it; it imports no other part of the product, so that a client
and its vendor cannot agree on the same mistake.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from .clock import SandboxClock
from .control import control_app
from .delivery import Deliveries
from .faults import Fault, Faults
from .freshbooks import FreshbooksSwitches, FreshbooksWorld
from .kommo import KommoSwitches, KommoWorld
from .ports import Ports
from .serve import Served, serve

__all__ = ["Fault", "Ports", "Sandbox", "SandboxClock"]


class Sandbox:
    """Both vendors, one clock, one list of faults, one queue of hooks.

    ``seed(sandbox)`` runs at the end of ``start``. ``auto`` posts hooks at once (the demo);
    without it ``deliveries.deliver_due()`` does (tests).
    """

    clock: SandboxClock
    faults: Faults
    deliveries: Deliveries
    kommo: KommoWorld
    freshbooks: FreshbooksWorld

    def __init__(
        self,
        *,
        clock: SandboxClock | None = None,
        ports: Ports | None = None,
        seed: "Callable[[Sandbox], object] | None" = None,
        auto: bool = False,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.ports = ports or Ports()
        self.faults = Faults(self.clock)
        self.deliveries = Deliveries(self.clock)
        self.kommo = KommoWorld(
            clock=self.clock,
            faults=self.faults,
            deliveries=self.deliveries,
            switches=KommoSwitches(),
        )
        self.freshbooks = FreshbooksWorld(
            clock=self.clock,
            faults=self.faults,
            deliveries=self.deliveries,
            switches=FreshbooksSwitches(),
        )
        self._seed = seed
        self._auto = auto
        self._control: Served | None = None

    @property
    def control_url(self) -> str:
        """Root of the control app: the human page at "/", ``/_clock``, ``/_faults`` and so on."""
        if self._control is None:
            raise RuntimeError("the sandbox is not started")
        return self._control.url

    def start(self) -> Self:
        """Open all ports, then seed. Nothing stays open when that fails."""
        try:
            self._open()
        except BaseException:
            self.stop()
            raise
        return self

    def _open(self) -> None:
        self.kommo.start(self.ports)
        self.freshbooks.start(self.ports)
        self._control = serve(control_app(self), self.ports.control)
        if self._auto:
            self.deliveries.start_auto()
        if self._seed is not None:
            self._seed(self)

    def stop(self) -> None:
        """Close every port; state stays readable."""
        self.deliveries.stop()
        self.freshbooks.stop()
        self.kommo.stop()
        if self._control is not None:
            self._control.stop()
            self._control = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
