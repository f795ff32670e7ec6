"""The line at the end of a run, and the skips that CI forbids."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = "pytest_collection_modifyitems, pytest_configure, pytest_make_collect_report, "
CONFTEST = f"""
from tests.used import {PARTS}pytest_runtest_makereport, pytest_terminal_summary
"""
INI = """
[pytest]
markers =
    cases(label)
    quirk
    browser
    postgres
"""
TESTS = """
import pytest

@pytest.mark.cases("kommo hooks")
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_parsed(name):
    assert name != "c"

@pytest.mark.cases("kommo hooks")
@pytest.mark.parametrize("name", ["a", "b"])
def test_posted(name):
    assert name != "b"

@pytest.mark.quirk
def test_quirk():
    pass

@pytest.mark.postgres
def test_database():
    pytest.skip("no server")
"""


def run(folder: Path, *arguments: str, **environ: str) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(INI)
    (folder / "test_them.py").write_text(TESTS)
    plugins = ["-p", "no:cacheprovider", "-p", "xdist.plugin"]  # the others are slow to load
    command = [sys.executable, "-m", "pytest", *plugins, *arguments, str(folder)]
    own = {"PYTHONPATH": str(ROOT), "BILLHOOK_CASES": str(folder)}
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **own, **environ}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kommo/webhooks").mkdir(parents=True)
    (tmp_path / "kommo/webhooks/webhooks.json").write_text("[1, 2, 3, 4]")
    vectors = '{"one_time_tokens": [], "disconnect": []}'
    (tmp_path / "kommo/auth-vectors.json").write_text(vectors)
    return tmp_path


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_case_counts_once_and_only_when_all_its_tests_pass(folder: Path, processes: str) -> None:
    lines = run(folder, "-n", processes, BILLHOOK_REQUIRE="").splitlines()
    assert lines[-1].strip("= ").startswith("2 failed, 4 passed, 1 skipped")
    used = next(line for line in lines if line.startswith("kommo hooks 1/4 · "))
    assert used.endswith(" · quirks 1/1 · browser 0 · postgres 0 · skipped 1")


def test_what_is_required_may_not_be_skipped(folder: Path) -> None:
    output = run(folder, BILLHOOK_REQUIRE="postgres")
    assert "3 failed, 4 passed" in output
    assert "BILLHOOK_REQUIRE forbids to skip it" in output


def test_a_requirement_that_nobody_knows_is_an_error(folder: Path) -> None:
    assert "BILLHOOK_REQUIRE: unknown ['postgers']" in run(folder, BILLHOOK_REQUIRE="postgers")
