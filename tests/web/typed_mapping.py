"""The mapping's form without a page: documents as controls, and what typing into them makes."""

from typing import Any

from server.core.settings import SettingsDocument, default_settings
from server.core.vendor_lists import Catalog, KnownField, Lists, Option
from server.web.mapping_controls import Form, controls_of, used_keys
from server.web.mapping_labels import Labels
from server.web.mapping_typed import Typed
from tests.fixed_clock import FixedClock

LISTS = Lists(
    fields=(
        KnownField("deal.name", "Deal name", "deal", "text"),
        KnownField("deal.cf.12", "Order number", "deal", "text", other_key="deal.code.ORDER"),
        KnownField("deal.cf.13", "Order  {number}", "deal", "text"),
        KnownField("deal.cf.14", "Order number", "deal", "text"),
        KnownField("contact.code.EMAIL", "Email", "contact", "multitext", code="EMAIL"),
        KnownField(
            "product.cf.9",
            "Tax",
            "product",
            "select",
            (Option(1, "Standard"), Option(2, "Reduced")),
            catalog_id=1,
        ),
        KnownField("product.cf.20", "Rate", "product", "numeric", catalog_id=2),
    ),
    catalogs=(Catalog(1, "Products", "products"), Catalog(2, "Services", "regular")),
    fetched_at=FixedClock().now(),
)


def labels_of(document: SettingsDocument, lists: Lists = LISTS) -> Labels:
    return Labels(lists, used_keys(document))


def form_of(document: SettingsDocument, lists: Lists = LISTS, **changed: str) -> Form:
    """As a browser would send it, with some controls changed ("-" is written "_0_" there)."""
    return {**controls_of(document, labels_of(document, lists)), **changed}


def typed(changes: Form, document: SettingsDocument | None = None) -> Typed:
    document = document or default_settings()
    return Typed({**form_of(document), **changes}, document, labels_of(document))


def document_from(form: Form, document: SettingsDocument, lists: Lists) -> Any:
    """What is saved, as JSON."""
    found = Typed(form, document, labels_of(document, lists))
    assert found.errors == {}
    return found.data


def taken(changes: Form, document: SettingsDocument | None = None) -> Any:
    """The mapping that these changes make, as JSON."""
    found = typed(changes, document)
    assert found.errors == {}
    return found.data["mapping"]


def source(name: str, kind: str, value: str, level: int = 0) -> Form:
    return {f"{name}-{level}-kind": kind, f"{name}-{level}-{kind}": value}
