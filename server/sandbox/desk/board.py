"""Kommo's side of the page: the first account's pipelines, its deals and what hangs on them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from server.sandbox.kommo.account import Account
from server.sandbox.kommo.book.records import Contact, Deal, ProductLink, Record

from .deal_fields import chips, currency_of, editable, form_fields, invoice_on, mail_of, shown
from .journal import Journal

if TYPE_CHECKING:
    from server.sandbox import Sandbox

Row = dict[str, Any]


def account_of(sandbox: "Sandbox") -> Account | None:
    """The account that the board shows: the first one."""
    return next(iter(sandbox.kommo.accounts.values()), None)


def board(sandbox: "Sandbox", journal: Journal) -> Row | None:
    """None while there is no account."""
    account = account_of(sandbox)
    if account is None:
        return None
    with account.lock:
        entered = _entered(account)
        deals = [
            deal_view(account, deal, journal) | {"entered": entered.get(deal.id, 0)}
            for deal in account.deals.values()
            if not deal.is_deleted
        ]
        return {
            "account": {
                "name": account.name,
                "subdomain": account.subdomain,
                "currency": account.currency,
                "settings": _settings(account),
            },
            "listeners": [
                {"to": hook.destination, "disabled": hook.disabled}
                for hook in account.hooks.values()
            ],
            "pipelines": [_pipeline(account, key) for key in account.pipelines],
            "deals": sorted(deals, key=lambda deal: (-deal["entered"], deal["id"])),
            "choices": _choices(account),
        }


def _settings(account: Account) -> str:
    """The account's page with the integration's settings in a frame; "" where there is none."""
    return f"{account.url}/settings-frame" if account.world.grants.integrations else ""


def _pipeline(account: Account, pipeline_id: int) -> Row:
    pipeline = account.pipelines[pipeline_id]
    stages = [
        {"id": stage.id, "name": stage.name, "color": stage.color, "incoming": stage.type == 1}
        for stage in pipeline.stages
    ]
    return {"id": pipeline.id, "name": pipeline.name, "stages": stages}


def _entered(account: Account) -> dict[int, float]:
    """When each deal came to where it is; what was moved last stands on top."""
    moves = (event for event in account.events if event.type == "lead_status_changed")
    return {event.entity_id: event.at for event in moves}


def _choices(account: Account) -> Row:
    """What a new deal can be made of."""
    return {
        "contacts": [
            {"id": one.id, "name": one.name}
            for one in account.contacts.values()
            if not one.is_deleted
        ],
        "products": [
            {"id": one.id, "name": one.name, "price": _text(_price(account, one, None))}
            for one in account.elements.values()
            if not one.is_deleted
        ],
        "fields": [
            form_fields(field, [])
            for field in account.fields_of("leads")
            if editable(field) and field.type == "select"
        ],
    }


def deal_view(account: Account, deal: Deal, journal: Journal) -> Row:
    """A card and its panel in one: a demo has a dozen of them."""
    contact = account.contacts.get(deal.main_contact_id or 0)
    company = account.companies.get(deal.company_id or 0)
    user = account.users.get(deal.responsible_user_id)
    return {
        "id": deal.id,
        "name": deal.name,
        "price": _text(deal.price),
        "currency": currency_of(account, deal) or account.currency,
        "pipeline": deal.pipeline_id,
        "stage": deal.status_id,
        "responsible": user.name if user else "",
        "contact": _contact(account, contact) if contact else None,
        "company": _party(account, company, "companies") if company else None,
        "tags": [tag.name for tag in deal.tags],
        "chips": chips(account, deal),
        "fields": [
            form_fields(field, deal.fields.get(field.id, []))
            for field in account.fields_of("leads")
            if not (field.code or "").startswith("BILLHOOK_")
        ],
        "invoice": invoice_on(account, deal),
        "products": [_product(account, link) for link in deal.products],
        "tasks": _tasks(account, deal),
        "notes": _notes(account, deal),
        "hooks": journal.hooks_of(deal.id),
    }


def _contact(account: Account, contact: Contact) -> Row:
    return _party(account, contact, "contacts") | {"email": mail_of(account, contact)}


def _party(account: Account, party: Record, entity: str) -> Row:
    values = {
        account.fields[key].name: shown(values)
        for key, values in party.fields.items()
        if key in account.fields and account.fields[key].code != "EMAIL" and values
    }
    return {"id": party.id, "name": party.name, "values": values, "entity": entity}


def _product(account: Account, link: ProductLink) -> Row:
    element = account.elements[link.element_id]
    price = _price(account, element, link.price_id)
    total = None if price is None else price * link.quantity
    return {
        "name": element.name + (" (deleted)" if element.is_deleted else ""),
        "quantity": _text(link.quantity),
        "price": _text(price),
        "total": _text(total),
    }


def _price(account: Account, element: Record, price_id: int | None) -> Decimal | None:
    """The price field that was chosen on the link, the standard one where none was."""
    key: int | str = price_id or "PRICE"
    try:
        value = account.value_of(element, "catalogs", key)
    except KeyError:
        return None
    return None if value is None else Decimal(str(value))


def _tasks(account: Account, deal: Deal) -> list[Row]:
    on_deal = [
        task
        for task in account.tasks.values()
        if (task.entity_type, task.entity_id) == ("leads", deal.id)
    ]
    return [
        {
            "id": task.id,
            "text": task.text,
            "who": _first_name(account, task.responsible_user_id),
            "done": task.is_completed,
            "result": task.result or "",
        }
        for task in sorted(on_deal, key=lambda task: (task.is_completed, -task.id))
    ]


def _first_name(account: Account, user_id: int) -> str:
    user = account.users.get(user_id)
    return user.name.split()[0] if user else "somebody"


def _notes(account: Account, deal: Deal) -> list[str]:
    return [
        str(note.params.get("text", note.note_type))
        for note in account.notes.values()
        if (note.entity_type, note.entity_id) == ("leads", deal.id)
    ]


def _text(number: Decimal | None) -> str | None:
    """Exact and without trailing zeros: 1200.75, 2.5, 4."""
    if number is None:
        return None
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
