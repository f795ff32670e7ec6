"""A small business for the desk's tests: two pipelines, a few deals, an invoice or two."""

from typing import Any

from server.sandbox import Sandbox
from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Actor

INVOICE_FIELDS = (
    ("url", "Invoice", "BILLHOOK_LINK"),
    ("text", "Invoice number", "BILLHOOK_NUMBER"),
    ("numeric", "Invoice amount", "BILLHOOK_AMOUNT"),
)
STATUSES = [("Draft", "draft"), ("Sent", "sent"), ("Viewed", "viewed"), ("Paid", "paid")]


def seed(sandbox: Sandbox) -> None:
    account = sandbox.kommo.add_account("demo", name="Oak & Linen")
    account.add_user("Ann Weber")
    _invoice_fields(account)
    sales = account.add_pipeline("Sales", ["New", "Offer", "Issue invoice", "Delivered"])
    service = account.add_pipeline("Service contracts", ["Requested", "Issue invoice", "Running"])
    account.add_field("leads", "select", "Currency", "CURRENCY", enums=["EUR", "USD", "JPY"])
    account.add_field("leads", "text", "Order number", "ORDER")
    catalog = account.add_catalog("Products")
    chair = account.add_element(catalog, "Office chair", sku="CH-1", price="189.90")
    lamp = account.add_element(catalog, "Desk lamp", sku="LA-7", price="64.50")
    hill = account.add_company("Hill & Partners", address="Main Street 1")
    kim = account.add_contact("Kim Hill", email="kim@hill.example", company=hill)
    leo = account.add_contact("Leo Brandt")
    _deals(account, sales.id, service.id, {"chair": chair, "lamp": lamp, "kim": kim, "leo": leo})
    sandbox.freshbooks.add_business(
        sandbox.freshbooks.add_identity("owner@studio.example"), "Oak & Linen Studio"
    )


def _invoice_fields(account: Account) -> None:
    for kind, name, code in INVOICE_FIELDS:
        account.add_field("leads", kind, name, code, is_api_only=True)
    account.add_field(
        "leads", "select", "Invoice status", "BILLHOOK_STATUS", enums=STATUSES, is_api_only=True
    )


def _deals(account: Account, sales: int, service: int, of: dict[str, Any]) -> None:
    new, offer = (account.pipelines[sales].stage(name).id for name in ("New", "Offer"))
    kim, leo = of["kim"], of["leo"]
    account.add_deal(
        "Office chairs", "1204.20", pipeline_id=sales, stage_id=new, contact=kim,
        company=kim.company_id, products=[(of["chair"], 6), (of["lamp"], "1")],
        fields={"Currency": "EUR", "Order number": "PO-1881"}, tags=["office"],
    )  # fmt: skip
    account.add_deal(
        "Reading lamps", "1290", pipeline_id=sales, stage_id=new, contact=leo,
        fields={"Currency": "USD"}, products=[(of["lamp"], 20)],
    )  # fmt: skip
    account.add_deal("Showroom shelves", 98000, pipeline_id=sales, stage_id=offer, contact=kim,
        company=kim.company_id, fields={"Currency": "JPY"}, tags=["export", "urgent"])  # fmt: skip
    account.add_deal("Yearly maintenance", 2400, pipeline_id=service, contact=leo)


def write_invoice(account: Account, deal_id: int, **values: str) -> None:
    """As an integration writes it: ``number=, status=, amount=, link=``."""
    fields: dict[int | str, Any] = {
        f"BILLHOOK_{name.upper()}": value for name, value in values.items()
    }
    by = Actor(account.admin.id, client_id="billhook", as_robot=True)
    account.update_deal(deal_id, fields=fields, by=by)
