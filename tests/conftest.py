"""What every test may ask for: a clock, an empty database of either kind, the cases, a browser."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL

from tests import postgres_server, recorded_cases
from tests.compiled_routes import compile_routes_once
from tests.fixed_clock import FixedClock
from tests.used import (  # noqa: F401 these are hooks
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_make_collect_report,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)

if TYPE_CHECKING:
    from tests.rig import Rig

compile_routes_once()

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# As root Chromium has no sandbox of its own; the rest keeps it from calling home or asking.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--test-third-party-cookie-phaseout",  # as most browsers are: nothing of ours may rest on one
]


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def bare_rig(tmp_path: Path) -> Iterator["Rig"]:
    """Billhook beside the sandbox, not connected yet."""
    from tests.rig import Rig  # the whole product: only for tests that run it

    with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
def rig(bare_rig: "Rig") -> "Rig":
    """Billhook, connected to both vendors by the real redirects; no rule yet."""
    return bare_rig.connect()


@pytest.fixture(scope="module")
def shared_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Rig"]:
    """As ``rig``, one for all of a file's tests that only look, or are refused."""
    from tests.rig import Rig

    with Rig(tmp_path_factory.mktemp("rig")) as rig:
        yield rig.connect()


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of recorded cases."""
    folder = recorded_cases.cases_folder()
    if folder is None:
        pytest.skip(recorded_cases.ABSENT)
    return folder


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[URL]:
    """One server a test process: the given one, else an own one."""
    given = os.environ.get("BILLHOOK_TEST_PG_URL")
    if given:
        yield postgres_server.given_server(given)
        return
    programs = postgres_server.programs()
    if programs is None:
        pytest.skip(postgres_server.ABSENT)
    with postgres_server.running(programs) as url:
        yield url


@pytest.fixture
def postgres_database(postgres_server_url: URL) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with postgres_server.empty_database(postgres_server_url, f"billhook_{os.getpid()}") as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'billhook.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


def chromium() -> str | None:
    """The system's, by whichever name it has."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium: Playwright's own cannot be had from a package registry."""
    path = chromium()
    if path is None:
        pytest.skip("Chromium is absent (on Debian: apt-get install chromium)")
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_FLAGS}
