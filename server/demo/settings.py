"""The demo account's settings document: one rule, and a mapping that shows what can be mapped."""

from typing import Any

from server.sandbox.seed import ISSUE_INVOICE, Demo

RULE = "issue-invoice"
MAPPING: dict[str, Any] = {
    "currency": {"field": "deal.code.CURRENCY", "or": {"text": "EUR"}},
    "po_number": {"field": "deal.code.PO_NUMBER"},
    "notes": {"field": "deal.code.INVOICE_NOTES"},
    "due_days": {"field": "deal.code.DUE_DAYS", "or": {"text": "7"}},
    "discount": {
        "kind": "percent",
        "value": {"field": "deal.code.DISCOUNT"},
        "description": {"text": "Agreed discount"},
    },
    "lines": {"description": {"field": "product.code.SKU"}},
    "taxes": {
        "field": "product.code.VAT",
        "table": {
            "Standard": [{"name": "VAT", "percent": "21"}],
            "Reduced": [{"name": "VAT", "percent": "9"}],
            "None": [],
        },
    },
    "client": {
        "vat_number": {"field": "company.code.VAT_NUMBER"},
        "language": {"field": "contact.code.LANGUAGE"},
    },
}


def demo_settings(demo: Demo) -> dict[str, Any]:
    """For the deals that ``seed_demo`` makes."""
    place = {"pipeline_id": demo.sales.id, "stage_id": demo.sales.stage(ISSUE_INVOICE).id}
    rule = {"slug": RULE, "name": "Invoice agreed sales", "when": [place], "action": "mark_sent"}
    return {"rules": [rule], "mapping": MAPPING}
