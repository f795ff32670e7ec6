"""From the hook to the link on the deal, with vendors as far away as the real ones; and the calls.

The calls of one deal follow one another, so their waiting is the least that a deal can take; what
the vendors' limits leave is the least that many deals of one account can take.
"""

from bench.figures import Figure, at_most, exactly, percentile, plain
from bench.stage import SERVE, Stage, standing

KOMMO, BOOKS = 0.150, 0.300  # seconds of one call
KOMMO_CALLS, BOOKS_CALLS = 5, 3  # read deal, contact, company, products, write · create, send, link
KOMMO_LIMIT = 7  # calls a second and account
ACCOUNTS, DEALS = 10, 6  # deals of each at once
ALONE = 5  # single deals
TARGET = 5.0  # seconds


def measure() -> list[Figure]:
    with standing(ACCOUNTS, SERVE) as stage:
        calls = _calls(stage)
        stage.box.slow(KOMMO, BOOKS)
        alone = [_seconds(stage, stage.deals(1)[:1])[0] for _ in range(ALONE)]
        many = _seconds(stage, stage.deals(DEALS))
    in_a_row = KOMMO_CALLS * KOMMO + BOOKS_CALLS * BOOKS
    floor = (DEALS * KOMMO_CALLS) / KOMMO_LIMIT
    return [
        *calls,
        plain("calls in a row, their waiting alone", f"{in_a_row:.2f} s"),
        at_most(f"one deal's link, the slowest of {ALONE}, seconds", max(alone), TARGET),
        plain("one deal's link to the calls in a row", f"× {percentile(alone, 50) / in_a_row:.2f}"),
        plain(
            f"{len(many)} deals over {ACCOUNTS} accounts at once",
            f"p50 {percentile(many, 50):.2f} · p95 {percentile(many, 95):.2f} s",
        ),
        plain(
            f"an account's {DEALS} deals by the vendor's limit alone",
            f"{floor:.2f} s for {DEALS * KOMMO_CALLS} calls at {KOMMO_LIMIT} a second",
        ),
        plain(
            "p95 to that and one row of calls", f"× {percentile(many, 95) / (floor + in_a_row):.2f}"
        ),
    ]


def _seconds(stage: Stage, deals: list[tuple[int, int]]) -> list[float]:
    stage.box.forget()
    stage.issue(deals)
    stage.box.idle()
    found: list[float] = stage.box.seconds(deals)
    return found


def _calls(stage: Stage) -> list[Figure]:
    """Of a known client with products and warm caches."""
    found = []
    for action, most in (("draft", 6), ("mark_sent", 8)):
        stage.settings(action)
        stage.issue(stage.deals(1))
        stage.box.idle()
        stage.box.forget()
        stage.issue(stage.deals(1)[:1])
        stage.box.idle()
        made = [call for call in stage.box.calls() if not call[1].startswith("/oauth")]
        found.append(exactly(f"upstream calls a deal, {action}", len(made), most))
    return found
