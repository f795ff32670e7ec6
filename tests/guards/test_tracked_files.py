"""What is committed knows no machine and no registry."""

import re
import tomllib

from tests.guards.source import ROOT, python_files, tracked_files, where

# In pieces, so that this file does not find itself.
REGISTRIES = ("pypi" + ".org", "python" + "hosted", "npm" + "js.org", "deb.debian" + ".org")
PLACES = re.compile("(?<![\\w.-])/" + "(?:work/(?:main|shared)|root/|home/\\w)")


def _texts() -> list[tuple[str, str]]:
    raw = [(where(file), file.read_bytes()) for file in tracked_files()]
    return [(name, text.decode("utf-8")) for name, text in raw if b"\0" not in text]


def test_no_place_on_somebodys_machine_is_named() -> None:
    assert [name for name, text in _texts() if PLACES.search(text)] == []


def test_no_registry_is_named() -> None:
    named = [name for name, text in _texts() if any(host in text for host in REGISTRIES)]
    assert named == []


def test_the_locks_carry_hashes_and_no_index() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"^\s*--?(?!hash)[a-z]", text, re.MULTILINE), f"{name} has options"
        pins = re.findall(r"^[a-z0-9].*?==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(pins) > 10
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_what_runs_is_pinned_alike_in_both_locks() -> None:
    pin = re.compile(r"^([a-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
    runtime = dict(pin.findall((ROOT / "requirements.txt").read_text("utf-8")))
    dev = dict(pin.findall((ROOT / "requirements-dev.txt").read_text("utf-8")))
    assert {name: dev.get(name) for name in runtime} == runtime


def test_the_locks_are_those_of_the_project() -> None:
    """A dependency that came or went in pyproject.toml is in the locks: ``make lock``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "requirements.txt": project["dependencies"],
        "requirements-dev.txt": [*project["dependencies"], *extras["postgres"], *extras["dev"]],
    }
    for name, dependencies in wanted.items():
        names = {re.split(r"[\[=>]", wish)[0] for wish in dependencies} - {"billhook"}
        assert _direct(_text(name)) == names


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def _direct(lock: str) -> set[str]:
    """The packages that a lock holds for the project's own sake."""
    blocks = re.findall(r"^(\S+?)==(.*?)(?=^\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    return {name for name, block in blocks if "billhook (pyproject.toml)" in block}


def test_every_test_file_is_found_by_pytest() -> None:
    """A file of tests under another name would never run."""
    lost = [
        where(file)
        for file in python_files("tests")
        if not file.name.startswith("test_")
        and re.search(r"^def test_", file.read_text("utf-8"), re.M)
    ]
    assert lost == []
