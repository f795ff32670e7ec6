"""Invoices over real HTTP, each quirk of the reference by raw requests."""

from datetime import timedelta

import pytest

from server.sandbox import Sandbox
from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.conftest import Api, line, result, wrong

pytestmark = pytest.mark.quirk


@pytest.fixture
def buyer(api: Api) -> int:
    client = api.client(email="buyer@example.test", organization="Buyer UAB", p_city="Kaunas")
    return int(client["id"])


def test_a_create_answers_200_with_a_draft_and_the_next_seven_digit_number(
    api: Api, buyer: int
) -> None:
    first, second = api.invoice(buyer, line()), api.invoice(buyer, line(), status=2)
    assert (first["status"], first["v3_status"], first["display_status"]) == (1, "draft", "draft")
    assert [first["invoice_number"], second["invoice_number"]] == ["0000001", "0000002"]
    assert second["status"] == 1
