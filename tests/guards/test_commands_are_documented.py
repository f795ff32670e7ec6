"""The command says nothing that the pages do not, and the pages nothing that it cannot."""

import json
import re
from collections.abc import Iterator

import click

from server.cli import main
from server.core.settings import validate
from tests.guards.source import ROOT

PAGES = ["README.md", *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]


def _commands(group: click.Group, path: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield (full := f"{path}{name}")
        if isinstance(command, click.Group):
            yield from _commands(command, f"{full} ")


def _text() -> str:
    return "\n".join((ROOT / page).read_text("utf-8") for page in PAGES)


def test_every_command_is_on_a_page() -> None:
    text = _text()
    missing = [name for name in _commands(main) if not re.search(rf"`billhook {name}\b", text)]
    assert missing == []


def test_every_command_on_a_page_exists() -> None:
    known = set(_commands(main))
    first = {name.split()[0] for name in known}
    told = re.findall(r"billhook ([a-z]+)(?: ([a-z]+))?", "\n".join(_code(_text())))
    wrong = [
        f"{name} {sub}".strip()
        for name, sub in told
        if name not in first or (sub and _is_group(name, known) and f"{name} {sub}" not in known)
    ]
    assert wrong == []


def test_the_settings_on_the_page_can_be_imported() -> None:
    page = (ROOT / "docs/commands.md").read_text("utf-8")
    [example] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert validate(json.loads(example)).rules


def _code(text: str) -> list[str]:
    """What stands between backticks or in a fenced block."""
    return re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)


def _is_group(name: str, known: set[str]) -> bool:
    return any(other.startswith(f"{name} ") for other in known)


def test_every_command_says_what_it_does_in_a_line() -> None:
    silent = [name for name in _commands(main) if not _help(name).strip()]
    assert silent == []


def _help(name: str) -> str:
    found: click.Command = main
    for part in name.split():
        assert isinstance(found, click.Group)
        found = found.commands[part]
    return found.help or ""
