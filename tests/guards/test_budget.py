"""Small pieces: a file of at most 300 lines, tests too, a function of 30, and every module says why
it exists."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.guards.source import ROOT, python_files, tree, where

EVERYWHERE = ("server", "tests", "bench")
FILE_LINES = 300
FUNCTION_LINES = 30
# "server/part/module.py", "server/part/module.py:function" or "folder/", each with the reason why.
ALLOWED: dict[str, str] = {
    "server/store/migrations/versions/": "written by Alembic, run once, never edited afterwards",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _lines(function: Function) -> int:
    """From ``def`` to the end, without the docstring: that is to be as long as it needs."""
    first = function.body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    doc = (
        (first.end_lineno or 0) - first.lineno + 1 if is_text and ast.get_docstring(function) else 0
    )
    return (function.end_lineno or 0) - function.lineno + 1 - doc


def _written(*folders: str) -> Iterator[Path]:
    """Without what is allowed to be long."""
    for file in python_files(*folders):
        if not any(name.endswith("/") and where(file).startswith(name) for name in ALLOWED):
            yield file


def _long_files() -> Iterator[str]:
    for file in _written(*EVERYWHERE):
        lines = len(file.read_text("utf-8").splitlines())
        if lines > FILE_LINES and where(file) not in ALLOWED:
            yield f"{where(file)} has {lines} lines"


def _long_functions() -> Iterator[str]:
    for file in _written("server"):
        for node in ast.walk(tree(file)):
            if not isinstance(node, Function) or f"{where(file)}:{node.name}" in ALLOWED:
                continue
            if _lines(node) > FUNCTION_LINES:
                yield f"{where(file, node.lineno)} {node.name} has {_lines(node)} lines"


def test_files_and_functions_stay_small() -> None:
    assert [*_long_files(), *_long_functions()] == []


def test_what_is_allowed_to_be_long_exists_and_says_why() -> None:
    assert [name for name in ALLOWED if not (ROOT / name.partition(":")[0]).exists()] == []
    assert all(ALLOWED.values())


def test_every_module_says_why_it_exists() -> None:
    files = python_files(*EVERYWHERE)
    assert [where(file) for file in files if not ast.get_docstring(tree(file))] == []
