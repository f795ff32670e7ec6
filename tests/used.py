"""Says at the end of a run how much of what nobody here wrote was used, and refuses to skip it.

``kommo hooks 22/22 · freshbooks 44/44 · quirks 61/61 · browser 3 · postgres 40 · skipped 0``

Cases are counted by ``@pytest.mark.cases("label")``: one a parametrised id, passed when all tests
of that id passed, of as many as the folder holds. With ``BILLHOOK_REQUIRE=cases,browser,postgres``
a test of these that is skipped fails instead.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.recorded_cases import TOTALS, cases_folder

REQUIRABLE = ("cases", "browser", "postgres")
_PROPERTY = "billhook-used"
VITAL = "vital: "  # a test's property of this name is a figure of a page
_FIXTURE_MARKS = {"cases": "cases", "postgres_database": "postgres", "page": "browser"}

Counted = tuple[str, str]  # label, case


def required() -> set[str]:
    """What BILLHOOK_REQUIRE names; a name that it does not know is an error, not a shrug."""
    names = {name.strip() for name in os.environ.get("BILLHOOK_REQUIRE", "").split(",")} - {""}
    if unknown := names - set(REQUIRABLE):
        raise pytest.UsageError(f"BILLHOOK_REQUIRE: unknown {sorted(unknown)}; {REQUIRABLE}")
    return names


def pytest_configure(config: pytest.Config) -> None:
    required()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what a fixture tells, and writes what the test counts as where xdist carries it."""
    for item in items:
        for fixture, mark in _FIXTURE_MARKS.items():
            if fixture in getattr(item, "fixturenames", ()) and not item.get_closest_marker(mark):
                item.add_marker(mark)
        item.user_properties.append((_PROPERTY, list(_counts_as(item))))


def _counts_as(item: pytest.Item) -> Iterator[Counted]:
    callspec = getattr(item, "callspec", None)
    for mark in item.iter_markers("cases"):
        yield (mark.args[0] if mark.args else "other cases"), callspec.id if callspec else item.name
    for mark_name, label in (("quirk", "quirks"), ("browser", "browser"), ("postgres", "postgres")):
        if item.get_closest_marker(mark_name):
            yield label, item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    lacking = sorted(name for name in required() if item.get_closest_marker(name))
    if report.skipped and lacking and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: BILLHOOK_REQUIRE forbids to skip it: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[Any]:
    """A file that skips itself as a whole hides what it holds: not while anything is required."""
    report = yield
    if report.skipped and required():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid}: BILLHOOK_REQUIRE forbids to skip a whole file"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    results: dict[str, dict[str, bool]] = defaultdict(dict)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            for label, case in dict(getattr(report, "user_properties", ())).get(_PROPERTY, ()):
                good = outcome == "passed" and results[label].get(case, True)
                results[label][case] = good
    skipped = len(terminalreporter.stats.get("skipped", ()))
    if seen := _vitals(terminalreporter.stats.get("passed", ())):
        worst = " · ".join(f"{name} {value}" for name, value in sorted(seen.items()))
        terminalreporter.write_line(f"the slowest page: {worst}")
    terminalreporter.write_line(summary(results, skipped))


def _vitals(reports: Any) -> dict[str, float]:
    """The worst of each figure that browser tests measured of pages."""
    worst: dict[str, float] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name.startswith(VITAL):
                label = name.removeprefix(VITAL)
                worst[label] = max(worst.get(label, 0), value)
    return worst


def summary(results: dict[str, dict[str, bool]], skipped: int) -> str:
    """The line itself. Labels that the folder knows come first, then others in order of name."""
    folder = cases_folder()
    passed = {label: sum(cases.values()) for label, cases in results.items()}
    totals = {label: len(cases) for label, cases in results.items()}
    if folder:
        totals |= {label: count(folder) for label, count in TOTALS.items()}
    plain = ("quirks", "browser", "postgres")
    labels = [*TOTALS, *sorted(results.keys() - TOTALS.keys() - set(plain)), "quirks"]
    parts = [f"{label} {passed.get(label, 0)}/{totals.get(label, 0)}" for label in labels]
    parts += [f"{label} {passed.get(label, 0)}" for label in ("browser", "postgres")]
    return " · ".join([*parts, f"skipped {skipped}"])
