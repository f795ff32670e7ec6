"""Sales and settings to test with, written as briefly as a test wants to read them."""

from collections.abc import Mapping as AnyMapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from server.core.invoice import InvoiceDraft
from server.core.mapping import draft
from server.core.money import Money, decimal_of
from server.core.sale import FieldValue, Party, Place, Sale, SaleLine
from server.core.settings import Mapping, Rule, validate

Values = tuple[FieldValue, ...]


def value(text: str) -> FieldValue:
    return FieldValue(text, number=decimal_of(text))


def fields(texts: AnyMapping[str, str]) -> dict[str, Values]:
    """Key to one value; "" is a field that exists and is empty."""
    return {key: (value(text),) if text else () for key, text in texts.items()}


def product(
    name: str, price: str | None, quantity: str = "1", number: int = 1, **more: str
) -> SaleLine:
    """``more``: product fields, cf_9="Standard" for product.cf.9."""
    own = {f"product.{key.replace('_', '.')}": text for key, text in more.items()}
    unit_price = None if price is None else Decimal(price)
    return SaleLine(number, name, Decimal(quantity), unit_price, fields(own))


def sale(*lines: SaleLine, amount: str | None = None, **changes: Any) -> Sale:
    """A deal of Ann at Acme in Kommo; ``fields`` are added to those it has anyway."""
    known = fields({"contact.code.EMAIL": "ann@acme.test", **changes.pop("fields", {})})
    plain = Sale(
        source="kommo",
        source_id="5512033",
        title="Garden chairs",
        currency="EUR",
        amount=None if amount is None else Money(Decimal(amount), "EUR"),
        party=Party(contact_id=41, company_id=51),
        lines=lines,
        fields=known,
        place=Place(3001, 20),
    )
    return replace(plain, **changes)


def mapping(**parts: Any) -> Mapping:
    return Mapping.model_validate(parts)


def rule(slug: str = "won", **parts: Any) -> Rule:
    given = {"slug": slug, "name": slug.title(), "when": [{"pipeline_id": 3001, "stage_id": 20}]}
    return validate({"rules": [{**given, **parts}], "mapping": {}}).rules[0]


def drafted(made_from: Sale, **parts: Any) -> InvoiceDraft:
    return draft(made_from, mapping(**parts))
