"""What a test of the pages may ask for: a person's own browser."""

from collections.abc import Iterator

import pytest

from server.sandbox.browser import Browser


@pytest.fixture
def theirs() -> Iterator[Browser]:
    with Browser() as one:
        yield one
