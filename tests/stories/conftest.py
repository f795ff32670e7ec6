"""What every story may ask for."""

import pytest

from tests.rig import Rig
from tests.stories.shop import Shop


@pytest.fixture
def shop(rig: Rig) -> Shop:
    """A connected shop whose rule marks invoices as sent."""
    return Shop(rig)
