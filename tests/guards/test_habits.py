"""What people forget, and no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.guards.source import calls, imported_modules, python_files, tree, where

# The seam, with the sockets under it, is the one place that talks HTTP; the sandbox plays the world
# and posts its hooks, the demo plays the user's browser.
HTTP_LIBRARIES = ("requests", "urllib3", "http.client", "urllib.request", "httpx")
MAY_TALK_HTTP = (
    "server/vendors/http.py",
    "server/vendors/connection.py",
    "server/sandbox/",
    "server/demo/",
)


def test_money_never_becomes_a_float() -> None:
    files = python_files("server/core", "server/flows", "server/vendors")
    made = [where(f, call.lineno) for f in files for name, call in calls(f) if name == "float"]
    assert made == []


def test_no_test_sleeps() -> None:
    slept = [
        where(file, call.lineno)
        for file in python_files("tests")
        for name, call in calls(file)
        if name.rpartition(".")[2] == "sleep"
    ]
    assert slept == []


def test_http_is_spoken_at_the_seam_alone() -> None:
    others = [
        f"{where(file, line)} {module}"
        for file in python_files("server")
        if not where(file).startswith(MAY_TALK_HTTP)
        for module, line in imported_modules(file)
        if module.startswith(HTTP_LIBRARIES)
    ]
    assert others == []


def _own_names(file: Path) -> set[str]:
    """The names by which a test file knows something of the product."""
    names = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "server":
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            own = (alias for alias in node.names if alias.name.split(".")[0] == "server")
            names |= {alias.asname or "server" for alias in own}
    return names


def _patches_of_ours(file: Path) -> Iterator[str]:
    own = _own_names(file)
    for name, call in calls(file):
        if not name.endswith((".setattr", "patch", "patch.object", "patch.dict")) or not call.args:
            continue
        named = [ast.unparse(argument).strip("'\"") for argument in call.args[:2]]
        if any(name.rpartition(".")[2].isupper() for name in named):
            continue  # a constant: a limit is lowered, nothing that we do is replaced
        if named[0].split(".")[0] in own | {"server"}:
            yield f"{where(file, call.lineno)} {named[0]}"


def test_nothing_of_ours_is_mocked() -> None:
    """Fake the world, not our own code."""
    assert [found for file in python_files("tests") for found in _patches_of_ours(file)] == []
