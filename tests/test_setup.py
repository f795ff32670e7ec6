"""A machine that lacks something is told what, in one line."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def set_up(folder: Path, python: str) -> tuple[int, str]:
    """Runs ``.ci/venv`` in an empty folder whose only Python is the given shell script."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/venv", folder / ".ci/venv")
    (folder / "requirements.txt").touch()
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    (bin_folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (bin_folder / "python3").chmod(0o755)
    environ = {**os.environ, "PATH": f"{bin_folder}:/usr/bin:/bin", "PYTHON": "python3"}
    command = ["sh", ".ci/venv", "runtime"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("python", "line"),
    [
        ("exit 1", "billhook: Python 3.11 or newer is needed (looked for python3)"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "billhook: Python's venv is missing"),
    ],
)
def test_a_missing_package_is_named_in_one_line(tmp_path: Path, python: str, line: str) -> None:
    code, said = set_up(tmp_path, python)
    assert code == 1
    assert said.startswith(line)
    assert "apt-get install" in said
    assert "python3-venv" in said
    assert len(said.splitlines()) == 1
