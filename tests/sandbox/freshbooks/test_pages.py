"""The pages of my.freshbooks.com: the operator's, and the client's behind a share link (§3.5)."""

import pytest
import requests

from server.sandbox.freshbooks import Business, FreshbooksWorld
from tests.sandbox.freshbooks.raw import Api, line, result

pytestmark = pytest.mark.quirk


def opened(api: Api, link: str) -> requests.Response:
    """As the page's own script does: the fragment, without its query, under /part."""
    root, _, fragment = link.partition("#")
    return api.call("GET", root.rstrip("/") + "/part" + fragment.split("?")[0])


def test_the_share_link_shows_the_invoice_and_makes_it_viewed(
    api: Api, buyer: int, biz: Business
) -> None:
    invoice = api.invoice(buyer, line(description="Half a day"), notes="Thanks")
    api.change(invoice["id"], action_mark_as_sent=True)
    path = f"invoices/invoices/{invoice['id']}/share_link"
    link = result(api.get(path, share_method="share_link"))["share_link"]["share_link"]
    page = opened(api, link)
    assert page.status_code == 200
    for text in ("Ona&#39;s Studio", "0000001", "Half a day", "100.00", "Thanks", "Buyer UAB"):
        assert text in page.text
    assert biz.invoices[invoice["id"]]["status"] == 3
    assert "Emulated FreshBooks" in api.call("GET", link).text


def test_the_share_page_of_a_draft_is_not_available(
    api: Api, buyer: int, biz: Business, world: FreshbooksWorld
) -> None:
    invoice = api.invoice(buyer, line())
    token = biz.invoices[invoice["id"]]["share_token"]
    page = opened(api, f"{world.app_url}/#/link/{token}")
    assert page.status_code == 404
    assert "isn't available" in page.text


def test_the_operators_page_shows_a_draft_too(api: Api, buyer: int, world: FreshbooksWorld) -> None:
    invoice = api.invoice(buyer, line())
    page = opened(api, f"{world.app_url}/#/invoice/aBc12D-{invoice['id']}")
    assert "draft" in page.text
    whole = api.call("GET", f"{world.app_url}/invoice/aBc12D-{invoice['id']}")
    assert "<title>" in whole.text
    assert api.call("GET", f"{world.app_url}/invoice/aBc12D-1").status_code == 404


def test_payment_options_are_flat_with_the_id_as_a_string(api: Api, buyer: int) -> None:
    invoice = api.invoice(buyer, line())
    root = "/payments/account/aBc12D"
    path = f"{root}/invoice/{invoice['id']}/payment_options"
    assert api.get(path).json()["payment_options"]["gateway_name"] is None
    chosen = api.post(path, gateway_name="stripe", has_credit_card=True, entity_type="invoice")
    assert chosen.json()["payment_options"]["entity_id"] == str(invoice["id"])
    assert api.get(path).json()["payment_options"]["has_credit_card"] is True
    wrong = api.post(path, gateway_name="carrier pigeon")
    assert (wrong.status_code, set(wrong.json())) == (400, {"error_type", "message"})
