"""What an account holds, short enough for a page."""

from typing import Any

from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Deal, Task


def summary(account: Account) -> dict[str, Any]:
    """Pipelines, deals, hooks and open tasks as JSON-ready values."""
    with account.lock:
        return {
            "id": account.account_id,
            "subdomain": account.subdomain,
            "host": account.served.host if account.served else None,
            "currency": account.currency,
            "pipelines": [
                {
                    "id": pipeline.id,
                    "name": pipeline.name,
                    "stages": [{"id": s.id, "name": s.name} for s in pipeline.stages],
                }
                for pipeline in account.pipelines.values()
            ],
            "deals": [deal_summary(account, deal) for deal in account.deals.values()],
            "tasks": [task_summary(task) for task in account.tasks.values()],
            "webhooks": [
                {"destination": hook.destination, "disabled": hook.disabled, "on": hook.settings}
                for hook in account.hooks.values()
            ],
        }


def task_summary(task: Task) -> dict[str, Any]:
    return {
        "id": task.id,
        "text": task.text,
        "deal_id": task.entity_id,
        "done": task.is_completed,
    }


def deal_summary(account: Account, deal: Deal) -> dict[str, Any]:
    """``fields``: name → text of all values."""
    return {
        "id": deal.id,
        "name": deal.name,
        "price": None if deal.price is None else str(deal.price),
        "pipeline_id": deal.pipeline_id,
        "stage_id": deal.status_id,
        "deleted": deal.is_deleted,
        "contacts": [account.contacts[one].name for one in deal.contacts],
        "company": account.companies[deal.company_id].name if deal.company_id else None,
        "products": [
            {"name": account.elements[one.element_id].name, "quantity": str(one.quantity)}
            for one in deal.products
        ],
        "fields": {
            account.fields[field_id].name: ", ".join(str(one.get("value")) for one in values)
            for field_id, values in deal.fields.items()
        },
    }
