"""What nobody could verify is a switch of the sandbox and a row of the vendor's page."""

import re
from dataclasses import fields

import pytest

from server.sandbox.freshbooks.switches import FreshbooksSwitches
from server.sandbox.kommo.switches import KommoSwitches
from tests.guards.source import ROOT


def _named(page: str) -> set[str]:
    """The names in the last cell of each row."""
    rows = re.findall(r"\|([^|\n]*)\|$", (ROOT / "docs/vendors" / page).read_text("utf-8"), re.M)
    return {name for cell in rows for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("name", "switches"), [("kommo.md", KommoSwitches), ("freshbooks.md", FreshbooksSwitches)]
)
def test_every_switch_has_its_row_and_every_row_a_real_switch(name: str, switches: type) -> None:
    assert _named(name) == {field.name for field in fields(switches)}
