"""The wheel stands alone: installed into an empty folder and run from ``/``, nothing is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIND = """
import sys, server
from server.resources import resource
assert server.__file__.startswith(sys.argv[1]), server.__file__
for name in ("templates", "static", "widget", "manifest.json", "migrations"):
    place = resource(name)
    assert str(place).startswith(sys.argv[1]), place
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    print(name, len(files))
"""


def run(*command: str, cwd: Path = ROOT, **environ: str) -> str:
    given = {name: value for name, value in os.environ.items() if not name.startswith("BILLHOOK_")}
    done = subprocess.run(
        command, cwd=cwd, env={**given, **environ}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the built wheel was installed into. Nothing is fetched for it."""
    place = tmp_path_factory.mktemp("wheel")
    python = (sys.executable, "-m")
    run(*python, "hatchling", "build", "--target", "wheel", "--directory", str(place / "dist"))
    (wheel,) = (place / "dist").glob("billhook-*.whl")
    quiet = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(*python, "pip", "install", *quiet, "--target", str(place / "installed"), str(wheel))
    return place / "installed"


def test_what_is_not_code_travels_in_the_wheel(installed: Path) -> None:
    found = run(
        sys.executable, "-P", "-c", FIND, str(installed), cwd=Path("/"), PYTHONPATH=str(installed)
    )
    counts = dict(line.split() for line in found.splitlines())
    assert counts.keys() == {"templates", "static", "widget", "manifest.json", "migrations"}
    assert all(int(count) > 0 for count in counts.values()), counts


def test_the_tests_and_the_tools_stay_out_of_the_wheel(installed: Path) -> None:
    top = {entry.name for entry in installed.iterdir() if not entry.name.endswith(".dist-info")}
    assert top - {"bin"} == {"server"}


@pytest.mark.timeout(300)
def test_the_installed_wheel_serves_and_demos_from_anywhere(installed: Path) -> None:
    """The demo starts the server as its own process, so both run from the wheel."""
    billhook = "from server.cli import main; main()"
    command = (sys.executable, "-P", "-c", billhook, "demo", "--script")
    told = run(*command, cwd=Path("/"), PYTHONPATH=str(installed))
    assert told.splitlines()[-1] == "The story came true."
