"""The project's own files, as the guards read them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def where(file: Path, line: int = 0) -> str:
    name = file.relative_to(ROOT).as_posix()
    return f"{name}:{line}" if line else name


def calls(file: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted text of what is called: ``("time.sleep", node)``."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imported_modules(file: Path) -> Iterator[tuple[str, int]]:
    """The modules that a file imports, wherever in it, with the line."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno


def tracked_files() -> list[Path]:
    """What git knows, without what was deleted in the working tree. Also where another owns it."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]
