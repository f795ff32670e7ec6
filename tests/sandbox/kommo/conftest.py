"""A connected account with two pipelines and a products list; somebody who hears its hooks."""

from collections.abc import Iterator

import pytest

from server.sandbox import Sandbox
from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo
from tests.sandbox.kommo.hook_receiver import Receiver


@pytest.fixture
def kommo(sandbox: Sandbox) -> Kommo:
    """Account "demo": pipelines Sales and Service, a products list, one integration connected."""
    sandbox.kommo.register_integration(CLIENT_ID, SECRET, REDIRECT)
    account = sandbox.kommo.add_account("demo")
    account.add_pipeline("Sales", ["Talks", "Offer", "Issue invoice"])
    account.add_pipeline("Service", ["Repair"])
    account.add_catalog("Products")
    kommo = Kommo(sandbox, account)
    kommo.connect()
    return kommo


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.served.stop()
