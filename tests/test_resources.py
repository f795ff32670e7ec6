"""What is not code is found, in a checkout, or its absence is said."""

import pytest

from server.resources import ResourceMissing, resource


@pytest.mark.parametrize("name", ["templates", "static", "widget", "manifest.json", "migrations"])
def test_everything_that_is_not_code_is_found(name: str) -> None:
    assert resource(name).exists()


def test_what_is_missing_is_said_with_where_it_was_looked_for() -> None:
    with pytest.raises(ResourceMissing, match=r"sounds is not part .*_data/sounds or .*/sounds"):
        resource("sounds")
