"""A setting exists in three places or in none: the code, the example, the page."""

import re
from dataclasses import fields

from server.config import Config, variable
from tests.guards.source import ROOT

SETTINGS = {variable(field.name) for field in fields(Config)}
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
PAGE = (ROOT / "docs/settings.md").read_text("utf-8")


def _example(comment: str) -> dict[str, str]:
    """The example's lines: given ones, or those that are commented out and show the default."""
    found = re.findall(rf"^{comment}(BILLHOOK_\w+)=(.*)$", EXAMPLE, re.MULTILINE)
    return dict(found)


def _page() -> dict[str, str]:
    """The page's rows: name and what its default cell says."""
    return dict(re.findall(r"^\| `(BILLHOOK_\w+)` \| ([^|]+) \|", PAGE, re.MULTILINE))


def test_the_example_names_every_setting_and_no_other() -> None:
    assert _example("").keys() | _example("#").keys() == SETTINGS


def test_the_page_describes_every_setting_and_no_other() -> None:
    assert _page().keys() == SETTINGS


def test_the_example_copied_as_it_is_changes_nothing() -> None:
    assert Config.from_env(_example("")) == Config()


def test_the_defaults_in_the_example_are_the_defaults() -> None:
    assert Config.from_env(_example("#")) == Config()


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    said = {name: cell.strip("`") for name, cell in _page().items() if cell.startswith("`")}
    assert Config.from_env(said) == Config()
    shown = {name for name, value in _example("#").items() if value}
    assert said.keys() == shown
