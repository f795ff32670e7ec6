"""``python -m bench [webhook cpu latency killed activity pages sync]``: all where none is named.

Exits 1 when a target is missed.
"""

import os
import sys
from collections.abc import Callable
from time import strftime

from bench import activity, cpu, killed, latency, pages, webhook
from bench.figures import Figure, show

PARTS: dict[str, tuple[str, Callable[[], list[Figure]]]] = {
    "webhook": ("Webhook, workers busy on slow vendors", webhook.measure),
    "cpu": ("CPU a deal, vendors at zero", cpu.measure),
    "latency": ("Calls a deal; hook to link, Kommo 150 ms, FreshBooks 300 ms", latency.measure),
    "killed": ("kill -9 among twenty deals", killed.measure),
    "activity": ("The activity page over 100 and 10,000 entries", activity.measure),
    "pages": ("Every page with little and with much on it", pages.measure),
    "sync": ("SQLite synchronous FULL against NORMAL", webhook.sync),
}


def main(names: list[str]) -> int:
    if unknown := set(names) - set(PARTS):
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
        return 2
    print(
        f"Billhook's benchmarks, {strftime('%Y-%m-%d %H:%M')}. {os.cpu_count()} cores, shared by "
        "the emulated vendors,\nBillhook and the load: compare within this run only. "
        f"Load before it: {os.getloadavg()[0]:.1f}."
    )
    missed = 0
    for name in names or PARTS:
        title, measure = PARTS[name]
        figures = measure()
        show(title, figures)
        missed += sum(one.met is False for one in figures)
    print(f"\nLoad after it: {os.getloadavg()[0]:.1f}. Targets missed: {missed}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
