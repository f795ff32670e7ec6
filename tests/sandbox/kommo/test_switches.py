"""Every unverified fact has both its readings tested."""

from dataclasses import fields
from pathlib import Path

import pytest

from server.sandbox.kommo import KommoSwitches


@pytest.mark.parametrize("name", [field.name for field in fields(KommoSwitches)])
def test_a_test_turns_the_switch(name: str) -> None:
    here = Path(__file__).parent
    turned = [
        file.name
        for file in here.glob("test_*.py")
        if f".{name} = " in (text := file.read_text("utf-8")) or f".{name}, " in text
        or f", switches.{name} = " in text
    ]  # fmt: skip
    assert turned
