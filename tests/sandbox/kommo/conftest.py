"""A connected account with two pipelines and a products list."""

import pytest

from server.sandbox import Sandbox
from tests.sandbox.kommo.calls import CLIENT_ID, REDIRECT, SECRET, Kommo


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
