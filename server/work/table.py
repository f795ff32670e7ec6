"""Which story a job kind is."""

from collections.abc import Callable, Mapping

from server.flows import (
    again,
    deal_to_invoice,
    ensure,
    farewell,
    invoice_to_deal,
    probe,
    sweep_events,
    tasks_done,
    tell_manager,
    welcome,
    what_if,
)
from server.flows.run import Run
from server.store.jobs import JobKind

Handler = Callable[[Run], str]
"""Does the work of one job and says in a few words what came of it; raises the outcomes."""

HANDLERS: Mapping[JobKind, Handler] = {
    JobKind.DEAL_TO_INVOICE: deal_to_invoice.deal_to_invoice,
    JobKind.INVOICE_TO_DEAL: invoice_to_deal.invoice_to_deal,
    JobKind.TELL_MANAGER: tell_manager.tell_manager,
    JobKind.TASKS_DONE: tasks_done.tasks_done,
    JobKind.ENSURE: ensure.ensure,
    JobKind.SWEEP_EVENTS: sweep_events.sweep_events,
    JobKind.PROBE: probe.probe,
    JobKind.WELCOME: welcome.welcome,
    JobKind.FAREWELL: farewell.farewell,
    JobKind.ALL_AGAIN: again.all_again,
    JobKind.WHAT_IF: what_if.what_if,
}
