"""An emulated FreshBooks with one business, and its API by raw requests."""

from collections.abc import Iterator

import pytest

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import REDIRECT, Api


@pytest.fixture
def world(sandbox: Sandbox) -> FreshbooksWorld:
    world = sandbox.freshbooks
    world.register_app("app-1", "secret-1", REDIRECT)
    return world


@pytest.fixture
def biz(world: FreshbooksWorld) -> Business:
    return world.add_business(
        world.add_identity("ona@example.test", "Ona Owner"), "Ona's Studio", account_id="aBc12D"
    )


@pytest.fixture
def api(world: FreshbooksWorld, biz: Business) -> Iterator[Api]:
    """Calls as the owner's app, all scopes of an invoicer; no call may be unknown."""
    api = Api(world, biz)
    with api.session:
        yield api
    assert world.unknown_calls == []


@pytest.fixture
def buyer(api: Api) -> int:
    """The id of a client of the business."""
    client = api.client(email="buyer@example.test", organization="Buyer UAB", p_city="Kaunas")
    return int(client["id"])
