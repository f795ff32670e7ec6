"""A FreshBooks business in the sandbox, connected by the real token endpoint."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from server.core.invoice import DraftClient, DraftLine, InvoiceDraft, Tax, Totals
from server.core.tokens import TokenPair
from server.sandbox import Sandbox
from server.vendors.freshbooks import auth
from server.vendors.freshbooks.client import FreshbooksClient
from server.vendors.freshbooks.write import invoice_payload
from server.vendors.http import Caller
from server.vendors.oauth import OAuthApp
from tests.vendors.conftest import MakeCaller
from tests.vendors.holder import LiveTokens

APP = OAuthApp("fb-app", "fb-secret", "https://bill.test/oauth/freshbooks/callback")
TODAY = date(2026, 3, 2)
BUYER = DraftClient(
    key="email:ann@buyer.test",
    email="ann@buyer.test",
    organization="Buyer Ltd",
    first_name="Ann",
    last_name="Lee",
    phone="+370 600",
    street="Main St 1",
    street2="Floor 2",
    city="Vilnius",
    province="LT-VL",
    postal_code="01100",
    country="Lithuania",
    vat_name="VAT",
    vat_number="LT100",
    language="en",
)
CHAIRS = DraftLine("Chair", "oak", Decimal("2.5"), Decimal("120.50"), (Tax("VAT", Decimal(21)),))
LAMP = DraftLine("Lamp", "", Decimal(1), Decimal(40))


def draft(**changes: Any) -> InvoiceDraft:
    totals = Totals(Decimal("341.25"), Decimal(0), Decimal("63.26"), Decimal("404.51"))
    given: dict[str, Any] = {
        "currency": "EUR",
        "client": BUYER,
        "lines": (CHAIRS, LAMP),
        "totals": totals,
    }
    return InvoiceDraft(**(given | changes))


def payload(customer_id: int, reference: str = "BHAAAAAAAAAA", **changes: Any) -> dict[str, Any]:
    """A draft's create with the reference as PO number, FreshBooks numbering it."""
    return invoice_payload(
        draft(**changes),
        customer_id=customer_id,
        create_date=TODAY,
        number=None,
        reference=reference,
        reference_place="po_number",
    )


@pytest.fixture
def caller(caller_of: MakeCaller) -> Caller:
    return caller_of("freshbooks", deadline=5.0)


@pytest.fixture
def owner(sandbox: Sandbox) -> Any:
    sandbox.freshbooks.register_app(APP.client_id, APP.client_secret, APP.redirect_uri)
    return sandbox.freshbooks.add_identity("owner@studio.test", "Ona Owner")


@pytest.fixture
def business(sandbox: Sandbox, owner: Any) -> Any:
    return sandbox.freshbooks.add_business(owner, "Studio", "aBc12D", 7001)


@pytest.fixture
def tokens(sandbox: Sandbox, owner: Any, business: Any, caller: Caller) -> LiveTokens:
    grant = sandbox.freshbooks.grant(owner, APP.client_id)

    def renew(pair: TokenPair) -> TokenPair:
        return auth.refresh(caller, sandbox.freshbooks.base_url, APP, pair.refresh)

    pair = TokenPair(grant.access_token, grant.refresh_token, sandbox.clock.now())
    return LiveTokens(pair, renew)


MakeClient = Callable[[str], FreshbooksClient]


@pytest.fixture
def client(sandbox: Sandbox, business: Any, tokens: LiveTokens, caller: Caller) -> FreshbooksClient:
    return FreshbooksClient(sandbox.freshbooks.base_url, business.account_id, tokens, caller)
