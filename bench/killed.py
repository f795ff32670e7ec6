"""Twenty deals acknowledged, the server killed among them, started again: each billed once."""

from collections import Counter
from time import monotonic

from bench.figures import Figure, exactly, plain
from bench.stage import SERVE, Stage, standing, wait_for

ACCOUNTS, EACH = 10, 2
KOMMO, BOOKS = 0.150, 0.300  # seconds of one call: slow enough to be killed among them
QUIET = 35  # seconds; the default is 120. Longer than a call may last


def measure() -> list[Figure]:
    with standing(ACCOUNTS, SERVE, environ={"BILLHOOK_QUIET_PERIOD": str(QUIET)}) as stage:
        stage.box.slow(KOMMO, BOOKS)
        before = len(stage.box.invoices())
        stage.box.forget()
        deals = stage.deals(EACH)
        under_way = _kill_among(stage, deals, before)
        began = monotonic()
        stage.server.start()
        wait_for(lambda: stage.box.linked(deals) == len(deals), "all links after the restart")
        took = monotonic() - began
        stage.box.idle()
        linked = stage.box.linked(deals)
        references = Counter(stage.box.invoices())
    twice = sum(count - 1 for count in references.values())
    return [
        plain("killed when so many invoices of 20 stood", str(under_way)),
        exactly("invoices", sum(references.values()) - before, len(deals)),
        exactly("deals that show their link", linked, len(deals)),
        exactly("billed twice", twice, 0),
        plain("from the restart to the last link", f"{took:.1f} s (quiet period {QUIET} s)"),
    ]


def _kill_among(stage: Stage, deals: list[tuple[int, int]], before: int) -> int:
    """Once all are acknowledged and the first are invoiced; how many were."""
    stage.box.move(deals)
    wait_for(lambda: stage.box.taken() >= len(deals), "all acknowledgements")
    wait_for(lambda: len(stage.box.invoices()) > before + 3, "the first invoices")
    stage.server.kill()
    return len(stage.box.invoices()) - before
